"""The slow requests: those beyond a threshold of their route, in the wall clock or in one edge; and when they came.

A threshold lies above the median of a route by a multiple of the distance from p25 to the median, in logarithms: the
faster half of a route is its noise, whatever happens to the slower half. A route whose times fall into two groups has
the thresholds of the faster group.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import log, sqrt
from typing import NamedTuple

from lambda_latency.latency.analysis.thresholds import (
    COMPARABLE_REQUESTS,
    ENOUGH_SLOW,
    EVEN_NS,
    FELT_SHARE,
    GROUP_DISTANCE,
    GROUP_DISTANCE_OF_FEW,
    GROUP_SPREAD,
    LEAST_OF_ROUTE,
    LEAST_WIDTH,
    NOISE_PERCENT,
    OTHER_CALLS_SHARE,
    OUTLYING_TIMES,
    RARE_SHARE,
    THRESHOLD_EDGE,
    THRESHOLD_REQUEST,
    WHOLE_NS,
    WHOLE_TIMES,
    WINDOW_DENSITY,
    WINDOW_HOLDS,
    WINDOW_MOST,
    WINDOW_RATIO,
)
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank

# Of consecutive requests, among which a dense window is looked for
PIECES = 40
# Categories of calls that requests of one kind make and those of another do not, such as a cache's misses
CALLED = ("own code", "network", "aws", "external", "database", "messaging")


@dataclass(slots=True)
class _Route:
    """The requests of a route; `edges` has the time of each request that has an edge, by number of the edge.

    Lists would take four times as much memory.
    """

    members: array[int] = field(default_factory=lambda: array("I"))
    walls: array[int] = field(default_factory=lambda: array("q"))
    edges: defaultdict[int, tuple[array[int], array[int]]] = field(
        default_factory=lambda: defaultdict(lambda: (array("q"), array("I")))
    )

    def slower_than(self, limit_ns: int) -> list[int]:
        """Return the requests that take longer than a limit."""
        return [index for index, wall in zip(self.members, self.walls, strict=True) if wall > limit_ns]


class Whole(NamedTuple):
    """A route that is slow as a whole: its requests, its typical wall clock, and the edge that has most of it."""

    route: str
    requests: int
    typical_ns: int
    edge: Edge | None
    edge_ns: int


@dataclass(frozen=True, slots=True)
class Slowness:
    """The slow requests, by index, and the typical times of their routes.

    `typical_ns` has, by route, the median of the other requests by number of the edge; an edge that it lacks typically
    takes no time. `noise_ns` has the distance from there to their 95th percentile. Calls of one service are one edge,
    whoever calls: `merged` has its number for that of each edge.

    `comparable` are the routes with enough requests, `left_out` the others. `limit_ns` is the given limit.
    `other_calls` has, by route, the calls that its slower requests make and the faster ones do not: by number of the
    edge. `outlying` requests take many times as long as most of their route, whose times vary too widely to call them
    slow.
    """

    slow: tuple[int, ...]
    typical_ns: dict[str, Mapping[int, int]]
    noise_ns: dict[str, Mapping[int, int]]
    merged: tuple[int, ...]
    comparable: tuple[str, ...]
    left_out: tuple[str, ...]
    whole: tuple[Whole, ...]
    limit_ns: int | None
    other_calls: dict[str, frozenset[int]]
    outlying: tuple[int, ...]


def _threshold(times: Sequence[int], power: float) -> int:
    """Return the upper bound of normal for sorted times: p50 x (p50 / p25) ^ `power`, at least `EVEN_NS` above p50."""
    middle, low = at_rank(times, 50), at_rank(times, 25)
    ratio = max(middle / max(low, 1), LEAST_WIDTH)
    return int(max(middle * ratio**power, middle + EVEN_NS))


def slowness(breakdowns: Breakdowns, slow_ns: int | None = None) -> Slowness:
    """Find the slow requests: over `slow_ns`, or beyond a threshold of their route, without those that timed out.

    If most requests of a route exceed the limit, and the others are hardly faster, the route is slow as a whole: the
    limit says nothing about single requests, and the threshold counts.
    """
    numbers: dict[Edge, int] = {}
    merged = tuple([numbers.setdefault(edge.merged, number) for number, edge in enumerate(breakdowns.edges)])
    routes = _routes(breakdowns, merged)
    least_requests = COMPARABLE_REQUESTS if slow_ns is None else LEAST_OF_ROUTE
    comparable = {name: route for name, route in routes.items() if len(route.members) >= least_requests}
    walls_ns = {name: at_rank(sorted(route.walls), 50) for name, route in comparable.items()}
    whole = _slow_as_a_whole(comparable, walls_ns, slow_ns)
    called = {number for edge, number in numbers.items() if edge.component.category in CALLED}
    slow: list[int] = []
    outlying: list[int] = []
    typical_ns, noise_ns = dict[str, Mapping[int, int]](), dict[str, Mapping[int, int]]()
    other_calls: dict[str, frozenset[int]] = {}
    for name, route in comparable.items():
        if slow_ns is not None and name not in whole:
            exceeding = set(route.slower_than(slow_ns))
        else:
            walls, other_calls[name] = _normal(route, called)
            exceeding = set(_beyond(route, walls))
            outlying += _outlying(route, walls, exceeding) if not other_calls[name] else []
        if exceeding:
            slow += exceeding
            typical_ns[name], noise_ns[name] = _typical_and_noise(route, exceeding)
    return Slowness(
        slow=tuple(sorted(slow)),
        typical_ns=typical_ns,
        noise_ns=noise_ns,
        merged=merged,
        comparable=tuple(sorted(comparable)),
        left_out=tuple(sorted(set(routes) - set(comparable))),
        whole=tuple(_whole(breakdowns, name, comparable[name], walls_ns[name]) for name in whole),
        limit_ns=slow_ns,
        other_calls=other_calls,
        outlying=tuple(sorted(outlying)) if slow_ns is None else (),
    )


def _slow_as_a_whole(routes: dict[str, _Route], typical_ns: dict[str, int], slow_ns: int | None) -> list[str]:
    if slow_ns is None:
        return sorted(name for name in routes if _takes_long(name, typical_ns))
    return sorted(name for name, route in routes.items() if _is_whole(route.walls, slow_ns))


def _is_whole(walls: Sequence[int], slow_ns: int) -> bool:
    """Return whether a route is slow as a whole: most of its requests exceed a limit, and no faster ones are typical.

    Alarms fetch slow requests on purpose, so that most of a route's may exceed the limit although few of all do.
    """
    exceeding = [wall for wall in walls if wall > slow_ns]
    if len(walls) < COMPARABLE_REQUESTS or 2 * len(exceeding) <= len(walls):
        return False
    faster = sorted([wall for wall in walls if wall <= slow_ns])
    if len(faster) < COMPARABLE_REQUESTS:
        return True
    typical_ns = at_rank(faster, 50)
    return at_rank(sorted(exceeding), 50) - typical_ns < max(EVEN_NS, typical_ns * FELT_SHARE)


def _takes_long(route: str, typical_ns: dict[str, int]) -> bool:
    """Return whether a typical request takes many times as long as those of the other routes."""
    other_routes = sorted([ns for name, ns in typical_ns.items() if name != route])
    return bool(other_routes) and typical_ns[route] >= max(WHOLE_NS, WHOLE_TIMES * at_rank(other_routes, 50))


def _whole(breakdowns: Breakdowns, name: str, route: _Route, typical_ns: int) -> Whole:
    edges = list(breakdowns.edges)
    typical, _ = _typical_and_noise(route, set())
    largest = max(typical, key=lambda number: (typical[number], edges[number]), default=None)
    edge, ns = (edges[largest], typical[largest]) if largest is not None else (None, 0)
    return Whole(name, len(route.members), typical_ns, edge, ns)


def _routes(breakdowns: Breakdowns, merged: Sequence[int]) -> dict[str, _Route]:
    routes: dict[str, _Route] = {}
    of_kind = [routes.setdefault(kind.route, _Route()) if not kind.timed_out else None for kind in breakdowns.kinds]
    requests = zip(breakdowns.kind_of, breakdowns.walls_ns, breakdowns.times_of_each(), strict=True)
    for index, (kind, wall, of_edges) in enumerate(requests):
        route = of_kind[kind]
        if route is None:
            continue
        route.members.append(index)
        route.walls.append(wall)
        edges = route.edges
        for number, ns in of_edges:
            times, members = edges[merged[number]]
            if members and members[-1] == index:
                times[-1] += ns
            else:
                times.append(ns)
                members.append(index)
    return {name: route for name, route in routes.items() if route.members}


def _normal(route: _Route, called: Collection[int]) -> tuple[Sequence[int], frozenset[int]]:
    """Return the walls of a route that thresholds come from, sorted: those of the faster group if there are two.

    A slower group that makes `called` calls which the faster one does not make has requests of another kind, which are
    not slow for that reason. In that case, also return these calls.
    """
    walls: Sequence[int] = sorted(route.walls)
    while size := _size_of_faster(walls):
        other_calls = _calls_of_slower(route, walls[size], called)
        if other_calls:
            return walls, other_calls
        walls = walls[:size]
    return walls, frozenset()


def _size_of_faster(walls: Sequence[int]) -> int:
    """Return the size of the faster group of sorted walls; 0 if they are one group.

    It is Otsu's cut of the logarithms if Ashman's D is large: the distance between the means in standard deviations.
    """
    size = len(walls)
    logarithms = [log(max(wall, 1)) for wall in walls]
    sums = list(accumulate(logarithms))
    mean = sums[-1] / size
    cut = max(range(1, size), key=lambda lower: (mean * lower - sums[lower - 1]) ** 2 / (lower * (size - lower)))
    if cut < COMPARABLE_REQUESTS or size - cut < ENOUGH_SLOW:
        return 0
    (lower, lower_variance), (upper, upper_variance) = map(_moments, (logarithms[:cut], logarithms[cut:]))
    spread = max(sqrt((lower_variance + upper_variance) / 2), GROUP_SPREAD)
    # One group of few requests is farther apart by chance.
    return cut if upper - lower > (GROUP_DISTANCE + GROUP_DISTANCE_OF_FEW / sqrt(size)) * spread else 0


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the variance."""
    mean = sum(values) / len(values)
    return mean, sum([(value - mean) ** 2 for value in values]) / len(values)


