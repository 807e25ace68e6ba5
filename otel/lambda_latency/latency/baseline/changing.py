"""Whether an edge, a route, or a few slow requests changed since the baseline: everywhere, or in a window of time."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.latency.analysis.cause_groups import CauseGroup, Sets, cause_groups, grouped
from lambda_latency.latency.analysis.slowness import PIECES, Scan, scan, slowness
from lambda_latency.latency.analysis.thresholds import (
    ALIKE_EDGES,
    ALIKE_LEAST,
    ALIKE_RATIO,
    ALIKE_SHARE,
    ALIKE_WITHIN,
    BEYOND_NS,
    BEYOND_TIMES,
    COMPARABLE_REQUESTS,
    DOUBLED,
    DOUBLED_LIKELY,
    DOUBLED_OVER,
    DOUBLED_REQUESTS,
    ENOUGH_SLOW,
    EVEN_NS,
    FELT_PERCENT,
    GROWN,
    LIKELY,
    TRUST_PERCENT,
    WINDOW_AGAIN,
    WINDOW_INSIDE,
    WINDOW_RATIO,
    WINDOW_REQUESTS,
    WINDOW_SLOW,
)
from lambda_latency.latency.baseline.exceeding import Deviations, critical, deviations_of, quantile
from lambda_latency.latency.baseline.periods import EdgeWaits, Period, Times, draws_of, wider_by
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank

MOST = 0.95  # quantile of the baseline


class NewGroup(NamedTuple):
    """A cause group that the baseline has none of, or a far smaller one. `requests` are (then, now) of its `routes`.

    `edges` are one edge of its set, whoever calls, and `excess_ns` is the excess in that edge.
    `slow` are those of the group: (then, now); `members` their places now. `window` (epoch nanoseconds), if it is set,
    holds nearly all of them, in the `pieces` of all requests from the first up to, not including, the last. The group
    adds `percent` to the time that its routes take without it. `calls` are those of a request, usually and now, if
    there are several times as many. If it `is_chance`, its number alone proves nothing.
    """

    edges: tuple[Edge, ...]
    routes: tuple[str, ...]
    requests: tuple[int, int]
    slow: tuple[int, int]
    excess_ns: int
    excess_call_ns: int
    percent: float
    calls: tuple[int, int] | None
    window: tuple[int, int] | None
    pieces: tuple[int, int] | None
    members: frozenset[int]
    is_chance: bool

    @property
    def has_grown(self) -> bool:
        """Whether several times as large a share of the requests is in the group as in the baseline."""
        old, new = (slow / max(requests, 1) for slow, requests in zip(self.slow, self.requests, strict=True))
        return new >= GROWN * old


def new_groups(old: Period, new: Period) -> tuple[NewGroup, ...]:
    """Return the groups that are new or have grown, with `TRUST_PERCENT` % trust in all that are not `is_chance`."""
    groups = cause_groups(new.breakdowns).groups
    if not groups:
        return ()
    old_sets = grouped(old.breakdowns, slowness(old.breakdowns))[0]
    chance = (100 - TRUST_PERCENT) / 100 / len(groups)
    places = [(group, place) for group in groups for place in range(len(group.edges))]
    waiting = [_waiting_for(old, old_sets, group, place) for group, place in places]
    tested = [_new_group(old, new, *of, requests, chance) for of, requests in zip(places, waiting, strict=True)]
    return tuple(group for group in tested if group.has_grown and _is_longer(old, new, group))


def _is_longer(old: Period, new: Period, group: NewGroup) -> bool:
    """Whether its requests wait longer than nearly all old ones. More requests that wait as long are no slower ones."""
    old_times: defaultdict[str, list[int]] = defaultdict(list)
    for ns, route in _times(old, group).values():
        old_times[route].append(ns)
    limits = {route: BEYOND_TIMES * quantile(sorted(times), MOST) + BEYOND_NS for route, times in old_times.items()}
    new_times = _times(new, group)
    longer = [ns > limits.get(route, 0) for place, (ns, route) in new_times.items() if place in group.members]
    return 2 * sum(longer) > len(longer)


def _times(period: Period, group: NewGroup) -> dict[int, tuple[int, str]]:
    """The time and the route of each request of the cause group's routes that waits for its edge."""
    times: dict[int, tuple[int, str]] = {}
    for edge in group.edges:
        waits = period.waits(edge)
        for place, ns, route in zip(waits.places, waits.ns, waits.routes, strict=True):
            if ns and route in group.routes:
                times[place] = (times.get(place, (0, route))[0] + ns, route)
    return times


