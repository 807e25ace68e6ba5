"""Comparison with a baseline: one answer, its causes, the edges that became slower or faster, and rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

from lambda_latency.latency.analysis.thresholds import (
    ALIKE_LEAST,
    ALIKE_SHARE,
    COMPARABLE_REQUESTS,
    LIKELY,
    ROUTE_DEVIATIONS,
    ROUTE_PERCENT,
    TRUST_PERCENT,
)
from lambda_latency.latency.baseline.call_graphs import CallChange, CallGraphChanges, call_graph_changes
from lambda_latency.latency.baseline.causes import Cause, causes
from lambda_latency.latency.baseline.decision import NO_SLOWDOWN, UNCOMPARED, Answer, Decision, Measure, Slowdown
from lambda_latency.latency.baseline.edge_tests import EdgeTest, edge_test
from lambda_latency.latency.baseline.exceeding import critical
from lambda_latency.latency.baseline.machine import alike_within, slowed_alike
from lambda_latency.latency.baseline.new_groups import NewGroup, new_groups
from lambda_latency.latency.baseline.periods import (
    ChangeEstimate,
    EdgeWaits,
    Period,
    Times,
    WeightedTimes,
    blocks_of,
    of_means,
    of_medians,
)
from lambda_latency.latency.baseline.routes import RouteChange, route_changes
from lambda_latency.latency.breakdowns.breakdown import Breakdown, Kind
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Component, Edge
from lambda_latency.latency.breakdowns.totals import at_rank

RATES: Mapping[str, Callable[[Kind], bool]] = {
    "errors": lambda kind: kind.error and not kind.timed_out,
    "cold starts": lambda kind: kind.cold_start,
    "timeouts": lambda kind: kind.timed_out,
}


class Rate(NamedTuple):
    """Requests of one kind, as (count, all), before and now. `low` and `high` bound the difference of the shares."""

    name: str
    old: tuple[int, int]
    new: tuple[int, int]
    low: float
    high: float

    @property
    def difference(self) -> float:
        """The share now minus the share before."""
        return self.new[0] / self.new[1] - self.old[0] / self.old[1]

    @property
    def stands(self) -> bool:
        """Whether the difference is real, not noise."""
        return self.low > 0 or self.high < 0


def rates(old: Breakdowns, new: Breakdowns) -> tuple[Rate, ...]:
    """Return the rates of errors, cold starts and timeouts, with joint bounds; empty if a period has no requests."""
    if not old or not new:
        return ()
    old_counts, new_counts = Counter(old.kind_of), Counter(new.kind_of)
    result: list[Rate] = []
    for name, is_counted in RATES.items():
        old_rate = (sum(old_counts[number] for kind, number in old.kinds.items() if is_counted(kind)), len(old))
        new_rate = (sum(new_counts[number] for kind, number in new.kinds.items() if is_counted(kind)), len(new))
        result.append(Rate(name, old_rate, new_rate, *_bounds(old_rate, new_rate)))
    return tuple(result)


def _bounds(old: tuple[int, int], new: tuple[int, int]) -> tuple[float, float]:
    """The bounds of the difference of two shares (Newcombe), joint for all rates."""
    z = NormalDist().inv_cdf(1 - (1 - TRUST_PERCENT / 100) / len(RATES) / 2)
    p, p_low, p_high = _wilson(*old, z)
    q, q_low, q_high = _wilson(*new, z)
    low = q - p - sqrt((q - q_low) ** 2 + (p_high - p) ** 2)
    high = q - p + sqrt((q_high - q) ** 2 + (p - p_low) ** 2)
    return low, high


def _wilson(count: int, size: int, z: float) -> tuple[float, float, float]:
    share = count / size
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return share, max(0.0, middle - half), min(1.0, middle + half)


PERCENTILES = (50, 95, 99)
NO_SHAPES = CallGraphChanges()
Conclusion: TypeAlias = "tuple[Answer, tuple[Cause, ...], tuple[int, int] | None]"


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """An edge (None: the whole request) before and now, as measured and as tested.

    `typical` compares medians of the requests that waited for the edge; it is None if too few did. `mean` compares
    means of all requests, including those that did not wait for the edge: the means of all edges add up. `waited` is
    the number of requests that waited for the edge or, by another kind of edge, for the same callee; `requests` that of
    all compared requests, each as (before, now).
    """

    edge: Edge | None
    typical: ChangeEstimate | None
    mean: ChangeEstimate
    waited: tuple[int, int]
    requests: tuple[int, int]
    tested: EdgeTest

    @property
    def component(self) -> Component | None:
        """The component of the edge."""
        return self.edge.component if self.edge is not None else None

    @property
    def by_typical(self) -> bool:
        """Whether the typical request changed, not only the tail."""
        if self.tested.kind == "same" or self.tested.how != "typical" or self.typical is None:
            return False
        return self.typical.low_ns > 0 if self.tested.kind == "slower" else self.typical.high_ns < 0

    @property
    def difference(self) -> ChangeEstimate | None:
        """The measured difference that shows the change; None if there is no change."""
        if self.tested.kind == "same":
            return None
        return self.typical if self.by_typical else self.mean

    @property
    def is_waited_for_otherwise(self) -> bool:
        """Whether a larger or smaller share of the requests waits for the edge than before, beyond chance."""
        old, new = zip(self.waited, self.requests, strict=True)
        low, high = _bounds(old, new)
        return low > 0 or high < 0


@dataclass(frozen=True, slots=True)
class Against:
    """A comparison with a baseline. `edges` are all edges of the compared routes, the largest change first.

    `decision` is the only one: text, JSON and gate are made from it. `call_graphs` has the changed call graphs.
    `causes` are ranked; for the answers `same` and `unsure` they are candidates.

    `routes` are the compared routes: those with enough requests in both periods; `by_route` has the change of each.
    `left_out` are the others. `whole` is None if no route is compared. `requests` counts the requests that did not time
    out, `timeouts` those that did, each as (before, now). `rates` and `percentiles` cover all requests; `percentiles`
    are `(percent, before_ns, now_ns)` of the wall clock.
    """

    sources: tuple[str, ...]
    requests: tuple[int, int]
    timeouts: tuple[int, int]
    routes: tuple[str, ...]
    left_out: tuple[str, ...]
    whole: EdgeChange | None
    edges: tuple[EdgeChange, ...]
    rates: tuple[Rate, ...] = ()
    percentiles: tuple[tuple[int, int, int], ...] = ()
    decision: Decision = UNCOMPARED
    causes: tuple[Cause, ...] = ()
    by_route: tuple[RouteChange, ...] = ()
    call_graphs: CallGraphChanges = NO_SHAPES

    @property
    def answer(self) -> Answer:
        """The answer of the decision."""
        return self.decision.answer

    @property
    def changed(self) -> tuple[EdgeChange, ...]:
        """The edges that changed as the answer says: its first cause first."""
        kind = "slower" if self.answer == "disturbed" else self.answer
        changes = [change for change in self.edges if change.tested.kind == kind != "same"]
        blamed = self.causes[0].edges if self.causes and kind == "slower" else ()
        return tuple(sorted(changes, key=lambda change: (change.edge not in blamed, -abs(change.tested.excess_ns))))

    @property
    def how(self) -> str:
        """Whether the `typical` request or the `tail` changed; empty if nothing did."""
        if self.answer not in ("slower", "faster") or self.whole is None:
            return ""
        return (self.changed[0] if self.changed else self.whole).tested.how


def against(
    requests: Iterable[Breakdown], baseline_requests: Iterable[Breakdown], sources: Sequence[str] = ()
) -> Against:
    """Compare requests with a baseline, route by route; `sources` are the names of the baseline's files.

    A changed mix of routes is not a difference.
    """
    baseline, current = Breakdowns.from_breakdowns(baseline_requests), Breakdowns.from_breakdowns(requests)
    old_counts, new_counts = baseline.ended_by_route(), current.ended_by_route()
    old_walls, new_walls = sorted(baseline.walls_ns), sorted(current.walls_ns)
    all_routes = sorted({*old_counts, *new_counts})
    routes = [name for name in all_routes if min(old_counts[name], new_counts[name]) >= COMPARABLE_REQUESTS]
    compared = Against(
        sources=tuple(sources),
        requests=(old_counts.total(), new_counts.total()),
        timeouts=(len(baseline.timed_out()), len(current.timed_out())),
        routes=tuple(routes),
        left_out=tuple(name for name in all_routes if name not in routes),
        whole=None,
        edges=(),
        rates=rates(baseline, current),
        percentiles=tuple((rank, at_rank(old_walls, rank), at_rank(new_walls, rank)) for rank in PERCENTILES),
    )
    if not routes:
        return compared
    old, new = Period(baseline, routes), Period(current, routes)
    tests = _tests(old, new)
    whole, *edges = _measured(old, new, tests)
    comparison = _Comparison(old, new, tests, routes)
    answer, ranked, window = comparison.answer()
    compared = replace(
        compared,
        whole=whole,
        edges=tuple(sorted(edges, key=_most_first)),
        decision=Decision(answer, window=window),
        causes=ranked,
        by_route=comparison.by_route,
        call_graphs=comparison.reshaped,
    )
    return replace(compared, decision=_decision(compared, old, new))


def _decision(compared: Against, old: Period, new: Period) -> Decision:
    """Complete the decision of a comparison, which has its answer and its window."""
    decision, causes = compared.decision, compared.causes
    if decision.is_undecided:
        return decision
    slowdown = _largest([*_by_route(compared), *_by_edge(compared, old, new)])
    is_cause = decision.answer in ("slower", "shape") and bool(causes) and causes[0].asserted
    decision = replace(
        decision, slowdown=slowdown, edge=causes[0].edges[0] if is_cause else slowdown.edge, is_cause=is_cause
    )
    if decision.answer in ("shape", "faster"):
        return replace(decision, doubled=next((change.route for change in compared.by_route if change.is_doubled), ""))
    return _with_groups(decision, compared.changed) if decision.answer == "slower" else decision


def _with_groups(decision: Decision, changed: Sequence[EdgeChange]) -> Decision:
    groups = [change.tested.new_group for change in changed if change.tested.new_group is not None]
    return replace(
        decision,
        group=_group_of(changed[0]) if changed else None,
        slower=frozenset(change.edge.merged for change in changed if change.edge is not None),
        grown=frozenset(edge.merged for group in groups if group.slow[0] for edge in group.edges),
    )


def _group_of(change: EdgeChange) -> NewGroup | None:
    """Return the new slow requests that show a change, unless the typical request that waits shows it without them."""
    group = change.tested.new_group
    return group if group is not None and (not change.by_typical or 2 * group.slow[1] > change.waited[1]) else None


def _largest(slowdowns: Sequence[Slowdown]) -> Slowdown:
    """Return the measure that rose most, a tail only if no mean and no route did; if none rose, what fell most."""
    rose = [slowdown for slowdown in slowdowns if slowdown.percent > 0]
    reported = [slowdown for slowdown in rose if slowdown.measure == "route" or slowdown.how is None]
    largest = max(reported or rose or slowdowns, key=lambda slowdown: abs(slowdown.percent), default=NO_SLOWDOWN)
    return largest._replace(percent=round(largest.percent, 3))  # all outputs round the same number


def _by_route(compared: Against) -> Iterator[Slowdown]:
    """Yield the routes that are surely slower or faster."""
    for change in compared.by_route:
        if change.is_slower or change.is_sure:
            yield Slowdown(change.percent, "route", (change.route,), change.how, change.edge)


def _by_edge(compared: Against, old: Period, new: Period) -> Iterator[Slowdown]:
    """Yield the means of all requests, of routes with new slow requests, and of requests that wait for a slower edge.

    Only if requests are slower: else a mean may differ by chance.
    """
    if compared.answer != "slower" or compared.whole is None:
        return
    by_route = old.edges[None].by_route()
    slower_routes = {change.route for change in compared.by_route if change.is_slower}
    for change in (compared.whole, *compared.changed):
        group, requests = change.tested.new_group, Counter(new.waits(change.edge).routes)
        if group is not None:
            yield Slowdown(group.percent, "group", group.routes, edge=change.edge)
        if requests and change.waited[1]:
            usual_ns = _mean_ns(by_route, requests)
            yield _of_waiting(change, len(new), usual_ns, tuple(sorted(slower_routes & requests.keys() or requests)))


def _mean_ns(walls_ns: Mapping[str, Sequence[int]], requests: Counter[str]) -> float:
    """The mean of these wall clocks in so many requests of each route."""
    means = {route: sum(walls_ns[route]) / len(walls_ns[route]) for route in requests}
    return sum(means[route] * count for route, count in requests.items()) / requests.total()


def _of_waiting(change: EdgeChange, requests: int, usual_ns: float, routes: tuple[str, ...]) -> Slowdown:
    """By how much the requests that wait for an edge are slower, which usually take so long."""
    measure: Measure = "mean" if change.edge is None else "waiting"
    added_ns = change.mean.difference_ns * requests / change.waited[1]
    if added_ns > 0:
        return Slowdown(100 * added_ns / max(usual_ns, 1), measure, routes, None, change.edge)
    # The baseline had a few very long requests
    return Slowdown(100 * change.tested.excess_ns / max(usual_ns, 1), measure, routes, "tail", change.edge)


def _tests(old: Period, new: Period) -> dict[Edge | None, EdgeTest]:
    """The tests of the whole request and of all edges."""
    edges: list[Edge | None] = [None, *sorted(filter(None, {*old.edges, *new.edges}))]
    need = critical(len(edges))
    tests = {edge: edge_test(old, new, edge, need) for edge in edges}
    for group in new_groups(old, new):
        added_ns = group.excess_call_ns * (group.slow[1] - group.slow[0])
        for edge in group.edges:
            test = tests[edge]
            if test.kind == "slower":
                tests[edge] = replace(test, new_group=group)
            elif not group.is_chance:
                # On its other routes, or in the median, it may be the same
                tests[edge] = replace(
                    test,
                    kind="slower",
                    how="tail",
                    excess_ns=max(test.excess_ns, added_ns / len(new.edges[edge])),
                    is_sure=group.window is None,
                    window=group.window,
                    pieces=group.pieces,
                    new_group=group,
                )
    return tests


class _Comparison:
    """The tests of the requests of two periods, and the answer that follows from them."""

    def __init__(self, old: Period, new: Period, tests: Mapping[Edge | None, EdgeTest], routes: Sequence[str]) -> None:
        self._old, self._new = old, new
        self._whole = tests[None]
        self._is_sure = self._whole.kind == "slower" and self._whole.is_sure
        self._tests = {edge: test for edge, test in tests.items() if edge is not None}
        self._slower = [edge for edge, test in self._tests.items() if test.kind == "slower"]
        self._likely = {*self._slower, *_likely(self._tests)}
        self._ranked = _ranked(self._tests, self._likely, new)
        self.by_route, self.reshaped = route_changes(old, new, routes, self._slower), call_graph_changes(old, new)

    def answer(self) -> Conclusion:
        """Return the first answer that holds, its causes, and the interval in which requests are slower."""
        conclusion = self._slower_edges() if self._slower else self._slower_routes()
        return conclusion or self._changed_call_graph() or self._faster_or_unsure()

    def _slower_edges(self) -> Conclusion:
        sure = [edge for edge in self._slower if self._tests[edge].is_sure]
        blamed = self._ranked[0].edges if self._ranked else ()
        top = next((edge for edge in blamed if edge in self._slower), self._slower[0])
        test = self._tests[top]
        if sure or test.pieces is None:
            is_machine = slowed_alike(self._old, self._new, top, self._tests)
        else:
            is_machine = alike_within(self._new, top, test.pieces)
        if is_machine:
            return "disturbed", self._ranked, None
        return "slower", self._by_calls(self._slower, self._ranked), test.window if not sure else None

    def _slower_routes(self) -> Conclusion | None:
        """The answer if no edge is slower, but the whole request or a route is."""
        slower = [change for change in self.by_route if change.is_slower]
        if (slower or self._is_sure) and _is_machine_drift(self._new, self._likely):
            return "disturbed", self._ranked, None
        route = next((change.route for change in slower if change.percent >= ROUTE_PERCENT), None)
        if route is not None:
            return self._slower_because_of(self._causes_on(route))
        return self._slower_because_of(self._ranked) if self._is_sure else self._slower_window()

    def _slower_because_of(self, ranked: tuple[Cause, ...]) -> Conclusion:
        certain = [cause.edges[0] for cause in ranked if cause.asserted]
        return "slower", self._by_calls(certain, ranked), None

    def _slower_window(self) -> Conclusion | None:
        pieces = self._whole.pieces
        is_machine = pieces is not None and alike_within(self._new, None, pieces)
        return ("disturbed", self._ranked, None) if is_machine else None

    def _changed_call_graph(self) -> Conclusion | None:
        services = self.reshaped.services
        further = [cause for cause in self._ranked if cause.service not in services]
        return ("shape", (*map(_reshaped, services), *further), None) if services else None

    def _faster_or_unsure(self) -> Conclusion:
        if "faster" in {self._whole.kind, *(test.kind for test in self._tests.values())}:
            return "faster", self._ranked, None
        if self._whole.kind == "slower" or any(change.is_doubled for change in self.by_route):
            return "unsure", self._ranked, None
        candidates = [_reshaped(service, asserted=False) for service in self.reshaped.candidates]
        return "same", (*candidates, *self._ranked), None

    def _causes_on(self, route: str) -> tuple[Cause, ...]:
        """The causes on a route that is surely slower: fewer deviations make an edge sure than among all edges."""
        edges = [edge for edge, waits in self._new.edges.items() if edge is not None and route in waits.routes]
        tests = {edge: edge_test(self._old, self._new, edge, ROUTE_DEVIATIONS, route) for edge in edges}
        return _ranked(tests, _likely(tests), self._new)

    def _by_calls(self, slower: Iterable[Edge], ranked: tuple[Cause, ...]) -> tuple[Cause, ...]:
        """Prepend the callers whose further calls add more to a request than any slower edge does."""
        waits = [(self._old.waits(edge), self._new.waits(edge)) for edge in slower]
        added_ns = [sum(new.ns) / len(self._new) - sum(old.ns) / len(self._old) for old, new in waits]
        most_ns = max(added_ns, default=0.0)
        more = [change for change in self.reshaped.calls if change.kind in ("more", "new")]
        edges: dict[str, Edge] = {}
        for change in more:
            if self._added_by_calls_ns(change) > most_ns:
                edges.setdefault(change.edge.caller, change.edge)
        return (*[_reshaped(caller, edge) for caller, edge in edges.items()], *ranked)

    def _added_by_calls_ns(self, change: CallChange) -> float:
        """How much longer a request waits because of its further calls, if each took as long as in the baseline."""
        period = self._old if change.edge in self._old.edges else self._new
        waits = period.waits(change.edge)
        return (change.mean[1] - change.mean[0]) * sum(waits.call_ns) / max(len(waits), 1)


def _likely(tests: Mapping[Edge, EdgeTest]) -> set[Edge]:
    return {edge for edge, test in tests.items() if test.deviations >= LIKELY}


def _ranked(tests: Mapping[Edge, EdgeTest], likely: Collection[Edge], new: Period) -> tuple[Cause, ...]:
    slower = [edge for edge, test in tests.items() if test.kind == "slower"]
    return causes({edge: test.excess_ns for edge, test in tests.items()}, slower, likely, new.operations())


def _reshaped(service: str, call: Edge | None = None, *, asserted: bool = True) -> Cause:
    edge = call or Edge(service, Component("own code", service))
    return Cause(service, "shape", 0.0, (edge,), asserted=asserted)


def _is_machine_drift(new: Period, likely: Collection[Edge]) -> bool:
    """Whether no edge is surely slower, but most of several services' edges are likely so: a drift of the machine."""
    edges = [edge for edge, waits in new.edges.items() if edge is not None and waits.waiting >= ALIKE_LEAST]
    callers = {edge.caller for edge in edges}
    return len(callers) > 1 and len(edges) >= 3 and len(likely) >= ALIKE_SHARE * len(edges)


