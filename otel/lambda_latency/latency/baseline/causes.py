"""Causes of a difference, and candidates without a baseline.

An edge belongs to its callee, or to its caller if most of its edges slowed alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.latency.analysis.thresholds import (
    CALLER_EDGES,
    CALLER_LIKE,
    CALLER_SHARE,
    EVEN_NS,
    OPERATIONS_POWER,
    TYPICAL_PERCENT,
)
from lambda_latency.latency.analysis.typical_and_slow import TypicalAndSlow
from lambda_latency.latency.baseline.periods import Period
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge

MOST_SUSPECTS = 3
# Slow requests, and typical ones of each route, that are compared
MOST = 1_000
WITHIN = ("retries", "connect", "pool")  # categories of the same calls as another edge
# The edges of a slow caller count together as one and a half of their mean
CALLER_WEIGHT = 1.5
Origin: TypeAlias = Literal["own code", "callee", "caller", "shape"]


class Cause(NamedTuple):
    """A service that became slower: by its own code, as a callee, or as a caller whose calls slowed alike.

    Of the origin `shape`: a service that calls others than before; it need not be slower.

    `edges` are the evidence, the largest first; `score_ns` is their excess a call, of own code less if a service runs
    many operations. `asserted`: one of the edges is sure.
    """

    service: str
    origin: Origin
    score_ns: float
    edges: tuple[Edge, ...]
    asserted: bool


def causes(
    excess: Mapping[Edge, float], sure: Sequence[Edge], likely: Collection[Edge], operations: Mapping[str, float]
) -> tuple[Cause, ...]:
    """Return the causes of the excess (nanoseconds a call) of all edges: those with a sure edge first, then by size.

    Only calls that are `likely` slower count as slowed alike. `operations`: how many each service runs in a request.
    """
    calls: defaultdict[str, list[float]] = defaultdict(list)
    for edge, ns in excess.items():
        if not edge.is_own and edge.component.category not in WITHIN:
            calls[edge.caller].append(ns if edge in likely else 0.0)
    evidence_of: defaultdict[str, list[tuple[float, Origin, Edge]]] = defaultdict(list)
    for edge, ns in excess.items():
        if ns > 0:
            service, score, origin = _blamed(edge, ns, calls[edge.caller], operations)
            evidence_of[service].append((score, origin, edge))
    sure_set = set(sure)
    ranked = []
    for service, evidence in evidence_of.items():
        evidence.sort(key=lambda piece: (-piece[0], piece[2]))
        edges = tuple(edge for _, _, edge in evidence)
        score = sum([score for score, _, _ in evidence])
        ranked.append(Cause(service, evidence[0][1], score, edges, not sure_set.isdisjoint(edges)))
    return tuple(sorted(ranked, key=lambda cause: (not cause.asserted, -cause.score_ns, cause.service)))


def _blamed(
    edge: Edge, ns: float, calls: Sequence[float], operations: Mapping[str, float]
) -> tuple[str, float, Origin]:
    """The service, the score and the origin of an edge; `calls` has the excess of each call of its caller."""
    if edge.component.category == "own code":
        # An edge is one call, own code all operations of a service: the slow one has all of the excess, or a share.
        return edge.caller, ns / max(operations.get(edge.caller, 1.0), 1.0) ** OPERATIONS_POWER, "own code"
    if edge.is_own:
        return edge.caller, ns, "own code"
    alike = sum([call_ns > CALLER_LIKE * ns for call_ns in calls])
    if len(calls) >= CALLER_EDGES and alike >= CALLER_SHARE * len(calls):
        return edge.caller, ns * CALLER_WEIGHT / len(calls), "caller"
    return edge.component.name, ns, "callee"


def suspects(breakdowns: Breakdowns, compared: TypicalAndSlow) -> tuple[Cause, ...]:
    """Return the services that slow requests wait longer for, a call, than typical ones of the same route, if felt."""
    slow = {request.breakdown.trace_id for request in compared.slow[:MOST]}
    routes = {request.breakdown.route for request in compared.slow[:MOST]}
    period = Period(breakdowns.take(_slow_and_typical(breakdowns, slow, routes)), routes)
    excess = _excess(period, [period.breakdowns.trace_id(place) in slow for place in range(len(period))])
    # In place of operations, for which the spans of all requests would have outlines: in rank they differ little
    callees = Counter([edge.caller for edge in excess if not edge.is_own])
    ranked = causes(excess, (), {edge for edge, ns in excess.items() if ns > 0}, callees)
    return tuple(cause for cause in ranked[:MOST_SUSPECTS] if cause.score_ns >= EVEN_NS)


def _slow_and_typical(breakdowns: Breakdowns, slow: Collection[str], routes: Collection[str]) -> list[int]:
    """The requests with these trace ids, and some typical ones of each route, by index."""
    kinds, walls_ns, starts_ns = list(breakdowns.kinds), breakdowns.walls_ns, breakdowns.starts_ns
    members: dict[str, list[int]] = {route: [] for route in routes}
    for index in breakdowns.ended():
        members.get(kinds[breakdowns.kind_of[index]].route, []).append(index)
    chosen: list[int] = []
    for indices in members.values():
        ordered = sorted(indices, key=lambda index: (walls_ns[index], starts_ns[index], breakdowns.trace_id(index)))
        chosen += [index for index in indices if breakdowns.trace_id(index) in slow]
        low, high = (len(ordered) * percent // 100 for percent in TYPICAL_PERCENT)
        typical = [index for index in ordered[low:high] if breakdowns.trace_id(index) not in slow]
        chosen += typical[:: len(typical) // MOST + 1]
    return chosen


def _excess(period: Period, is_slow: Sequence[bool]) -> dict[Edge, float]:
    """The mean time a call, by edge, that slow requests wait beyond the others of their route, in nanoseconds."""
    excess: dict[Edge, float] = {}
    for edge, waits in period.edges.items():
        typical: defaultdict[str, list[int]] = defaultdict(list)
        slow: list[tuple[str, int]] = []
        for place, ns, route in waits.listed():
            if is_slow[place]:
                slow.append((route, ns))
            else:
                typical[route].append(ns)
        if edge is not None and slow:
            means = {route: sum(times) / len(times) for route, times in typical.items()}
            excess[edge] = sum([ns - means.get(route, 0.0) for route, ns in slow]) / len(slow)
    return excess
