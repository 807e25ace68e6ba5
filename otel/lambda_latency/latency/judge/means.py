"""Means of cells over all requests of a side, weighted by route, with what each block of requests adds to them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from lambda_latency.latency.judge.bootstrap import BLOCKS, Blocks
from lambda_latency.latency.judge.sides import Entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.accounts.cell import Cell
    from lambda_latency.latency.judge.sides import Side

__all__ = ["blocks_of"]


def blocks_of(side: Side, cells: Sequence[Cell | None], weights: Mapping[str, Fraction]) -> dict[Cell | None, Blocks]:
    """The means of cells, weighted by route. The weights add up to 1."""
    requests = dict.fromkeys(weights, 0)
    counts = [dict.fromkeys(weights, 0) for _ in range(BLOCKS)]
    for place, route in enumerate(side.cells[None].routes):
        requests[route] += 1
        counts[side.block(place)][route] += 1
    each = {route: weight / requests[route] for route, weight in weights.items()}
    shares = {route: float(share) for route, share in each.items()}
    found: dict[Cell | None, Blocks] = {}
    for cell in cells:
        entries = side.cells.get(cell, Entries())
        sums, beyond = dict.fromkeys(weights, 0), [0.0] * BLOCKS
        for place, ns, route in zip(entries.places, entries.ns, entries.routes, strict=True):
            sums[route] += ns
            beyond[side.block(place)] += shares[route] * ns
        usual = {route: shares[route] * sums[route] / requests[route] for route in weights}
        for block, seen in enumerate(counts):
            beyond[block] -= sum(usual[route] * count for route, count in seen.items())
        found[cell] = Blocks(sum((each[route] * sums[route] for route in weights), Fraction()), beyond)
    return found
