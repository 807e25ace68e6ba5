"""The slow requests: those beyond a fence of their route, in their wall clock or in one cell; and when they came.

A fence lies above the median of a route by a multiple of the distance from p25 to the median, in logarithms: the faster
half of a route is its noise, whatever happens to the slower half.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.judge.thresholds import (
    COMPARABLE_REQUESTS,
    EVEN_NS,
    FELT_SHARE,
    FENCE_CELL,
    FENCE_REQUEST,
    LEAST_OF_ROUTE,
    LEAST_WIDTH,
    RARE_SHARE,
    WHOLE_NS,
    WHOLE_TIMES,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell

PIECES = 40  # of consecutive requests, among which a stretch is looked for


@dataclass(slots=True)
class _Route:
    """The requests of a route; `cells` has the time of each request that has a cell, by number of the cell.

    Lists would take four times as much memory.
    """

    members: array[int] = field(default_factory=lambda: array("I"))
    walls: array[int] = field(default_factory=lambda: array("q"))
    cells: dict[int, tuple[array[int], array[int]]] = field(default_factory=dict)


class Whole(NamedTuple):
    """A route that is slow as a whole: its requests, its typical wall clock, and the cell that has most of it."""

    route: str
    requests: int
    typical_ns: int
    cell: Cell | None
    cell_ns: int


@dataclass(frozen=True, slots=True)
class Slowness:
    """The slow requests, by index, and what is usual on their routes.

    `usual` has, by route, the median of the other requests by number of the cell; a cell that it lacks usually takes no
    time. Calls of one service are one cell, whoever calls: `same` has its number for that of each cell.

    `judged` are the routes with enough requests, `left_out` the others. `limit_ns` is the given limit.
    """

    slow: tuple[int, ...]
    usual: dict[str, dict[int, int]]
    same: tuple[int, ...]
    judged: tuple[str, ...]
    left_out: tuple[str, ...]
    whole: tuple[Whole, ...]
    limit_ns: int | None


def fence_of(values: Sequence[int], power: float) -> int:
    """The fence of some times, sorted ascending: p50 x (p50 / p25) ^ `power`, and at least `EVEN_NS` above p50."""
    middle, low = at_rank(values, 50), at_rank(values, 25)
    ratio = max(middle / max(low, 1), LEAST_WIDTH)
    return int(max(middle * ratio**power, middle + EVEN_NS))


def slowness(every: Accounts, slow_ns: int | None = None) -> Slowness:
    """Find the slow requests: over `slow_ns`, or beyond a fence of their route; requests that timed out are left out.

    If most requests of a route exceed the limit, and the others are hardly faster, the route is slow as a whole: the
    limit says nothing about single requests, and the fence counts.
    """
    first: dict[Cell, int] = {}
    same = tuple([first.setdefault(cell.of_all, number) for number, cell in enumerate(every.cells)])
    routes = _routes(every, same)
    enough = COMPARABLE_REQUESTS if slow_ns is None else LEAST_OF_ROUTE
    judged = {name: one for name, one in routes.items() if len(one.members) >= enough}
    found: list[int] = []
    usual: dict[str, dict[int, int]] = {}
    whole: list[str] = []
    typical_ns = {name: at_rank(sorted(one.walls), 50) for name, one in judged.items()}
    for name, one in judged.items():
        over = [at for at, wall in zip(one.members, one.walls, strict=True) if slow_ns is not None and wall > slow_ns]
        is_whole = slow_ns is not None and 2 * len(over) > len(one.members) and _is_whole(one.walls, slow_ns)
        if is_whole or (slow_ns is None and _takes_long(name, typical_ns)):
            whole.append(name)
        slow = set(_beyond(one) if slow_ns is None or is_whole else over)
        if slow:
            found += slow
            usual[name] = _usual(one, slow)
    return Slowness(
        slow=tuple(sorted(found)),
        usual=usual,
        same=same,
        judged=tuple(sorted(judged)),
        left_out=tuple(sorted(set(routes) - set(judged))),
        whole=tuple(_whole(every, name, judged[name], typical_ns[name]) for name in sorted(whole)),
        limit_ns=slow_ns,
    )


def _is_whole(walls: Sequence[int], slow_ns: int) -> bool:
    """Whether a route is slow as a whole, most of whose requests exceed a limit: no faster ones show what is usual.

    Alarms fetch slow requests on purpose, so that most of a route's may exceed the limit although few of all do.
    """
    if len(walls) < COMPARABLE_REQUESTS:
        return False
    others = sorted([wall for wall in walls if wall <= slow_ns])
    if len(others) < COMPARABLE_REQUESTS:
        return True
    usual_ns = at_rank(others, 50)
    more_ns = at_rank(sorted([wall for wall in walls if wall > slow_ns]), 50) - usual_ns
    return more_ns < max(EVEN_NS, usual_ns * FELT_SHARE)


def _takes_long(route: str, typical_ns: dict[str, int]) -> bool:
    """Whether a typical request takes many times as long as those of the other routes."""
    others = sorted([ns for name, ns in typical_ns.items() if name != route])
    return bool(others) and typical_ns[route] >= max(WHOLE_NS, WHOLE_TIMES * at_rank(others, 50))


def _whole(every: Accounts, name: str, route: _Route, typical_ns: int) -> Whole:
    cells = list(every.cells)
    usual = _usual(route, set())
    most = max(usual, key=lambda one: (usual[one], cells[one]), default=None)
    cell, ns = (cells[most], usual[most]) if most is not None else (None, 0)
    return Whole(name, len(route.members), typical_ns, cell, ns)


def _routes(every: Accounts, same: Sequence[int]) -> dict[str, _Route]:
    routes: dict[str, _Route] = {}
    of_kind = [routes.setdefault(kind.route, _Route()) if not kind.timed_out else None for kind in every.kinds]
    cell_of, cell_ns = every.cell_of, every.cell_ns
    for at, (kind, wall, (first, last)) in enumerate(
        zip(every.kind_of, every.walls_ns, every.cells_of_each(), strict=True)
    ):
        route = of_kind[kind]
        if route is None:
            continue
        route.members.append(at)
        route.walls.append(wall)
        cells = route.cells
        for entry in range(first, last):
            number = same[cell_of[entry]]
            column = cells.get(number)
            if column is None:
                column = cells[number] = (array("q"), array("I"))
            times, members = column
            if members and members[-1] == at:
                times[-1] += cell_ns[entry]
            else:
                times.append(cell_ns[entry])
                members.append(at)
    return {name: one for name, one in routes.items() if one.members}


def _beyond(route: _Route) -> Iterable[int]:
    """The requests beyond the fence of their wall clock, or of one cell and, less far, of their wall clock too."""
    walls = sorted(route.walls)
    fence = fence_of(walls, FENCE_CELL)
    found = [at for at, wall in zip(route.members, route.walls, strict=True) if wall > fence]
    mild = fence_of(walls, FENCE_REQUEST)
    exceed = {at for at, wall in zip(route.members, route.walls, strict=True) if wall > mild}
    if len(exceed) == len(found):
        return found
    felt = max(EVEN_NS, int(at_rank(walls, 50) * FELT_SHARE))
    count = len(walls)
    del walls
    for times, members in route.cells.values():
        if max(times) < felt or exceed.isdisjoint(members):
            continue
        values = sorted(times)
        if len(values) < RARE_SHARE * count:
            values = [0] * (count - len(values)) + values
        limit = max(fence_of(values, FENCE_CELL), at_rank(values, 50) + felt - 1)
        found += [at for ns, at in zip(times, members, strict=True) if ns > limit and at in exceed]
    return found


def _usual(route: _Route, slow: set[int]) -> dict[int, int]:
    """The median time of each cell in the requests that are not slow; in all of them if every request is slow."""
    others = len(route.members) - len(slow)
    left_out = slow if others else set[int]()
    count = others or len(route.members)
    found: defaultdict[int, int] = defaultdict(int)
    for cell, (times, members) in route.cells.items():
        values = [ns for ns, at in zip(times, members, strict=True) if at not in left_out] if left_out else [*times]
        absent = count - len(values)
        rank = -(-count // 2)
        if rank > absent:
            values.sort()
            found[cell] = values[rank - absent - 1]
    return found


class Scan(NamedTuple):
    """The interval with the most slow requests: pieces from `first` up to, not including, `last`.

    `ratio` is the logarithm of its likelihood ratio against "evenly spread". `inside` of the `every` slow requests lie
    in it, among `seen` of all requests.
    """

    ratio: float
    first: int
    last: int
    inside: int
    every: int
    seen: int


def scan(slow: Sequence[int], seen: Sequence[int]) -> Scan:
    """Find the interval; `slow` and `seen` have the number of slow and of all requests in each piece."""
    whole, every = sum(seen), sum(slow)
    best = Scan(0.0, 0, 0, 0, every, 0)
    if not whole or not every:
        return best
    base = _information(every, whole)
    for first in range(len(seen)):
        requests = inside = 0
        for last in range(first, len(seen)):
            requests += seen[last]
            inside += slow[last]
            if 0 < requests < whole and inside * (whole - requests) > (every - inside) * requests:
                ratio = _information(inside, requests) + _information(every - inside, whole - requests) - base
                if ratio > best.ratio:
                    best = Scan(ratio, first, last + 1, inside, every, requests)
    return best


def _information(some: int, of: int) -> float:
    """The logarithm of the likelihood of `some` of `of`, at their own share."""
    found = some * log(some / of) if some else 0.0
    return found + ((of - some) * log((of - some) / of) if of > some else 0.0)
