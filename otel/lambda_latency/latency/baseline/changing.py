"""Whether one cell became slower or faster than in the baseline: everywhere, or in an interval of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import log
from statistics import median
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.baseline.exceeding import exceeding, quantile
from lambda_latency.latency.baseline.sides import Entries
from lambda_latency.latency.judge.slowness import PIECES, scan
from lambda_latency.latency.judge.thresholds import (
    ALIKE_LEAST,
    ALIKE_RATIO,
    ALIKE_SHARE,
    ALIKE_WITHIN,
    COMPARABLE_REQUESTS,
    EVEN_NS,
    FELT_PERCENT,
    LIKELY,
    STRETCH_AGAIN,
    STRETCH_INSIDE,
    STRETCH_MOST,
    STRETCH_RATIO,
    STRETCH_REQUESTS,
    STRETCH_SLOW,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.baseline.sides import Side
    from lambda_latency.latency.baseline.slow import Fresh

LEAST = 3  # requests with a cell on both sides; fewer are not measured
SLOW = 0.95  # quantile of the baseline that the slow requests of a stretch exceed
TAIL = 0.9
Kind: TypeAlias = Literal["slower", "faster", "same"]


@dataclass(frozen=True, slots=True)
class Changed:
    """The test of a cell. `excess_ns` is the mean a call now beyond that of its route in the baseline;
    the p90 or the median, if these are longer and the mean is not, as where the baseline has a few very long calls.

    `deviations` is the strongest test in standard deviations; it may be likely slower without being surely so.
    `is_sure`: the difference is tested. Otherwise a slower cell is so only in its `stretch` (epoch nanoseconds), which
    are the `pieces` of all requests from the first up to, not including, the last. `fresh` are slow requests of the
    cell that the baseline does not have, if they alone tell the change.
    """

    kind: Kind
    how: Literal["typical", "tail"]
    excess_ns: float
    deviations: float = 0.0
    is_sure: bool = False
    stretch: tuple[int, int] | None = None
    pieces: tuple[int, int] | None = None
    fresh: Fresh | None = None


SAME = Changed("same", "typical", 0.0)


def _tested_with(old: Side, new: Side, cell: Cell | None) -> Entries:
    """The entries of a cell in the baseline; of one that it hardly has: no time in the requests that ran its caller.

    Over all requests of the route, a changed mix would look slow.
    """
    entries = old.cells.get(cell, Entries())
    if cell is None or len(entries) >= LEAST or len(new.cells.get(cell, ())) < COMPARABLE_REQUESTS:
        return entries
    routes, idle = {*new.cells[cell].routes}, dict[int, str]()
    for other, its in old.cells.items():
        if other is not None and other.is_own and other.caller == cell.caller:
            idle |= {place: route for place, route in zip(its.places, its.routes, strict=True) if route in routes}
    if len(idle) < COMPARABLE_REQUESTS:
        return entries
    return Entries.of((place, 0, 0, route) for place, route in sorted(idle.items()))


def changed(old: Side, new: Side, cell: Cell | None, need: float, route: str | None = None) -> Changed:
    """Test the entries of a cell in the baseline and now, or those of one route; `need` is the critical value."""
    seen, before, now = old.cells.get(cell, Entries()), _tested_with(old, new, cell), new.cells.get(cell, Entries())
    if route is not None:
        seen, before, now = (one.of_route(route) for one in (seen, before, now))
    if min(len(before), len(now)) < LEAST:
        return SAME
    tested = exceeding(old, new, before, now)
    excess, typical, tail = _excess(seen if len(seen) else before, now)
    largest = typical if 0 < len(seen) < LEAST else max(excess, typical, tail)  # a call or two then have no tail
    felt = _felt(old, now)
    how: Literal["typical", "tail"] = "typical" if tested.typical >= need else "tail"
    if tested.strongest >= need and largest >= felt:
        return Changed("slower", how, excess if excess > 0 else largest, tested.strongest, is_sure=True)
    if excess < 0 and min(excess, typical, tail) <= -felt:  # nothing is faster that takes more time on average
        back = exceeding(new, old, now, before)  # the baseline is slower than the requests now
        if back.strongest >= need:
            return Changed(
                "faster", "typical" if back.typical >= need else "tail", excess, -back.strongest, is_sure=True
            )
    pieces = stretch_of(old, new, before, now)
    if pieces is not None and max(excess, tail) >= felt:
        starts = [new.accounts.starts_ns[at] for at in range(len(new)) if _is_in(pieces, at, len(new))]
        longer = excess if excess > 0 else tail
        return Changed("slower", "tail", longer, tested.strongest, stretch=(starts[0], starts[-1]), pieces=pieces)
    return Changed("same", how, excess, tested.strongest)


def _excess(before: Entries, now: Entries) -> tuple[float, float, float]:
    """The mean, the median and the p90 of the times a call beyond the mean of their route in the baseline."""
    then = before.by_route()
    means = {route: sum(values) / len(values) for route, values in then.items() if len(values) >= LEAST}
    pooled = sum(before.call_ns) / len(before)
    both = [
        sorted([ns - means.get(route, pooled) for route, ns in zip(side.routes, side.call_ns, strict=True)])
        for side in (before, now)
    ]
    ranks = [[values[min(len(values) - 1, int(len(values) * share))] for share in (0.5, TAIL)] for values in both]
    return sum(both[1]) / len(now), ranks[1][0] - ranks[0][0], ranks[1][1] - ranks[0][1]


def _felt(old: Side, now: Entries) -> float:
    """The least difference that counts: on the routes of a cell, a share of a typical request."""
    walls: defaultdict[str, list[int]] = defaultdict(list)
    whole = old.cells[None]
    for route, ns in zip(whole.routes, whole.ns, strict=True):
        walls[route].append(ns)
    counts = Counter(now.routes)
    typical = sum([at_rank(sorted(walls[route]), 50) * count for route, count in counts.items()]) / len(now)
    return min(EVEN_NS, typical * FELT_PERCENT / 100)


def stretch_of(old: Side, new: Side, before: Entries, now: Entries) -> tuple[int, int] | None:
    """The pieces in which the exceedances over the baseline's p95 lie, if the baseline has no such interval."""
    if min(len(before), len(now)) < COMPARABLE_REQUESTS:
        return None
    over = {route: quantile(sorted(values), SLOW) for route, values in before.by_route().items()}
    scans = []
    for side, entries in ((old, before), (new, now)):
        seen, slow = [0] * PIECES, [0] * PIECES
        for place, ns, route in zip(entries.places, entries.call_ns, entries.routes, strict=True):
            if route in over:
                piece = place * PIECES // len(side)
                seen[piece] += 1
                slow[piece] += ns > over[route]
        scans.append(scan(slow, seen))
    then, best = scans
    is_stretch = (
        best.ratio >= max(STRETCH_RATIO, STRETCH_AGAIN * then.ratio)
        and best.inside >= max(STRETCH_REQUESTS, STRETCH_INSIDE * best.every)
        and best.inside >= STRETCH_SLOW * best.seen
        and best.last - best.first <= STRETCH_MOST * PIECES
    )
    return (best.first, best.last) if is_stretch else None


