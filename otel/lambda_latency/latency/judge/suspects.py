"""Candidates of a report whose slow requests make no class: ranked as causes are, and not blamed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lambda_latency.latency.judge.causes import Cause, causes
from lambda_latency.latency.judge.sides import Side
from lambda_latency.latency.judge.thresholds import EVEN_NS, TYPICAL_PERCENT

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.judge.cohorts import Cohorts

__all__ = ["suspects"]

MOST_SUSPECTS = 3
MOST = 1_000  # slow requests, and typical ones of each route, that are compared


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
    ranked = causes(excess, (), {cell for cell, ns in excess.items() if ns > 0})
    return tuple(one for one in ranked[:MOST_SUSPECTS] if one.score_ns >= EVEN_NS)