def _waiting_for(old: Period, old_sets: Sets, group: CauseGroup, place: int) -> list[int]:
    """Return the slow requests of the baseline that wait for the edge at this place of a cause group."""
    edges, (edge, _) = enumerate(old.breakdowns.edges), group.edges[place]
    numbers = {number for number, old_edge in edges if old_edge.merged == edge.merged}
    return [member.request for s, members in old_sets.items() if not numbers.isdisjoint(s) for member in members]


def _new_group(
    old: Period, new: Period, group: CauseGroup, place: int, old_requests: Sequence[int], chance: float
) -> NewGroup:
    """The edge of a cause group at this place; so many requests are new ones by this chance at most, or `is_chance`.

    `old_requests` are the slow ones of the baseline that wait for this edge.
    """
    edge, excess_ns = group.edges[place]
    excess_call_ns, calls = excess_ns, None
    if not place:
        excess_call_ns, calls = group.excess_call_ns, group.calls if group.makes_more_calls else None
    old_whole, new_whole = old.edges[None], new.edges[None]
    old_slow = [request for request in old_requests if old_whole.routes[request] in group.routes]
    requests = _count(old_whole, group.routes), _count(new_whole, group.routes)
    walls_ns = sum(ns for ns, route in zip(new_whole.ns, new_whole.routes, strict=True) if route in group.routes)
    added_ns = group.excess_ns * len(group.members)
    slow = (len(old_slow), len(group.members))
    # Requests of one moment count once, as they may have one reason; a window of time is reported as such.
    moments = (_moments(old_slow, old.breakdowns), _moments(group.members, new.breakdowns))
    return NewGroup(
        edges=tuple(waited for waited in filter(None, new.edges) if waited.merged == edge.merged),
        routes=group.routes,
        requests=requests,
        slow=slow,
        excess_ns=excess_ns,
        excess_call_ns=excess_call_ns,
        percent=100 * added_ns / max(walls_ns - added_ns, 1),
        calls=calls,
        window=group.window,
        pieces=_pieces_of(group, new),
        members=frozenset(group.members),
        is_chance=_chance(slow if group.window is not None else moments, requests[1] / max(sum(requests), 1)) > chance,
    )


def _count(waits: EdgeWaits, routes: Iterable[str]) -> int:
    counts = Counter(waits.routes)
    return sum(counts[route] for route in routes)