def _calls_of_slower(route: _Route, limit_ns: int, called: Collection[int]) -> frozenset[int]:
    """Return the calls that half of the requests from a limit on wait for, and at most a fifth of the faster ones."""
    slower = {index for index, wall in zip(route.members, route.walls, strict=True) if wall >= limit_ns}
    faster = len(route.members) - len(slower)
    calls = set()
    for number, (times, members) in route.edges.items():
        if number in called:
            are_slower = [index in slower for ns, index in zip(times, members, strict=True) if ns]
            count = sum(are_slower)
            if count >= OTHER_CALLS_SHARE * len(slower) and len(are_slower) - count <= RARE_SHARE * faster:
                calls.add(number)
    return frozenset(calls)


def _outlying(route: _Route, walls: Sequence[int], slow: Collection[int]) -> list[int]:
    limit_ns = max(OUTLYING_TIMES * at_rank(walls, 25), at_rank(walls, 50) + EVEN_NS)
    return [index for index in route.slower_than(limit_ns) if index not in slow]


def _beyond(route: _Route, walls: Sequence[int]) -> list[int]:
    """Return the requests beyond the threshold of the wall clock, or of an edge and a lower one of the wall clock.

    `walls` are those that the thresholds come from, sorted.
    """
    beyond = route.slower_than(_threshold(walls, THRESHOLD_EDGE))
    exceed = set(route.slower_than(_threshold(walls, THRESHOLD_REQUEST)))
    if len(exceed) == len(beyond):
        return beyond
    felt_ns = max(EVEN_NS, int(at_rank(walls, 50) * FELT_SHARE))
    count = len(route.members)
    for times, members in route.edges.values():
        if max(times) < felt_ns or exceed.isdisjoint(members):
            continue
        ordered = sorted(times)
        if len(ordered) < RARE_SHARE * count:
            ordered = [0] * (count - len(ordered)) + ordered
        limit_ns = max(_threshold(ordered, THRESHOLD_EDGE), at_rank(ordered, 50) + felt_ns - 1)
        beyond += [index for ns, index in zip(times, members, strict=True) if ns > limit_ns and index in exceed]
    return beyond


