"""Slow and typical requests, and how each component differs between them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from lambda_latency.latency.analysis.thresholds import DOMINANT_PERCENT, LEAST_OF_ROUTE, SLOW_PERCENT, TYPICAL_PERCENT
from lambda_latency.latency.breakdowns.breakdown import Breakdown
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import UNKNOWN, Component
from lambda_latency.latency.breakdowns.totals import at_rank, percentile


@dataclass(frozen=True, slots=True)
class ComponentDifference:
    """One part: mean times in typical and slow requests, and the number of slow requests with it as largest excess."""

    component: Component
    typical_ns: int
    slow_ns: int
    largest_in_slow: int

    @property
    def difference_ns(self) -> int:
        """The slow mean minus the typical mean; negative if slow requests wait less for the component."""
        return self.slow_ns - self.typical_ns


@dataclass(frozen=True, slots=True)
class SlowRequest:
    """A slow request (without its calls), the part with the largest excess over typical requests, and that excess."""

    breakdown: Breakdown
    component: Component
    excess_ns: int


@dataclass(frozen=True, slots=True)
class TypicalAndSlow:
    """The slow requests (all take over `over_ns`; the slowest first), and how each part differs from typical requests.

    `typical` is the number of typical requests, and `width_ns` the width of their range. `components` are sorted by
    difference, the largest first. `alone` are slow requests of routes with too few requests for a comparison, each with
    its largest component. `border_ns` is `over_ns` if all requests over it are slow or alone;
    where routes have thresholds of their own, no duration divides slow from other requests, and it is None.
    """

    over_ns: int
    slow: tuple[SlowRequest, ...]
    slow_mean_ns: int
    typical: int
    typical_mean_ns: int
    width_ns: int
    components: tuple[ComponentDifference, ...]
    alone: tuple[SlowRequest, ...] = ()
    border_ns: int | None = None

    @property
    def difference_ns(self) -> int:
        """The mean wall clock of slow requests minus that of typical ones."""
        return self.slow_mean_ns - self.typical_mean_ns

    @property
    def has_dominant(self) -> bool:
        """Whether one component explains most of the difference, and is the largest in most slow requests."""
        largest = self.components[0]
        is_frequent = 2 * largest.largest_in_slow > len(self.slow)
        return is_frequent and 0 < DOMINANT_PERCENT * self.difference_ns <= 100 * largest.difference_ns


@dataclass(frozen=True, slots=True)
class _Typical:
    """The typical requests of one route; `sums_ns` is their total time by component."""

    requests: int
    width_ns: int
    mean_ns: Fraction
    sums_ns: Mapping[Component, int]


def typical_and_slow(
    breakdowns: Sequence[Breakdown], slow_ns: int | None = None, slow: Sequence[int] = ()
) -> TypicalAndSlow:
    """Compare the requests over `slow_ns` (default: the 95th percentile) with typical ones of the same route.

    `slow` are the indices of the slow requests if they are known. Requests that timed out are left out: their duration
    is the limit, and the report describes them separately.
    """
    requests = Breakdowns.from_breakdowns(breakdowns)
    ended, walls = requests.ended(), requests.walls_ns
    over_ns = _border([walls[index] for index in ended]) if slow_ns is None else slow_ns
    over, alone = _divided(requests, _over(requests, ended, over_ns))
    if slow:
        over = list(slow)
        over_ns = min(walls[index] for index in slow) - 1 if slow_ns is None else slow_ns
    divides = {*over, *alone}.issuperset(_over(requests, ended, over_ns))
    return replace(
        _compared(requests, ended, over, over_ns),
        alone=tuple(map(_largest_component, _slowest_first(requests, alone))),
        border_ns=over_ns if over and divides else None,
    )


def _over(breakdowns: Breakdowns, ended: Sequence[int], over_ns: int) -> list[int]:
    return [index for index in ended if breakdowns.walls_ns[index] > over_ns]


def _divided(breakdowns: Breakdowns, over: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the requests of routes with enough requests for a comparison, and the others."""
    counts = breakdowns.ended_by_route()
    rare = {number for number, kind in enumerate(breakdowns.kinds) if counts[kind.route] < LEAST_OF_ROUTE}
    comparable = [index for index in over if breakdowns.kind_of[index] not in rare]
    return comparable, [index for index in over if breakdowns.kind_of[index] in rare]


