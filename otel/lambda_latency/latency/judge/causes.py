"""Causes of a difference: an edge belongs to its callee, or to its caller if most of its edges slowed alike."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lambda_latency.latency.judge.thresholds import CALLER_EDGES, CALLER_LIKE, CALLER_SHARE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lambda_latency.latency.accounts.part import Cell

__all__ = ["Cause", "Origin", "causes"]

WITHIN = ("retries", "connect", "pool")  # buckets of the same calls as another edge
CALLER_WEIGHT = 1.5  # the edges of a slow caller count together as one and a half of their mean
Origin: TypeAlias = Literal["own code", "callee", "caller", "shape"]


class Cause(NamedTuple):
    """A service that became slower: by its own code, as a callee, or as a caller whose calls slowed alike.

    Of the origin `shape`: a service that calls others than before; it need not be slower.

    `cells` are the evidence, the largest first; `score_ns` is their excess a call. `asserted`: one of them is sure.
    """

    service: str
    origin: Origin
    score_ns: float
    cells: tuple[Cell, ...]
    asserted: bool


def causes(excess: Mapping[Cell, float], sure: Sequence[Cell], likely: Collection[Cell]) -> tuple[Cause, ...]:
    """The causes of the excess (nanoseconds a call) of all cells, those with a sure cell first, the largest first.

    Only edges that are `likely` slower count as slowed alike.
    """
    edges: defaultdict[str, list[float]] = defaultdict(list)
    for cell, ns in excess.items():
        if not cell.is_own and cell.part.bucket not in WITHIN:
            edges[cell.caller].append(ns if cell in likely else 0.0)
    found: defaultdict[str, list[tuple[float, Origin, Cell]]] = defaultdict(list)
    for cell, ns in excess.items():
        if ns > 0:
            service, score, origin = _blamed(cell, ns, edges[cell.caller])
            found[service].append((score, origin, cell))
    certain = set(sure)
    ranked = []
    for service, evidence in found.items():
        evidence.sort(key=lambda one: (-one[0], one[2]))
        cells = tuple(cell for _, _, cell in evidence)
        score = sum([score for score, _, _ in evidence])
        ranked.append(Cause(service, evidence[0][1], score, cells, not certain.isdisjoint(cells)))
    return tuple(sorted(ranked, key=lambda one: (not one.asserted, -one.score_ns, one.service)))


def _blamed(cell: Cell, ns: float, edges: Sequence[float]) -> tuple[str, float, Origin]:
    if cell.is_own:
        return cell.caller, ns, "own code"
    alike = sum([other > CALLER_LIKE * ns for other in edges])
    if len(edges) >= CALLER_EDGES and alike >= CALLER_SHARE * len(edges):
        return cell.caller, ns * CALLER_WEIGHT / len(edges), "caller"
    return cell.part.name, ns, "callee"