def _pieces_of(group: CauseGroup, new: Period) -> tuple[int, int] | None:
    """The pieces of all requests with the members of a cause group in its window of time."""
    if group.window is None:
        return None
    begin_ns, end_ns = group.window
    starts = new.breakdowns.starts_ns
    pieces = [place * PIECES // len(new) for place in group.members if begin_ns <= starts[place] <= end_ns]
    return (min(pieces), max(pieces) + 1) if pieces else None


def _moments(members: Iterable[int], breakdowns: Breakdowns) -> int:
    return len({place * PIECES // len(breakdowns) for place in members})


def _chance(counts: tuple[int, int], share: float) -> float:
    """The chance that so many of all these are new ones, or more, if `share` of the requests are."""
    total = sum(counts)
    if counts[1] < ENOUGH_SLOW / 2:
        return 1.0
    odds, whole = log(share) - log(1 - share), total * log(1 - share) + lgamma(total + 1)
    counted = range(counts[1], total + 1)
    logarithms = [whole + count * odds - lgamma(count + 1) - lgamma(total - count + 1) for count in counted]
    return sum([exp(logarithm) for logarithm in logarithms])


# Requests with an edge in both periods; fewer are not measured
LEAST = 3
# Quantile of the baseline that the slow requests of a window of time exceed
SLOW = 0.95
TAIL = 0.9
How: TypeAlias = Literal["typical", "tail"]


@dataclass(frozen=True, slots=True)
class EdgeTest:
    """The test of an edge. `excess_ns` is the mean a call now beyond that of its route in the baseline;
    the p90 or the median, if these are longer and the mean is not, as where the baseline has a few very long calls.

    `deviations` is the strongest test in standard deviations; it may be likely slower without being surely so.
    `is_sure`: the difference is tested. Otherwise a slower edge is so only in its `window` (epoch nanoseconds), which
    are the `pieces` of all requests from the first up to, not including, the last. `new_group` are slow requests of the
    edge that the baseline does not have, or has far fewer of.
    """

    kind: Literal["slower", "faster", "same"]
    how: How
    excess_ns: float
    deviations: float = 0.0
    is_sure: bool = False
    window: tuple[int, int] | None = None
    pieces: tuple[int, int] | None = None
    new_group: NewGroup | None = None


SAME = EdgeTest("same", "typical", 0.0)


def _compared_waits(old: Period, new: Period, edge: Edge | None) -> EdgeWaits:
    """The waits for an edge in the baseline; of one that it hardly has: no time in the requests that ran its caller.

    Over all requests of the route, a changed mix would look slow.
    """
    waits = old.waits(edge)
    if edge is None or len(waits) >= LEAST or len(new.edges.get(edge, ())) < COMPARABLE_REQUESTS:
        return waits
    routes = {*new.edges[edge].routes}
    idle = {place: route for place, route in _running(old, edge.caller) if route in routes}
    if len(idle) < COMPARABLE_REQUESTS:
        return waits
    return EdgeWaits.from_rows((place, 0, 0, route) for place, route in sorted(idle.items()))


def _running(period: Period, service: str) -> Iterator[tuple[int, str]]:
    """Yield the place and the route of each request that runs a service."""
    for edge, waits in period.edges.items():
        if edge is not None and edge.is_own and edge.caller == service:
            yield from zip(waits.places, waits.routes, strict=True)


def edge_test(old: Period, new: Period, edge: Edge | None, need: float, route: str | None = None) -> EdgeTest:
    """Test the waits for an edge in the baseline and now, or those of one route; `need` is the critical value."""
    baseline_waits, new_waits = old.waits(edge), new.waits(edge)
    old_waits = _compared_waits(old, new, edge)
    if route is not None:
        baseline_waits, old_waits = baseline_waits.of_route(route), old_waits.of_route(route)
        new_waits = new_waits.of_route(route)
    if min(len(old_waits), len(new_waits)) < LEAST:
        return SAME
    return _tested(old, new, baseline_waits, old_waits, new_waits, need)


def _tested(
    old: Period, new: Period, baseline_waits: EdgeWaits, old_waits: EdgeWaits, new_waits: EdgeWaits, need: float
) -> EdgeTest:
    """Test new waits against old ones; `baseline_waits` are those of the old ones that were measured."""
    deviations = deviations_of(old, new, old_waits, new_waits)
    excess = _excess(baseline_waits or old_waits, new_waits)
    # One call or two in the baseline have no tail
    largest = excess.typical if 0 < len(baseline_waits) < LEAST else max(excess)
    felt = _least_felt(old, new_waits)
    if deviations.strongest >= need and largest >= felt:
        return EdgeTest("slower", _how(deviations, need), excess.mean_or(largest), deviations.strongest, is_sure=True)
    # Whether the baseline is slower than the requests now
    back = deviations_of(new, old, new_waits, old_waits) if excess.is_shorter(felt) else None
    if back is not None and back.strongest >= need:
        return EdgeTest("faster", _how(back, need), excess.mean, -back.strongest, is_sure=True)
    if max(excess.mean, excess.tail) >= felt and (pieces := window_of(old, new, old_waits, new_waits)) is not None:
        longer, window = excess.mean_or(excess.tail), _window(new, pieces)
        return EdgeTest("slower", "tail", longer, deviations.strongest, window=window, pieces=pieces)
    return EdgeTest("same", _how(deviations, need), excess.mean, deviations.strongest)


def _how(deviations: Deviations, need: float) -> How:
    return "typical" if deviations.typical >= need else "tail"


def _window(new: Period, pieces: tuple[int, int]) -> tuple[int, int]:
    """The starts of the first and the last request in these pieces, in nanoseconds since 1970."""
    starts = [ns for place, ns in enumerate(new.breakdowns.starts_ns) if _is_in(pieces, place, len(new))]
    return starts[0], starts[-1]


class _Excess(NamedTuple):
    """The mean, the median and the p90 of the times a call beyond the mean of their route in the baseline."""

    mean: float
    typical: float
    tail: float

    def is_shorter(self, felt_ns: float) -> bool:
        """Whether it is felt; nothing is faster that takes more time on average."""
        return self.mean < 0 and min(self) <= -felt_ns

    def mean_or(self, longer: float) -> float:
        return self.mean if self.mean > 0 else longer


def _excess(old_waits: EdgeWaits, new_waits: EdgeWaits) -> _Excess:
    by_route = old_waits.by_route()
    means = {route: sum(times) / len(times) for route, times in by_route.items() if len(times) >= LEAST}
    pooled = sum(old_waits.call_ns) / len(old_waits)
    old, new = _beyond_means(old_waits, means, pooled), _beyond_means(new_waits, means, pooled)
    typical, tail = quantile(new, 0.5) - quantile(old, 0.5), quantile(new, TAIL) - quantile(old, TAIL)
    return _Excess(sum(new) / len(new), typical, tail)


def _beyond_means(waits: EdgeWaits, means: Mapping[str, float], pooled: float) -> list[float]:
    times = zip(waits.routes, waits.call_ns, strict=True)
    return sorted([ns - means.get(route, pooled) for route, ns in times])


def _least_felt(old: Period, new_waits: EdgeWaits) -> float:
    """The least difference that counts: on the routes of an edge, a share of a typical request."""
    walls: defaultdict[str, list[int]] = defaultdict(list)
    whole = old.edges[None]
    for route, ns in zip(whole.routes, whole.ns, strict=True):
        walls[route].append(ns)
    counts = Counter(new_waits.routes)
    total = sum([at_rank(sorted(walls[route]), 50) * count for route, count in counts.items()])
    return min(EVEN_NS, total / len(new_waits) * FELT_PERCENT / 100)


def window_of(old: Period, new: Period, old_waits: EdgeWaits, new_waits: EdgeWaits) -> tuple[int, int] | None:
    """Return the pieces in which the exceedances over the baseline's p95 lie, if the baseline has no such interval."""
    if min(len(old_waits), len(new_waits)) < COMPARABLE_REQUESTS:
        return None
    limits = {route: quantile(sorted(times), SLOW) for route, times in old_waits.by_route().items()}
    old_scan, best = _scanned(old, old_waits, limits), _scanned(new, new_waits, limits)
    is_window = (
        best.ratio >= max(WINDOW_RATIO, WINDOW_AGAIN * old_scan.ratio)
        and best.inside >= max(WINDOW_REQUESTS, WINDOW_INSIDE * best.slow)
        and best.inside >= WINDOW_SLOW * best.requests
        and best.is_short
    )
    return (best.start, best.end) if is_window else None


def _scanned(period: Period, waits: EdgeWaits, limits: Mapping[str, int]) -> Scan:
    requests, slow = [0] * PIECES, [0] * PIECES
    for place, ns, route in waits.listed():
        if route in limits:
            piece = place * PIECES // len(period)
            requests[piece] += 1
            slow[piece] += ns > limits[route]
    return scan(slow, requests)


def _is_in(pieces: tuple[int, int], place: int, size: int) -> bool:
    return pieces[0] <= place * PIECES // size < pieces[1]


def slowed_alike(old: Period, new: Period, top: Edge, tests: Mapping[Edge, EdgeTest]) -> bool:
    """Whether most edges, of most services, slowed by a like factor as `top`: a loaded machine.

    Only edges that are likely slower count as slowed. The factor is that of the medians, or of p90 if the tail changed.
    """
    share = 0.5 if tests[top].how == "typical" else TAIL
    ratios: dict[Edge, float] = {}
    for edge, new_waits in new.edges.items():
        if edge is None or edge not in old.edges:
            continue
        old_times, new_times = sorted(old.edges[edge].call_ns), sorted(new_waits.call_ns)
        if min(len(old_times), len(new_times)) >= ALIKE_LEAST and quantile(old_times, share) > 0:
            ratios[edge] = log(max(quantile(new_times, share), 1) / quantile(old_times, share))
    likely = {edge for edge, test in tests.items() if test.deviations >= LIKELY}
    return _is_machine(_Ratios(ratios, ratios.get(top, 0), top), likely, old, ALIKE_SHARE)


def alike_within(new: Period, top: Edge | None, pieces: tuple[int, int]) -> bool:
    """Whether most edges slowed in a window of time by a like factor as `top` (None: the whole request): a loaded
    machine."""
    ratios: dict[Edge, float] = {}
    rise = 0.0
    for edge, waits in new.edges.items():
        factors = _factors(waits, pieces, len(new))
        if len(factors) >= ALIKE_LEAST:
            if edge == top:
                rise = median(factors)
            if edge is not None:
                ratios[edge] = median(factors)
    return _is_machine(_Ratios(ratios, rise, top), ratios.keys(), new, ALIKE_WITHIN)


def _factors(waits: EdgeWaits, pieces: tuple[int, int], size: int) -> list[float]:
    """The factor (logarithm) of each request in a window of time over the median of its route outside of the window."""
    inside: list[tuple[str, int]] = []
    outside: defaultdict[str, list[int]] = defaultdict(list)
    for place, ns, route in waits.listed():
        if ns and _is_in(pieces, place, size):
            inside.append((route, ns))
        elif ns:
            outside[route].append(ns)
    medians = {route: median(times) for route, times in outside.items() if len(times) >= LEAST}
    return [log(ns / medians[route]) for route, ns in inside if route in medians]


class _Ratios(NamedTuple):
    """By which factor (logarithm) each edge slowed, and the suspect `top` (None: the whole request)."""

    by_edge: Mapping[Edge, float]
    of_top: float
    top: Edge | None


def _is_machine(ratios: _Ratios, likely: Collection[Edge], period: Period, share: float) -> bool:
    """Whether this share of the other edges' time, at most services, slowed by a like factor as the suspect.

    The suspect itself is left out: a component with most of the time would always be like most of the time.
    """
    edges = ratios.by_edge.keys()
    if len(edges) < LEAST or ratios.of_top <= ALIKE_RATIO / 4:
        return False
    alike = {edge for edge in likely if ratios.by_edge.get(edge, 0) >= ALIKE_RATIO * ratios.of_top}
    if len({edge.caller for edge in edges}) == 1:
        # Less memory slows all of the only service's own work: that its callees slowed alike must show, too.
        services, slower = {edge.service for edge in edges}, {edge.service for edge in alike}
        return len(alike) >= share * len(edges) and len(slower) >= max(3, ALIKE_SHARE * len(services))
    times_ns = {edge: sum(period.waits(edge).ns) for edge in edges}
    alike_ns, all_ns = (sum([times_ns[edge] for edge in of - {ratios.top}]) for of in (alike, edges))
    return alike_ns >= share * all_ns and len(alike) >= ALIKE_EDGES * len(edges) and _are_of_most(alike, times_ns)


def _are_of_most(alike: Iterable[Edge], times_ns: Mapping[Edge, int]) -> bool:
    """Whether these edges are of three services at least (or of all), which have most of the time."""
    callers, slower = {edge.caller for edge in times_ns}, {edge.caller for edge in alike}
    of_slower = sum([ns for edge, ns in times_ns.items() if edge.caller in slower])
    return len(slower) >= min(3, len(callers)) and of_slower >= ALIKE_SHARE * sum(times_ns.values())


PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class RouteChange:
    """A route before and now: the median and the p95 of its wall clocks, in nanoseconds.

    `percent` is the change of the median or (`how`) of the tail, `low` and `high` are its bounds. `is_sure`: it is
    tested; `in_window`: the route is slower in an interval, and an edge of it is tested. `is_doubled`: the p95 has at
    least doubled, in several requests. `edge` has the largest increase a request, `edge_ns`.
    """

    route: str
    p50_ns: tuple[int, int]
    p95_ns: tuple[int, int]
    how: How
    percent: float
    low: float
    high: float
    is_sure: bool
    in_window: bool
    is_doubled: bool
    edge: Edge | None
    edge_ns: int

    @property
    def is_slower(self) -> bool:
        """Whether requests became slower: surely, or in an interval."""
        return self.percent > 0 and (self.is_sure or self.in_window)


def route_changes(old: Period, new: Period, routes: Sequence[str], slower: Sequence[Edge]) -> tuple[RouteChange, ...]:
    """Return the changes of these routes, the largest increase first. `slower` are the edges that are tested to be."""
    need = critical(len(routes))
    tested = {route for edge in slower for route in new.edges[edge].routes}
    changes = [_route_change(old, new, route, need, len(routes), may_be_in_window=route in tested) for route in routes]
    return tuple(sorted(changes, key=lambda change: (not change.is_sure, -change.percent, change.route)))


def _route_change(
    old: Period, new: Period, route: str, need: float, estimates: int, *, may_be_in_window: bool
) -> RouteChange:
    old_waits, new_waits = old.edges[None].of_route(route), new.edges[None].of_route(route)
    old_walls, new_walls = sorted(old_waits.ns), sorted(new_waits.ns)
    deviations = deviations_of(old, new, old_waits, new_waits)
    back = deviations_of(new, old, new_waits, old_waits)
    p50_ns = (at_rank(old_walls, 50), at_rank(new_walls, 50))
    p95_ns = (at_rank(old_walls, PERCENTILE), at_rank(new_walls, PERCENTILE))
    ratios = {50: p50_ns[1] / max(p50_ns[0], 1), PERCENTILE: p95_ns[1] / max(p95_ns[0], 1)}
    is_typical = max(deviations.typical, back.typical) >= need
    rose_most = back.strongest > deviations.strongest or ratios[50] >= ratios[PERCENTILE]
    percent = 50 if is_typical and rose_most else PERCENTILE
    low, high = _bounds(route, Times.in_order(old_waits.ns), Times.in_order(new_waits.ns), percent, estimates)
    edge, edge_ns = _most_grown(old, new, route, typical=percent == 50)
    return RouteChange(
        route=route,
        p50_ns=p50_ns,
        p95_ns=p95_ns,
        how="typical" if percent == 50 else "tail",
        percent=round(100 * (ratios[percent] - 1), 3),  # all outputs round the same number
        low=low,
        high=high,
        is_sure=max(deviations.strongest, back.strongest) >= need,
        # Bursts of a busy machine make windows of slow requests in which no edge stands out.
        in_window=may_be_in_window and window_of(old, new, old_waits, new_waits) is not None,
        is_doubled=ratios[PERCENTILE] >= DOUBLED and _is_doubled(old_walls, new_walls, deviations),
        edge=edge,
        edge_ns=edge_ns,
    )


def _is_doubled(old_walls: Sequence[int], new_walls: Sequence[int], deviations: Deviations) -> bool:
    """Whether several sorted wall clocks are far beyond the old p95, and no requests of one moment."""
    slow = DOUBLED_OVER * at_rank(old_walls, PERCENTILE)
    if sum(ns > slow for ns in new_walls) < DOUBLED_REQUESTS:
        return False
    # Requests of one moment are no proof, but if all of them are slower than any before, they are a difference.
    slowest = max(slow, old_walls[-1])
    return deviations.strongest >= DOUBLED_LIKELY or sum(ns > slowest for ns in new_walls) >= DOUBLED_REQUESTS


def _bounds(route: str, old: Times, new: Times, percent: int, estimates: int) -> tuple[float, float]:
    """The bounds of a percentile's ratio in percent."""
    draw = random.Random(f"route {route}")  # noqa: S311 - a repeatable seed, not a secret
    pairs = zip(draws_of(old, percent, draw), draws_of(new, percent, draw), strict=True)
    ratios = sorted([100 * (new_ns / max(old_ns, 1) - 1) for old_ns, new_ns in pairs])
    return wider_by(ratios, estimates)


def _most_grown(old: Period, new: Period, route: str, *, typical: bool) -> tuple[Edge | None, int]:
    """The edge with the largest increase a request of the route, of the median or of the mean, and that increase."""
    old_times, new_times = _by_edge(old, route, typical=typical), _by_edge(new, route, typical=typical)
    increases = {edge: ns - old_times.get(edge, 0) for edge, ns in new_times.items()}
    largest = max(increases, key=lambda edge: (increases[edge], edge), default=None)
    if largest is None or increases[largest] <= 0:
        return _most_grown(old, new, route, typical=False) if typical else (None, 0)
    return largest, increases[largest]


def _by_edge(period: Period, route: str, *, typical: bool) -> dict[Edge, int]:
    """The median or the mean time of each edge in a request of the route, in nanoseconds."""
    count = period.edges[None].routes.count(route)
    by_edge: dict[Edge, int] = {}
    for edge, waits in period.edges.items():
        times = [ns for name, ns in zip(waits.routes, waits.ns, strict=True) if name == route and ns]
        if edge is not None and times:
            by_edge[edge] = at_rank(sorted([0] * (count - len(times)) + times), 50) if typical else sum(times) // count
    return by_edge