def _compared(breakdowns: Breakdowns, ended: Sequence[int], over: Sequence[int], over_ns: int) -> TypicalAndSlow:
    slow_breakdowns = _slowest_first(breakdowns, over)
    by_route = Counter(breakdown.route for breakdown in slow_breakdowns)
    typical = _typical_of_routes(breakdowns, ended, set(over), by_route)
    slow = tuple(_most_beyond(breakdown, typical[breakdown.route]) for breakdown in slow_breakdowns)
    weights = {route: Fraction(count, len(slow)) for route, count in by_route.items()}
    components = _component_differences(breakdowns.sums_ns(over), slow, typical, weights)
    return TypicalAndSlow(
        over_ns=over_ns,
        slow=slow,
        slow_mean_ns=round(Fraction(sum(breakdown.wall_ns for breakdown in slow_breakdowns), max(len(slow), 1))),
        typical=sum(route.requests for route in typical.values()),
        typical_mean_ns=_weighted(weights, {name: route.mean_ns for name, route in typical.items()}),
        width_ns=_weighted(weights, {name: Fraction(route.width_ns) for name, route in typical.items()}),
        components=components,
    )


def _slowest_first(breakdowns: Breakdowns, indices: Sequence[int]) -> list[Breakdown]:
    made = breakdowns.made(indices, with_calls=False)
    return sorted(made, key=lambda breakdown: (-breakdown.wall_ns, breakdown.trace_id))


def _largest_component(breakdown: Breakdown) -> SlowRequest:
    component, ns = breakdown.components[0] if breakdown.components else (UNKNOWN, 0)
    return SlowRequest(breakdown, component, ns)


def _weighted(weights: Mapping[str, Fraction], by_route: Mapping[str, Fraction]) -> int:
    return round(sum((weights[route] * ns for route, ns in by_route.items()), Fraction()))


def _border(walls: Sequence[int]) -> int:
    """Return the 95th percentile; if no request is above it, as among fewer than 20, the next smaller wall clock.

    Most requests are never above it.
    """
    over = percentile(walls, SLOW_PERCENT)
    if walls and over == max(walls) and 2 * walls.count(over) <= len(walls):
        return max(wall for wall in walls if wall < over)
    return over


def _typical_of_routes(
    breakdowns: Breakdowns, ended: Sequence[int], slow: set[int], routes: Iterable[str]
) -> dict[str, _Typical]:
    by_route = {route: array("I") for route in routes}
    members_of_kind = [by_route.get(kind.route) for kind in breakdowns.kinds]
    for index in ended:
        members = members_of_kind[breakdowns.kind_of[index]]
        if members is not None:
            members.append(index)
    return {route: _typical(breakdowns, members, slow) for route, members in by_route.items()}


def _typical(breakdowns: Breakdowns, members: Sequence[int], slow: set[int]) -> _Typical:
    walls_ns = breakdowns.walls_ns
    walls = sorted([walls_ns[index] for index in members])
    low, high = (at_rank(walls, percent) for percent in TYPICAL_PERCENT)
    inside = array("I", (index for index in members if low <= walls_ns[index] <= high))
    # Slow requests do not count as typical, unless the route is slow as a whole.
    inside = array("I", (index for index in inside if index not in slow)) or inside
    return _Typical(
        requests=len(inside),
        width_ns=2 * (at_rank(walls, 50) - low),
        mean_ns=Fraction(sum(walls_ns[index] for index in inside), len(inside)),
        sums_ns=breakdowns.sums_ns(inside),
    )


def _most_beyond(breakdown: Breakdown, typical: _Typical) -> SlowRequest:
    # Differences are multiplied by the number of requests to stay integers: fractions would take most of the time.
    sum_of, times = typical.sums_ns.get, typical.requests
    negative_excess, component = min(
        [(sum_of(component, 0) - ns * times, component) for component, ns in breakdown.components]
    )
    return SlowRequest(breakdown, component, round(Fraction(-negative_excess, times)))


def _component_differences(
    sums: Mapping[Component, int],
    slow: Sequence[SlowRequest],
    typical: Mapping[str, _Typical],
    weights: Mapping[str, Fraction],
) -> tuple[ComponentDifference, ...]:
    typical_ns: dict[Component, Fraction] = {}
    for name, route in typical.items():
        for component, ns in route.sums_ns.items():
            typical_ns[component] = typical_ns.get(component, Fraction()) + weights[name] * Fraction(ns, route.requests)
    largest = Counter(request.component for request in slow)
    components = [
        ComponentDifference(
            component,
            round(typical_ns.get(component, Fraction())),
            round(Fraction(sums.get(component, 0), len(slow))),
            largest[component],
        )
        for component in {*sums, *typical_ns}
    ]
    return tuple(
        sorted(components, key=lambda compared: (-compared.difference_ns, -compared.slow_ns, compared.component))
    )
