"""Since when: the time from which requests of a class, or of a whole route, are slow; whether they became so slowly."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp, log, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.depends.value import Since
from lambda_latency.latency.judge.slowness import PIECES, scan
from lambda_latency.latency.judge.thresholds import (
    EVEN_NS,
    STRETCH_DENSITY,
    STRETCH_HOLDS,
    STRETCH_MOST,
    STRETCH_NS,
    STRETCH_RATIO,
)

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.judge.classes import Class

LEAST_OF_PIECE = 6  # requests
LEAST_PIECES = 10
LEAST_SIDE = 2  # pieces on either side of a change
RISEN = 1.2  # a typical request takes so many times as long, and `EVEN_NS` more
# Between two levels, in deviations of the pieces around their own level. An interval that ends has more places to lie.
DEVIATIONS, DEVIATIONS_OF_STRETCH = 6.0, 9.0
# The squares that a drift may leave, beside those that a step leaves; the second where another route drifts for sure.
DRIFT_BETTER, DRIFT_BESIDE = 1.0, 1.5
LEAST_BEFORE = 20  # requests before the change


class _Level(NamedTuple):
    """Pieces from `first` up to `last` lie on another level than the others, in logarithms."""

    squares: float
    first: int
    last: int
    before: float
    inside: float


def since_of_class(every: Accounts, one: Class) -> Since | None:
    """The interval with nearly all requests of a class, up to the last request if it does not end."""
    same = _of_routes(every, one.routes)
    size, mine = len(same), set(one.members)
    starts = every.starts_ns
    if size < PIECES or starts[same[-1]] - starts[same[0]] < STRETCH_NS:
        return None
    slow = [at in mine for at in same]
    seen = [0] * PIECES
    hits = [0] * PIECES
    for place, is_slow in enumerate(slow):
        seen[place * PIECES // size] += 1
        hits[place * PIECES // size] += is_slow
    best = scan(hits, seen)
    outside = (best.every - best.inside) / max(size - best.seen, 1)
    if (
        best.ratio < STRETCH_RATIO
        or best.inside < STRETCH_HOLDS * best.every
        or best.inside < STRETCH_DENSITY * outside * best.seen
        or (best.last < PIECES and best.last - best.first > STRETCH_MOST * PIECES)
    ):
        return None
    edges = [-(-piece * size // PIECES) for piece in range(PIECES + 1)]
    first, last = edges[best.first], edges[best.last]
    ends = best.last < PIECES
    if ends:
        around = range(edges[best.last - 1] + 1, edges[best.last + 1] + 1)
        last = _edge(slow, first, size, around, begins=False)
    if best.first > 0:
        first = _edge(slow, 0, last, range(edges[best.first - 1], edges[best.first + 1]), begins=True)
    while first < last and not slow[first]:
        first += 1
    if ends and starts[same[last - 1]] - starts[same[first]] > STRETCH_MOST * (starts[same[-1]] - starts[same[0]]):
        return None  # the requests are dense there, but the time is not short
    if first < LEAST_BEFORE and not ends:
        return None
    drift = _drift_of_class(every, one, same)
    return Since(
        routes=one.routes,
        kind="drift" if drift else "stretch" if ends else "step",
        start_ns=starts[same[first]],
        end_ns=starts[same[last - 1]] if ends else None,
        before_ns=0,
        after_ns=one.excess_ns,
        cell=one.cell,
    )


def _edge(slow: Sequence[bool], low: int, high: int, places: range, *, begins: bool) -> int:
    """The place that divides slow requests from others best. `begins`: the slow ones are those from it up to `high`."""
    total = sum(slow[low:high])
    best, found = float("-inf"), places[0]
    before = sum(slow[low : places[0]])
    for place in places:
        left, right = before, total - before
        sides = ((left, place - low), (right, high - place))
        likely = sum(_information(some, of) for some, of in sides if of)
        rate = [some / of if of else 0.0 for some, of in sides]
        if likely > best and (rate[1] > rate[0]) == begins:
            best, found = likely, place
        before += slow[place] if place < len(slow) else 0
    return found


def _information(some: int, of: int) -> float:
    found = some * log(some / of) if some else 0.0
    return found + ((of - some) * log((of - some) / of) if of > some else 0.0)


def _drift_of_class(every: Accounts, one: Class, same: Sequence[int]) -> bool:
    """Whether the time in the cell of a class grows all the while."""
    numbers = {number for number, cell in enumerate(every.cells) if cell.of_all == one.cell.of_all}
    times = [0] * len(same)
    for place, at in enumerate(same):
        for entry in range(every.cells_end[at], every.cells_end[at + 1]):
            if every.cell_of[entry] in numbers:
                times[place] += every.cell_ns[entry]
    present = [ns for ns in times if ns]
    if 2 * len(present) < len(times):
        return False
    levels = _pieces([ns for ns in times if ns], median)
    return levels is not None and _is_drift(levels)


def since_of_routes(every: Accounts, routes: Sequence[str]) -> list[Since]:
    """The routes whose typical request takes longer since a time, in an interval, or longer and longer."""
    kinds = list(every.kinds)
    by_route: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for at in every.order():
        kind = kinds[every.kind_of[at]]
        if not kind.timed_out:
            by_route[kind.route].append(at)
    told = {route: _of_route(every, route, by_route[route]) for route in routes}
    if any(one is not None and one.kind == "drift" for one in told.values()):
        again = [route for route, one in told.items() if one is not None and one.kind == "step"]
        told |= {route: _of_route(every, route, by_route[route], DRIFT_BESIDE) for route in again}
    return _together([one for one in told.values() if one is not None])


def _together(told: Sequence[Since]) -> list[Since]:
    """Routes that became slow in the same cell in the same way, as one."""
    found: list[Since] = []
    for one in told:
        same = next((at for at, other in enumerate(found) if _is_same(one, other)), None)
        if same is None:
            found.append(one)
        else:
            found[same] = replace(found[same], routes=(*found[same].routes, *one.routes))
    return found


def _is_same(one: Since, other: Since) -> bool:
    if (one.kind, one.cell) != (other.kind, other.cell):
        return False
    return one.kind == "drift" or abs(other.start_ns - one.start_ns) < one.within_ns


def _of_route(every: Accounts, route: str, members: Sequence[int], better: float = DRIFT_BETTER) -> Since | None:
    starts, walls = every.starts_ns, every.walls_ns
    whole_ns = starts[members[-1]] - starts[members[0]]
    levels = _pieces(array("q", (walls[at] for at in members)), median)
    if levels is None or whole_ns < STRETCH_NS:
        return None
    best = _best_level(levels)
    drifts = _is_drift(levels, better)
    if not drifts and (best is None or not _is_sure(levels, best)):
        return None
    size, count = len(members), len(levels)
    if drifts:
        begin, after = levels[: max(count // 8, 1)], levels[-max(count // 8, 1) :]
        before_ns, after_ns = int(exp(fmean(begin))), int(exp(fmean(after)))
        first, last = 0, size
    else:
        assert best is not None
        before_ns, after_ns = int(exp(best.before)), int(exp(best.inside))
        edges = [-(-piece * size // count) for piece in range(count + 1)]
        border = (best.before + best.inside) / 2
        high = [log(max(walls[at], 1)) > border for at in members]
        first, last = edges[best.first], edges[best.last]
        if best.last < count:
            last = _edge(high, first, size, range(edges[best.last - 1] + 1, edges[best.last + 1] + 1), begins=False)
        first = _edge(high, 0, last, range(edges[best.first - 1], edges[best.first + 1]), begins=True)
    if after_ns - before_ns < EVEN_NS or after_ns < RISEN * before_ns:
        return None
    cell = _grown(every, members, first, last, drifts=drifts)
    return Since(
        routes=(route,),
        kind="drift" if drifts else "stretch" if last < size else "step",
        start_ns=starts[members[first]],
        end_ns=starts[members[last - 1]] if last < size else None,
        before_ns=before_ns,
        after_ns=after_ns,
        cell=cell,
        within_ns=whole_ns // PIECES,
    )


def _pieces(times: Sequence[int], typical: Callable[[Sequence[float]], float]) -> list[float] | None:
    """The logarithm of the typical time in each piece of consecutive requests; None if there are too few."""
    size = len(times)
    count = min(PIECES, size // LEAST_OF_PIECE)
    if count < LEAST_PIECES:
        return None
    edges = [-(-piece * size // count) for piece in range(count + 1)]
    return [typical([log(max(ns, 1)) for ns in times[first:last]]) for first, last in pairwise(edges)]


def _best_level(levels: Sequence[float]) -> _Level | None:
    """The interval of pieces (up to the last one, if it does not end) whose level is higher, with the best fit."""
    count, total = len(levels), sum(levels)
    squares = sum(one * one for one in levels)
    sums = [0.0]
    for one in levels:
        sums.append(sums[-1] + one)
    best: _Level | None = None
    for first in range(LEAST_SIDE, count - LEAST_SIDE + 1):
        for last in (*range(first + LEAST_SIDE, count - LEAST_SIDE + 1), count):
            inside = sums[last] - sums[first]
            of, rest = last - first, count - last + first
            high, low = inside / of, (total - inside) / rest
            left = squares - of * high * high - rest * low * low
            if high > low and (best is None or left < best.squares):
                best = _Level(left, first, last, low, high)
    return best


def _is_sure(levels: Sequence[float], best: _Level) -> bool:
    """Whether the two levels are many deviations apart."""
    of = best.last - best.first
    rest = len(levels) - of
    noise = max(best.squares / max(len(levels) - 2, 1), 1e-4)
    enough = DEVIATIONS if best.last == len(levels) else DEVIATIONS_OF_STRETCH
    return best.inside - best.before >= enough * sqrt(noise * (1 / of + 1 / rest))


def _is_drift(levels: Sequence[float], better: float = DRIFT_BETTER) -> bool:
    """Whether the level rises all the while, rather than once: a line, or a ramp, leaves fewer squares."""
    count = len(levels)
    step = _best_level(levels)
    if step is None or step.last < count:
        return False
    best = min((_ramp(levels, begin) for begin in range(count - count // 3)), key=lambda one: one[0])
    left, slope, begin = best
    rise = slope * (count - 1 - begin)
    noise = max(left / max(count - 3, 1), 1e-4)
    spread = sum((at - (count - 1 + begin) / 2) ** 2 for at in range(begin, count))
    deviation = sqrt(noise / spread)
    return slope >= DEVIATIONS * deviation and left <= better * step.squares and rise >= log(RISEN)


def _ramp(levels: Sequence[float], begin: int) -> tuple[float, float, int]:
    """The squares that a level leaves which is flat up to a piece and rises from there, its slope, and the piece."""
    count = len(levels)
    xs = [max(at - begin, 0) for at in range(count)]
    mean_x, mean = fmean(xs), fmean(levels)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean) for x, y in zip(xs, levels, strict=True)) / spread
    left = sum((y - mean - slope * (x - mean_x)) ** 2 for x, y in zip(xs, levels, strict=True))
    return left, slope, begin


def _grown(every: Accounts, members: Sequence[int], first: int, last: int, *, drifts: bool) -> Cell | None:
    """The cell whose median grew most: inside of the interval, or, of a drift, in the last quarter beside the first."""
    if drifts:
        quarter = max(len(members) // 4, 1)
        sides = members[:quarter], members[-quarter:]
    else:
        sides = [*members[:first], *members[last:]], members[first:last]
    medians: list[defaultdict[int, int]] = []
    for side in sides:
        times: defaultdict[int, list[int]] = defaultdict(list)
        for at in side:
            for entry in range(every.cells_end[at], every.cells_end[at + 1]):
                times[every.cell_of[entry]].append(every.cell_ns[entry])
        found: defaultdict[int, int] = defaultdict(int)
        for cell, values in times.items():
            found[cell] = at_rank(sorted([*values, *[0] * (len(side) - len(values))]), 50)
        medians.append(found)
    cells, (then, now) = list(every.cells), medians
    most = max({*then, *now}, key=lambda one: (now[one] - then[one], cells[one]), default=None)
    return cells[most] if most is not None else None


def _of_routes(every: Accounts, routes: Sequence[str]) -> Sequence[int]:
    """The requests of some routes that did not time out, in the order of their start."""
    wanted = {number for number, kind in enumerate(every.kinds) if kind.route in routes and not kind.timed_out}
    return array("I", (at for at in every.order() if every.kind_of[at] in wanted))
