"""Whether the waits for an edge became longer or shorter since the baseline: everywhere, or in a window of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.latency.analysis.slowness import PIECES, Scan, scan
from lambda_latency.latency.analysis.thresholds import (
    COMPARABLE_REQUESTS,
    EVEN_NS,
    FELT_PERCENT,
    WINDOW_AGAIN,
    WINDOW_INSIDE,
    WINDOW_RATIO,
    WINDOW_REQUESTS,
    WINDOW_SLOW,
)
from lambda_latency.latency.baseline.exceeding import Deviations, deviations_of, quantile
from lambda_latency.latency.baseline.new_groups import NewGroup
from lambda_latency.latency.baseline.periods import EdgeWaits, Period
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank

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
    starts = [ns for place, ns in enumerate(new.breakdowns.starts_ns) if is_in(pieces, place, len(new))]
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


def is_in(pieces: tuple[int, int], place: int, size: int) -> bool:
    return pieces[0] <= place * PIECES // size < pieces[1]
