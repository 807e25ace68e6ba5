"""Causes of a difference, and candidates without a baseline.

An edge belongs to its callee, or to its caller if most of its edges slowed alike.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lambda_latency.latency.baseline.sides import Side
from lambda_latency.latency.judge.thresholds import (
    CALLER_EDGES,
    CALLER_LIKE,
    CALLER_SHARE,
    EVEN_NS,
    OPERATIONS_POWER,
    TYPICAL_PERCENT,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.judge.cohorts import Cohorts

MOST_SUSPECTS = 3
MOST = 1_000  # slow requests, and typical ones of each route, that are compared
WITHIN = ("retries", "connect", "pool")  # buckets of the same calls as another edge
CALLER_WEIGHT = 1.5  # the edges of a slow caller count together as one and a half of their mean
Origin: TypeAlias = Literal["own code", "callee", "caller", "shape"]


class Cause(NamedTuple):
    """A service that became slower: by its own code, as a callee, or as a caller whose calls slowed alike.

    Of the origin `shape`: a service that calls others than before; it need not be slower.

    `cells` are the evidence, the largest first; `score_ns` is their excess a call, of own code less if a service runs
    many operations. `asserted`: one of the cells is sure.
    """

    service: str
    origin: Origin
    score_ns: float
    cells: tuple[Cell, ...]
    asserted: bool


def causes(
    excess: Mapping[Cell, float], sure: Sequence[Cell], likely: Collection[Cell], operations: Mapping[str, float]
) -> tuple[Cause, ...]:
    """The causes of the excess (nanoseconds a call) of all cells, those with a sure cell first, the largest first.

    Only edges that are `likely` slower count as slowed alike. `operations`: how many each service runs in a request.
    """
    edges: defaultdict[str, list[float]] = defaultdict(list)
    for cell, ns in excess.items():
        if not cell.is_own and cell.part.bucket not in WITHIN:
            edges[cell.caller].append(ns if cell in likely else 0.0)
    found: defaultdict[str, list[tuple[float, Origin, Cell]]] = defaultdict(list)
    for cell, ns in excess.items():
        if ns > 0:
            service, score, origin = _blamed(cell, ns, edges[cell.caller], operations)
            found[service].append((score, origin, cell))
    certain = set(sure)
    ranked = []
    for service, evidence in found.items():
        evidence.sort(key=lambda one: (-one[0], one[2]))
        cells = tuple(cell for _, _, cell in evidence)
        score = sum([score for score, _, _ in evidence])
        ranked.append(Cause(service, evidence[0][1], score, cells, not certain.isdisjoint(cells)))
    return tuple(sorted(ranked, key=lambda one: (not one.asserted, -one.score_ns, one.service)))


def _blamed(
    cell: Cell, ns: float, edges: Sequence[float], operations: Mapping[str, float]
) -> tuple[str, float, Origin]:
    if cell.part.bucket == "own code":
        # An edge is one call, own code all operations of a service: the slow one has all of the excess, or a share.
        return cell.caller, ns / max(operations.get(cell.caller, 1.0), 1.0) ** OPERATIONS_POWER, "own code"
    if cell.is_own:
        return cell.caller, ns, "own code"
    alike = sum([other > CALLER_LIKE * ns for other in edges])
    if len(edges) >= CALLER_EDGES and alike >= CALLER_SHARE * len(edges):
        return cell.caller, ns * CALLER_WEIGHT / len(edges), "caller"
    return cell.part.name, ns, "callee"


def suspects(every: Accounts, compared: Cohorts) -> tuple[Cause, ...]:
    """The services for whose cells slow requests wait longer, a call, than typical ones of the same route, if felt."""
    slow = {one.account.trace_id for one in compared.slow[:MOST]}
    routes = {one.account.route for one in compared.slow[:MOST]}
    kinds = list(every.kinds)
    members: dict[str, list[int]] = {route: [] for route in routes}
    for at in every.ended():
        members.get(kinds[every.kind_of[at]].route, []).append(at)
    chosen: list[int] = []
    for its in members.values():
        ordered = sorted(its, key=lambda at: (every.walls_ns[at], every.starts_ns[at]))
        chosen += [at for at in its if every.trace_id(at) in slow]
        low, high = (len(ordered) * percent // 100 for percent in TYPICAL_PERCENT)
        typical = [at for at in ordered[low:high] if every.trace_id(at) not in slow]
        chosen += typical[:: len(typical) // MOST + 1]
    side = Side(every.take(chosen), routes)
    is_slow = [side.accounts.trace_id(place) in slow for place in range(len(side))]
    excess: dict[Cell, float] = {}
    for cell, entries in side.cells.items():
        usual: defaultdict[str, list[int]] = defaultdict(list)
        longer: list[tuple[str, int]] = []
        for place, ns, route in entries.listed():
            if is_slow[place]:
                longer.append((route, ns))
            else:
                usual[route].append(ns)
        if cell is not None and longer:
            means = {route: sum(each) / len(each) for route, each in usual.items()}
            excess[cell] = sum([ns - means.get(route, 0.0) for route, ns in longer]) / len(longer)
    ranked = causes(excess, (), {cell for cell, ns in excess.items() if ns > 0}, side.operations())
    return tuple(one for one in ranked[:MOST_SUSPECTS] if one.score_ns >= EVEN_NS)
