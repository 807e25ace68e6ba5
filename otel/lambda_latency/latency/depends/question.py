"""What is asked: which slow requests are compared with which others, and which of them are read for it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lambda_latency.latency.depends.attribute_sets import bits
from lambda_latency.latency.judge.thresholds import ENOUGH_SLOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.depends.changes import ChangedRequests
    from lambda_latency.latency.judge.classes import Class, Classes

FEW = 1_200  # requests; up to this number all are read
MOST_OF_CLASS = 150  # requests that are read of a class, evenly spaced in time
MOST_SLOW = 250  # of all slow requests
MOST_OTHERS = 450  # of all requests of their routes
MOST_INSIDE = 120  # of the requests in the stretch of a class
LEAST_SLOW, LEAST_PERCENT = 5, 0.5  # slow requests of a route that are asked about without a class
ONE_CLASS = 0.8  # a class with this share of all slow requests answers for all of them
PIECE = 24  # requests of a route that are neighbours in time are compared with each other


@dataclass(frozen=True, slots=True)
class Question:
    """Slow requests and others, as sets of the requests in a sample.

    `of` is a class by number, or None for the slow requests of `routes` together; `change` is that of a comparison, by
    number, whose requests take the place of slow ones. `strata` are the requests of one
    route at one time: only these are compared with each other.
    """

    of: int | None
    routes: tuple[str, ...]
    slow: int
    others: int
    strata: tuple[int, ...]
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The requests that are read, by index and in the order of their start, and the questions about them."""

    read: tuple[int, ...] = ()
    questions: tuple[Question, ...] = ()


class _Routes:
    """The requests of each route with slow ones, in the order of their start."""

    def __init__(self, every: Accounts, slow: Sequence[int]) -> None:
        kinds = list(every.kinds)
        self._route_of = [kind.route for kind in kinds]
        self._every = every
        self.slow: defaultdict[str, list[int]] = defaultdict(list)
        for at in slow:
            self.slow[self.of(at)].append(at)
        wanted = {number for number, kind in enumerate(kinds) if kind.route in self.slow and not kind.timed_out}
        self.all: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        for at in every.order():
            if every.kind_of[at] in wanted:
                self.all[self._route_of[every.kind_of[at]]].append(at)

    def of(self, at: int) -> str:
        return self._route_of[self._every.kind_of[at]]


def sample(every: Accounts, found: Classes, changes: Sequence[ChangedRequests] = ()) -> Sample:
    """Choose the requests to read, and the questions: about slow requests, and about those of each change.

    Without requests that are worth a question, none is read.
    """
    alike = set(found.alike)
    slow = [at for at in found.slow if at not in alike]
    routes = _Routes(every, slow)
    asked = {
        name: members
        for name, members in routes.slow.items()
        if len(members) >= LEAST_SLOW and 100 * len(members) >= LEAST_PERCENT * len(routes.all[name])
    }
    if not found.found and not asked and not changes:
        return Sample()
    slow = slow if found.found or asked else []
    starts = every.starts_ns
    slow.sort(key=starts.__getitem__)
    whole = sum(map(len, routes.all.values())) <= FEW
    of_classes = [_of_class(one, every, routes, whole=whole) for one in found.found]
    of_all = slow if whole else _even(slow, MOST_SLOW)
    of_class = {at for one in found.found for at in one.members}
    rest = [at for at in slow if at not in of_class]
    rest = rest if whole else _even(rest, MOST_OF_CLASS)
    usual = _usual(routes, whole=whole) if slow else []
    of_changes = [_of_change(one, starts) for one in changes]
    both = [at for one in (*of_classes, *of_changes) for side in one for at in side]
    read = sorted({*of_all, *rest, *usual, *both}, key=lambda at: (starts[at], at))
    place_of = {at: place for place, at in enumerate(read)}

    def question(
        of: int | None,
        names: Iterable[str],
        chosen: Iterable[int],
        others: Iterable[int],
        without: set[int],
        change: int | None = None,
    ) -> Question:
        names = set(names)
        some = bits(place_of[at] for at in chosen)
        rest = bits(place_of[at] for at in others if at not in without and routes.of(at) in names) & ~some
        return Question(of, tuple(sorted(names)), some, rest, _strata(read, routes, some | rest), change)

    questions: list[Question] = []
    for number, (one, (members, inside)) in enumerate(zip(found.found, of_classes, strict=True)):
        others = inside if one.stretch is not None else usual
        questions.append(question(number, one.routes, members, others, set(one.members)))
    largest = max((len(one.members) for one in found.found), default=0)
    every_slow = set(found.slow)
    if found.found and len(rest) >= LEAST_SLOW:
        questions.append(question(None, map(routes.of, rest), rest, usual, every_slow))
    if asked and largest < ONE_CLASS * len(slow):
        questions.append(question(None, asked, [at for at in of_all if routes.of(at) in asked], usual, every_slow))
        if len(asked) > 1:
            questions += [
                question(None, [name], [at for at in of_all if routes.of(at) == name], usual, every_slow)
                for name in sorted(asked)
                if len(asked[name]) >= ENOUGH_SLOW
            ]
    for number, (change, (members, others)) in enumerate(zip(changes, of_changes, strict=True)):
        questions.append(question(None, change.routes, members, others, set(), number))
    return Sample(tuple(read), tuple(questions))


def _of_class(one: Class, every: Accounts, routes: _Routes, *, whole: bool) -> tuple[list[int], list[int]]:
    """The requests of a class that are read, and others of its routes in its stretch."""
    starts = every.starts_ns
    members = sorted(one.members, key=starts.__getitem__)
    inside: list[int] = []
    if one.stretch is not None:
        first, last = one.stretch
        mine = set(one.members)
        inside = [at for name in one.routes for at in routes.all[name]
                  if first <= starts[at] <= last and at not in mine]  # fmt: skip
        inside.sort(key=starts.__getitem__)
    return (members, inside) if whole else (_even(members, MOST_OF_CLASS), _even(inside, MOST_INSIDE))


def _of_change(one: ChangedRequests, starts: Sequence[int]) -> tuple[list[int], list[int]]:
    """The requests of a change that are read, and others of its routes."""
    members, others = (sorted(side, key=starts.__getitem__) for side in (one.members, one.others))
    if len(members) + len(others) <= FEW:
        return members, others
    return _even(members, MOST_SLOW), _even(others, MOST_OTHERS)


def _usual(routes: _Routes, *, whole: bool) -> list[int]:
    """Requests of all kinds, from each route so many as it has of the slow ones."""
    if whole:
        return [at for members in routes.all.values() for at in members]
    count = sum(map(len, routes.slow.values()))
    found: list[int] = []
    for name, members in routes.all.items():
        found += _even(members, max(MOST_OTHERS * len(routes.slow[name]) // count, PIECE))
    return found


def _even(some: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly spaced."""
    size = len(some)
    return list(some) if size <= most else [some[(2 * number + 1) * size // (2 * most)] for number in range(most)]


def _strata(read: Sequence[int], routes: _Routes, members: int) -> tuple[int, ...]:
    """The requests of each route in pieces of time."""
    by_route: defaultdict[str, list[int]] = defaultdict(list)
    for place, at in enumerate(read):
        if members >> place & 1:
            by_route[routes.of(at)].append(place)
    return tuple(piece for places in by_route.values() for piece in _pieces(places))


def _pieces(places: Sequence[int]) -> list[int]:
    count = max(len(places) // PIECE, 1)
    cuts = [number * len(places) // count for number in range(count + 1)]
    return [bits(places[first:last]) for first, last in pairwise(cuts)]
