"""Chooses the requests whose spans a page contains: all if they fit, otherwise those that show its findings."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.latency import Report

MOST = 1_000  # requests; up to this number all are kept
ROOM = 4_000_000  # characters of all spans together, except those of one huge request; deflated about a tenth
HUGE = 1_000_000  # characters; at most one request of this size is kept
SPREAD, TIMEOUTS, ERRORS, COLD, TYPICAL, SLOWEST = 200, 60, 60, 20, 10, 100


def worth_keeping(report: Report) -> list[str]:
    """At most `MOST` trace ids by importance: an example of each finding, then requests of each class from its fastest
    to its slowest with typical ones of their routes, errors, timeouts, cold starts, the slowest, and others, evenly."""
    every = report.accounts
    found = list(dict.fromkeys(chain(_examples(report), map(every.trace_id, _in_order(report)))))
    return found[:MOST]


def _examples(report: Report) -> Iterator[str]:
    """Requests that cards and the list of reasons open."""
    found, every = report.verdict, report.accounts
    yield from (every.trace_id(one.example) for one in report.classes.found)
    yield from (one.account.trace_id for one in (found.proof, found.against) if one is not None)
    for candidate in found.candidates:
        yield from [one.account.trace_id for one in report.cohorts.slow if one.part == candidate.part][:1]
    if report.failures is not None:
        yield report.failures.trace_id
    seen: set[str] = set()
    for one in report.timeouts:
        if one.running not in seen:
            seen.add(one.running)
            yield one.trace_id


def _in_order(report: Report) -> Iterator[int]:
    """The indices of requests, those of classes and of typical requests in turns; some repeat."""
    every, found = report.accounts, report.classes
    kinds = list(every.kinds)
    walls = every.walls_ns
    fastest = sorted(range(len(every)), key=lambda at: (walls[at], every.trace_id(at)))
    slow = {at for one in (*found.found, *found.few) for at in one.members} | {*found.mixed, *found.alike}
    routes: dict[str, list[int]] = {}
    for at in fastest:
        if at not in slow:
            routes.setdefault(kinds[every.kind_of[at]].route, []).append(at)
    named = {kinds[every.kind_of[at]].route for at in slow}
    usual = sorted(routes, key=lambda route: (route not in named, -len(routes[route]), route))
    typical = [_middle(routes[route]) for route in usual]
    classes = [_evenly([at for at in fastest if at in members], SPREAD) for members in _members(report)]
    yield from _in_turns([*classes, *typical[: len(named)]])
    yield from _evenly([at for at in fastest if kinds[every.kind_of[at]].timed_out], TIMEOUTS)
    yield from _evenly([at for at in fastest if kinds[every.kind_of[at]].error], ERRORS)
    yield from _in_turns(typical)
    yield from _evenly([at for at in fastest if kinds[every.kind_of[at]].cold_start], COLD)
    yield from fastest[: -SLOWEST - 1 : -1]
    yield from _evenly(sorted(range(len(every)), key=lambda at: (every.starts_ns[at], at)), MOST)


def _members(report: Report) -> Iterator[set[int]]:
    """The requests of each class, those of all small ones together, and slow ones without a class."""
    found = report.classes
    yield from (set(one.members) for one in found.found)
    yield {at for one in found.few for at in one.members} | {*found.mixed, *found.alike}


def _evenly(some: Sequence[int], most: int) -> list[int]:
    """At most this many, evenly spread, the first and the last of them first, then in ever smaller steps."""
    if len(some) > most:
        some = [some[at * (len(some) - 1) // (most - 1)] for at in range(most)]
    last = len(some) - 1
    steps = [max(last >> halved, 1) for halved in range(last.bit_length() + 1)] if some else []
    places = dict.fromkeys(at for step in steps for at in (*range(0, last + 1, step), last))
    return [some[at] for at in places]


def _middle(some: Sequence[int]) -> Sequence[int]:
    first = max(0, (len(some) - TYPICAL) // 2)
    return some[first : first + TYPICAL]


def _in_turns(some: Iterable[Sequence[int]]) -> Iterator[int]:
    """The first of each, the second of each, and so on."""
    return (one for turn in zip_longest(*some) for one in turn if one is not None)