def _is_in(pieces: tuple[int, int], place: int, size: int) -> bool:
    return pieces[0] <= place * PIECES // size < pieces[1]


def slowed_alike(old: Side, new: Side, top: Cell, tested: Mapping[Cell, Changed]) -> bool:
    """Whether most cells, of most services, slowed by a like factor as `top`: a loaded machine.

    Only cells that are likely slower count as slowed. The factor is that of the medians, or of p90 if the tail changed.
    """
    share = 0.5 if tested[top].how == "typical" else TAIL
    ratios: dict[Cell, float] = {}
    for cell, now in new.cells.items():
        if cell is None or cell not in old.cells:
            continue
        then, later = sorted(old.cells[cell].call_ns), sorted(now.call_ns)
        if min(len(then), len(later)) >= ALIKE_LEAST and quantile(then, share) > 0:
            ratios[cell] = log(max(quantile(later, share), 1) / quantile(then, share))
    likely = {cell for cell, one in tested.items() if one.deviations >= LIKELY}
    return _are_most(ratios, ratios.get(top, 0), likely, ALIKE_SHARE)


def alike_within(new: Side, top: Cell | None, pieces: tuple[int, int]) -> bool:
    """Whether most cells slowed in a stretch by a like factor as `top` (None: the whole request): a loaded machine.

    The factor of a request is that over the median of its route outside of the stretch.
    """
    ratios: dict[Cell, float] = {}
    rise = 0.0
    for cell, now in new.cells.items():
        inside: list[tuple[str, int]] = []
        outside: defaultdict[str, list[int]] = defaultdict(list)
        for place, ns, route in now.listed():
            if ns and _is_in(pieces, place, len(new)):
                inside.append((route, ns))
            elif ns:
                outside[route].append(ns)
        usual = {route: median(values) for route, values in outside.items() if len(values) >= LEAST}
        times = [log(ns / usual[route]) for route, ns in inside if route in usual]
        if len(times) >= ALIKE_LEAST:
            if cell == top:
                rise = median(times)
            if cell is not None:
                ratios[cell] = median(times)
    return _are_most(ratios, rise, ratios.keys(), ALIKE_WITHIN)


def _are_most(ratios: Mapping[Cell, float], top: float, likely: Collection[Cell], share: float) -> bool:
    """Whether this share of the cells, of most services, slowed by a like factor (logarithm) as `top`."""
    if len(ratios) < LEAST or top <= ALIKE_RATIO / 4:
        return False
    near = [cell for cell, ratio in ratios.items() if ratio >= ALIKE_RATIO * top and cell in likely]
    services, callers = ({one(cell) for cell in ratios} for one in (_service, _caller))
    if len(callers) > 1:
        return len(near) >= share * len(ratios) and len({*map(_caller, near)}) >= ALIKE_SHARE * len(callers)
    # Less memory slows all of the only service's own work: that its callees slowed alike must show, too.
    return len(near) >= share * len(ratios) and len({*map(_service, near)}) >= max(3, ALIKE_SHARE * len(services))


def _service(cell: Cell) -> str:
    return cell.service


def _caller(cell: Cell) -> str:
    return cell.caller
