"""The change of each route against a baseline, in percent with its bounds: what a gate compares with a percentage."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.baseline.bootstrap import Times, draws_of, wider_by
from lambda_latency.latency.baseline.changing import stretch_of
from lambda_latency.latency.baseline.exceeding import critical, exceeding
from lambda_latency.latency.judge.thresholds import DOUBLED, DOUBLED_LIKELY, DOUBLED_OVER, DOUBLED_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.baseline.sides import Side

TAIL = 95


@dataclass(frozen=True, slots=True)
class RouteChange:
    """A route before and now: the median and the p95 of its wall clocks, in nanoseconds.

    `percent` is the change of the median or (`how`) of the tail, `low` and `high` are its bounds. `is_sure`: it is
    tested; `in_stretch`: the route is slower in an interval, and a cell of it is tested. `is_doubled`: the p95 has at
    least doubled, in several requests. `cell` has the largest increase a request, `cell_ns`.
    """

    route: str
    p50_ns: tuple[int, int]
    p95_ns: tuple[int, int]
    how: Literal["typical", "tail"]
    percent: float
    low: float
    high: float
    is_sure: bool
    in_stretch: bool
    is_doubled: bool
    cell: Cell | None
    cell_ns: int

    @property
    def is_slower(self) -> bool:
        """Whether requests became slower: surely, or in an interval."""
        return self.percent > 0 and (self.is_sure or self.in_stretch)


def route_changes(old: Side, new: Side, routes: Sequence[str], slower: Sequence[Cell]) -> tuple[RouteChange, ...]:
    """The changes of these routes, the largest increase first. `slower` are the cells that are tested to be slower."""
    need = critical(len(routes))
    tested = {route for cell in slower for route in new.cells[cell].routes}
    found = [_change(old, new, route, need, len(routes), may_stretch=route in tested) for route in routes]
    return tuple(sorted(found, key=lambda one: (not one.is_sure, -one.percent, one.route)))


def _change(old: Side, new: Side, route: str, need: float, asked: int, *, may_stretch: bool) -> RouteChange:
    then, now = (side.cells[None].of_route(route) for side in (old, new))
    before, later = sorted(then.ns), sorted(now.ns)
    tested, back = exceeding(old, new, then, now), exceeding(new, old, now, then)
    typical = max(tested.typical, back.typical) >= need
    ratios = {percent: at_rank(later, percent) / max(at_rank(before, percent), 1) for percent in (50, TAIL)}
    percent = 50 if typical and (back.strongest > tested.strongest or ratios[50] >= ratios[TAIL]) else TAIL
    low, high = _bounds(route, Times.of(then.ns), Times.of(now.ns), percent, asked)
    slow = DOUBLED_OVER * at_rank(before, TAIL)
    cell, cell_ns = _most(old, new, route, typical=percent == 50)
    return RouteChange(
        route=route,
        p50_ns=(at_rank(before, 50), at_rank(later, 50)),
        p95_ns=(at_rank(before, TAIL), at_rank(later, TAIL)),
        how="typical" if percent == 50 else "tail",
        percent=100 * (ratios[percent] - 1),
        low=low,
        high=high,
        is_sure=max(tested.strongest, back.strongest) >= need,
        # Bursts of a busy machine make stretches of whole requests, in which no cell stands out.
        in_stretch=may_stretch and stretch_of(old, new, then, now) is not None,
        is_doubled=ratios[TAIL] >= DOUBLED
        and sum(ns > slow for ns in later) >= DOUBLED_REQUESTS
        # Requests of one moment are no proof, but if all of them are slower than any before, they are a difference.
        and (tested.strongest >= DOUBLED_LIKELY or sum(ns > max(slow, before[-1]) for ns in later) >= DOUBLED_REQUESTS),
        cell=cell,
        cell_ns=cell_ns,
    )


def _bounds(route: str, before: Times, now: Times, percent: int, asked: int) -> tuple[float, float]:
    """The bounds of a percentile's ratio in percent."""
    draw = random.Random(f"route {route}")  # noqa: S311 - a repeatable seed, not a secret
    pairs = zip(draws_of(before, percent, draw), draws_of(now, percent, draw), strict=True)
    ratios = sorted([100 * (later / max(then, 1) - 1) for then, later in pairs])
    return wider_by(ratios, asked)


def _most(old: Side, new: Side, route: str, *, typical: bool) -> tuple[Cell | None, int]:
    """The cell with the largest increase a request of the route, of the median or of the mean, and that increase."""
    before, now = (_by_cell(side, route, typical=typical) for side in (old, new))
    more = {cell: ns - before.get(cell, 0) for cell, ns in now.items()}
    cell = max(more, key=lambda one: (more[one], one), default=None)
    if cell is None or more[cell] <= 0:
        return _most(old, new, route, typical=False) if typical else (None, 0)
    return cell, more[cell]


def _by_cell(side: Side, route: str, *, typical: bool) -> dict[Cell, int]:
    """The median or the mean time of each cell in a request of the route, in nanoseconds."""
    count = sum(1 for one in side.cells[None].routes if one == route)
    found: dict[Cell, int] = {}
    for cell, entries in side.cells.items():
        times = [ns for its, ns in zip(entries.routes, entries.ns, strict=True) if its == route and ns]
        if cell is not None and times:
            found[cell] = at_rank(sorted([0] * (count - len(times)) + times), 50) if typical else sum(times) // count
    return found