def _typical_and_noise(route: _Route, slow: set[int]) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Return the median time of each edge in the requests that are not slow, and the distance to the 95th percentile.

    If each request is slow, all of them count.
    """
    count = len(route.members) - len(slow)
    if not count:
        count, slow = len(route.members), set()
    typical: defaultdict[int, int] = defaultdict(int)
    noise: defaultdict[int, int] = defaultdict(int)
    for edge, (times, members) in route.edges.items():
        ordered = [ns for ns, index in zip(times, members, strict=True) if index not in slow] if slow else [*times]
        absent = count - len(ordered)
        middle, high = -(-count // 2) - absent, -(-count * NOISE_PERCENT // 100) - absent
        if high > 0:
            ordered.sort()
            median_ns = ordered[middle - 1] if middle > 0 else 0
            noise[edge] = ordered[high - 1] - median_ns
            if middle > 0:
                typical[edge] = median_ns
    return typical, noise


class Scan(NamedTuple):
    """The interval with the most slow requests: pieces from `start` up to, not including, `end`.

    `ratio` is the logarithm of its likelihood ratio against "evenly spread". `inside` of the `slow` slow requests lie
    in it, among `requests` of all requests.
    """

    ratio: float
    start: int
    end: int
    inside: int
    slow: int
    requests: int

    def is_dense(self, all_requests: int) -> bool:
        """Return whether it holds nearly all slow requests, much denser than the requests outside of it."""
        density_outside = (self.slow - self.inside) / max(all_requests - self.requests, 1)
        return (
            self.ratio >= WINDOW_RATIO
            and self.inside >= WINDOW_HOLDS * self.slow
            and self.inside >= WINDOW_DENSITY * density_outside * self.requests
        )

    @property
    def is_short(self) -> bool:
        """Whether it is short enough to be a window."""
        return self.end - self.start <= WINDOW_MOST * PIECES


def densest(positions: Iterable[int], size: int) -> Scan:
    """Find the interval with the most of the slow requests at these positions among so many requests."""
    return scan(_per_piece(positions, size), _per_piece(range(size), size))


def _per_piece(positions: Iterable[int], size: int) -> list[int]:
    counts = Counter(position * PIECES // size for position in positions)
    return [counts[piece] for piece in range(PIECES)]


def scan(slow: Sequence[int], requests: Sequence[int]) -> Scan:
    """Find the interval; `slow` and `requests` have the number of slow and of all requests in each piece."""
    whole, all_slow = sum(requests), sum(slow)
    best = Scan(0.0, 0, 0, 0, all_slow, 0)
    if not whole or not all_slow:
        return best
    evenly_spread = log_likelihood(all_slow, whole)
    for start in range(len(requests)):
        count = inside = 0
        for piece in range(start, len(requests)):
            count += requests[piece]
            inside += slow[piece]
            if 0 < count < whole and inside * (whole - count) > (all_slow - inside) * count:
                outside = log_likelihood(all_slow - inside, whole - count)
                ratio = log_likelihood(inside, count) + outside - evenly_spread
                if ratio > best.ratio:
                    best = Scan(ratio, start, piece + 1, inside, all_slow, count)
    return best


def log_likelihood(count: int, total: int) -> float:
    """Return the logarithm of the likelihood of `count` of `total`, at their own share."""
    remaining = total - count
    logarithm = count * log(count / total) if count else 0.0
    return logarithm + (remaining * log(remaining / total) if remaining else 0.0)
