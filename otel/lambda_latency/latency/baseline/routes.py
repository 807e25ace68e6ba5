"""Whether a route became slower: its median and p95, their bounds, and the edge that grew most."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from lambda_latency.latency.analysis.thresholds import DOUBLED, DOUBLED_LIKELY, DOUBLED_OVER, DOUBLED_REQUESTS
from lambda_latency.latency.baseline.edge_tests import How, window_of
from lambda_latency.latency.baseline.exceeding import Deviations, critical, deviations_of
from lambda_latency.latency.baseline.periods import Period, Times, draws_of, wider_by
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank

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