def _measured(old: Period, new: Period, tests: Mapping[Edge | None, EdgeTest]) -> list[EdgeChange]:
    """The whole request and the edges with their estimates."""
    requests = Counter([*old.edges[None].routes, *new.edges[None].routes])
    weights = {route: Fraction(count, requests.total()) for route, count in requests.items()}
    all_strata = {edge: _strata(edge, old, new, weights) for edge in tests}
    strata = {edge: of_edge for edge, of_edge in all_strata.items() if of_edge}
    estimates = len(tests) + len(strata)
    typical = {edge: of_medians(f"typical {_key(edge)}", of_edge, estimates) for edge, of_edge in strata.items()}
    old_blocks, new_blocks = blocks_of(old, [*tests], weights), blocks_of(new, [*tests], weights)
    changes: list[EdgeChange] = []
    for edge, test in tests.items():
        mean = of_means(f"mean {_key(edge)}", old_blocks[edge], new_blocks[edge], estimates)
        waited = (old.waiting(edge), new.waiting(edge))
        changes.append(EdgeChange(edge, typical.get(edge), mean, waited, (len(old), len(new)), test))
    return changes


def _key(edge: Edge | None) -> str:
    return edge.label if edge is not None else "the whole request"


def _strata(edge: Edge | None, old: Period, new: Period, routes: Iterable[str]) -> list[WeightedTimes]:
    """The routes with enough requests in both periods that waited for the edge."""
    old_times, new_times = (_times(period.waits(edge)) for period in (old, new))
    strata: list[WeightedTimes] = []
    for route in routes:
        old_ns, new_ns = old_times.get(route, []), new_times.get(route, [])
        if min(len(old_ns), len(new_ns)) >= COMPARABLE_REQUESTS:
            strata.append(WeightedTimes(len(old_ns) + len(new_ns), Times.in_order(old_ns), Times.in_order(new_ns)))
    return strata


def _times(waits: EdgeWaits) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {}
    for route, ns in zip(waits.routes, waits.ns, strict=True):
        if ns:
            times.setdefault(route, []).append(ns)
    return times


def _most_first(change: EdgeChange) -> tuple[bool, int, str]:
    return change.difference is None, -abs(change.mean.difference_ns), _key(change.edge)
