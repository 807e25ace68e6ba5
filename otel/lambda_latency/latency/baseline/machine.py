"""Whether nearly all parts slowed alike: a loaded machine, not a part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log
from statistics import median
from typing import NamedTuple

from lambda_latency.latency.analysis.thresholds import (
    ALIKE_EDGES,
    ALIKE_LEAST,
    ALIKE_RATIO,
    ALIKE_SHARE,
    ALIKE_WITHIN,
    LIKELY,
)
from lambda_latency.latency.baseline.edge_tests import LEAST, TAIL, EdgeTest, is_in
from lambda_latency.latency.baseline.exceeding import Row, quantile
from lambda_latency.latency.baseline.periods import Period
from lambda_latency.latency.breakdowns.component import Edge


def slowed_alike(old: Period, new: Period, top: Edge, tests: Mapping[Edge, EdgeTest]) -> bool:
    """Whether most edges, of most services, slowed by a like factor as `top`: a loaded machine.

    Only edges that are likely slower count as slowed. The factor is that of the medians, or of p90 if the tail changed.
    """
    share = 0.5 if tests[top].how == "typical" else TAIL
    ratios: dict[Edge, float] = {}
    for edge, new_waits in new.edges.items():
        if edge is None or edge not in old.edges:
            continue
        typical_ns = _typical_ns(old.edges[edge].by_route())
        old_factors, new_factors = (_factors(waits.listed(), typical_ns) for waits in (old.edges[edge], new_waits))
        if min(len(old_factors), len(new_factors)) >= ALIKE_LEAST:
            ratios[edge] = quantile(sorted(new_factors), share) - quantile(sorted(old_factors), share)
    likely = {edge for edge, test in tests.items() if test.deviations >= LIKELY}
    return _is_machine(_Ratios(ratios, ratios.get(top, 0), top), likely, old, ALIKE_SHARE)


def alike_within(new: Period, top: Edge | None, pieces: tuple[int, int]) -> bool:
    """Whether most edges slowed in a window of time by a like factor as `top` (None: the whole request): a loaded
    machine."""
    ratios: dict[Edge, float] = {}
    rise = 0.0
    for edge, waits in new.edges.items():
        outside: defaultdict[str, list[int]] = defaultdict(list)
        inside: list[Row] = []
        for place, ns, route in waits.listed():
            if is_in(pieces, place, len(new)):
                inside.append((place, ns, route))
            elif ns:
                outside[route].append(ns)
        factors = _factors(inside, _typical_ns(outside))
        if len(factors) >= ALIKE_LEAST:
            if edge == top:
                rise = median(factors)
            if edge is not None:
                ratios[edge] = median(factors)
    return _is_machine(_Ratios(ratios, rise, top), ratios.keys(), new, ALIKE_WITHIN)


def _typical_ns(by_route: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """The median time of each route with enough requests, if it takes any."""
    medians = {route: median(times) for route, times in by_route.items() if len(times) >= LEAST}
    return {route: ns for route, ns in medians.items() if ns}


def _factors(rows: Iterable[Row], typical_ns: Mapping[str, float]) -> list[float]:
    """The factor (logarithm) of each time over the typical one of its route: a changed mix of routes is no factor."""
    return [log(ns / typical_ns[route]) for _, ns, route in rows if ns and route in typical_ns]


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
