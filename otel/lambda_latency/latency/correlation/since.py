"""Since when requests of a cause group, or of a whole route, are slow, and whether they became so slowly."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from statistics import fmean, median
from typing import Literal, NamedTuple

from lambda_latency.latency.analysis.cause_groups import CauseGroup
from lambda_latency.latency.analysis.slowness import PIECES, densest, log_likelihood
from lambda_latency.latency.analysis.thresholds import EVEN_NS, WINDOW_MOST, WINDOW_NS
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank
from lambda_latency.latency.correlation.association import Since

LEAST_OF_PIECE = 6  # requests
LEAST_PIECES = 10
LEAST_OUTSIDE = 2  # pieces before and after a change
# A typical request takes so many times as long, and `EVEN_NS` more
RISEN = 1.2
# Between two levels, in deviations of the pieces around their own level. An interval that ends has more places to lie.
DEVIATIONS, DEVIATIONS_OF_STRETCH = 6.0, 9.0
# The squares that a drift may leave, relative to those of a step; the second where another route drifts for sure.
DRIFT_BETTER, DRIFT_ELSEWHERE = 1.0, 1.5
LEAST_BEFORE = 20  # requests before the change


class _Level(NamedTuple):
    """Pieces from `begin` up to, not including, `end` lie on another level than those outside, in logarithms."""

    squares: float
    begin: int
    end: int
    outside: float
    inside: float


def since_of_group(breakdowns: Breakdowns, group: CauseGroup) -> Since | None:
    """Return the interval with nearly all requests of a cause group, up to the last request if it does not end."""
    of_routes = breakdowns.ended_in_order(group.routes)
    starts, members = breakdowns.starts_ns, set(group.members)
    whole_ns = starts[of_routes[-1]] - starts[of_routes[0]]
    if len(of_routes) < PIECES or whole_ns < WINDOW_NS:
        return None
    interval = _interval([index in members for index in of_routes])
    if interval is None:
        return None
    begin, end, ends = interval
    if ends and starts[of_routes[end - 1]] - starts[of_routes[begin]] > WINDOW_MOST * whole_ns:
        # The requests are dense there, but the time is not short
        return None
    if begin < LEAST_BEFORE and not ends:
        return None
    return Since(
        routes=group.routes,
        kind=_kind(drifts=_does_group_drift(breakdowns, group, of_routes), ends=ends),
        start_ns=starts[of_routes[begin]],
        end_ns=starts[of_routes[end - 1]] if ends else None,
        before_ns=0,
        after_ns=group.excess_ns,
        edge=group.edge,
    )


def _kind(*, drifts: bool, ends: bool) -> Literal["step", "stretch", "drift"]:
    if drifts:
        return "drift"
    return "stretch" if ends else "step"


def _interval(slow: Sequence[bool]) -> tuple[int, int, bool] | None:
    """The interval that is much denser than the others: its first request, the one after its last, whether it ends."""
    best = densest([place for place, is_slow in enumerate(slow) if is_slow], len(slow))
    if not best.is_dense(len(slow)) or (best.end < PIECES and not best.is_short):
        return None
    begin, end = _sharpened(slow, PIECES, best.start, best.end)
    while begin < end and not slow[begin]:
        begin += 1
    return begin, end, best.end < PIECES


def _borders(size: int, count: int) -> list[int]:
    return [-(-piece * size // count) for piece in range(count + 1)]


def _sharpened(slow: Sequence[bool], count: int, begin: int, end: int) -> tuple[int, int]:
    """Return the requests at which an interval of pieces begins and ends, given how many pieces all requests make."""
    borders, size = _borders(len(slow), count), len(slow)
    first_request, end_request = borders[begin], borders[end]
    if end < count:
        places = range(borders[end - 1] + 1, borders[end + 1] + 1)
        end_request = _border(slow, first_request, size, places, begins=False)
    if begin > 0:
        places = range(borders[begin - 1], borders[begin + 1])
        first_request = _border(slow, 0, end_request, places, begins=True)
    return first_request, end_request


def _border(slow: Sequence[bool], low: int, high: int, places: range, *, begins: bool) -> int:
    """The place that divides slow requests from others best. `begins`: the slow ones are those from it up to `high`."""
    total = sum(slow[low:high])
    best, border = float("-inf"), places[0]
    slow_before = sum(slow[low : places[0]])
    for place in places:
        groups = ((slow_before, place - low), (total - slow_before, high - place))
        likelihood = sum(log_likelihood(count, size) for count, size in groups if size)
        rates = [count / size if size else 0.0 for count, size in groups]
        if likelihood > best and (rates[1] > rates[0]) == begins:
            best, border = likelihood, place
        slow_before += slow[place] if place < len(slow) else 0
    return border


def _does_group_drift(breakdowns: Breakdowns, group: CauseGroup, of_routes: Sequence[int]) -> bool:
    """Whether the time of the edge of a cause group grows all the while."""
    numbers = {number for number, edge in enumerate(breakdowns.edges) if edge.merged == group.edge.merged}
    waited = breakdowns.waits_ns(numbers)
    times = [waited[index] for index in of_routes if waited[index]]
    if 2 * len(times) < len(of_routes):
        return False
    levels = _levels(times)
    return levels is not None and _is_drift(levels)


def since_of_routes(breakdowns: Breakdowns, routes: Sequence[str]) -> list[Since]:
    """Return the routes whose typical request takes longer since a time, in an interval, or longer and longer."""
    kinds = list(breakdowns.kinds)
    by_route: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for index in breakdowns.order():
        kind = kinds[breakdowns.kind_of[index]]
        if not kind.timed_out:
            by_route[kind.route].append(index)
    changes = {route: _since_of_route(breakdowns, route, by_route[route]) for route in routes}
    if "drift" in {since and since.kind for since in changes.values()}:
        for route, since in changes.items():
            if since is not None and since.kind == "step":
                changes[route] = _since_of_route(breakdowns, route, by_route[route], DRIFT_ELSEWHERE)
    return _merged(changes.values())


def _merged(changes: Iterable[Since | None]) -> list[Since]:
    """Merge routes that became slow in the same edge in the same way."""
    merged: list[Since] = []
    for since in filter(None, changes):
        alike = next((number for number, earlier in enumerate(merged) if _is_same(since, earlier)), None)
        if alike is None:
            merged.append(since)
        else:
            merged[alike] = replace(merged[alike], routes=(*merged[alike].routes, *since.routes))
    return merged


def _is_same(since: Since, earlier: Since) -> bool:
    if (since.kind, since.edge) != (earlier.kind, earlier.edge):
        return False
    return since.kind == "drift" or abs(earlier.start_ns - since.start_ns) < since.within_ns


def _since_of_route(
    breakdowns: Breakdowns, route: str, members: Sequence[int], better: float = DRIFT_BETTER
) -> Since | None:
    starts, size = breakdowns.starts_ns, len(members)
    walls = array("q", map(breakdowns.walls_ns.__getitem__, members))
    whole_ns = starts[members[-1]] - starts[members[0]]
    levels = _levels(walls)
    if levels is None or whole_ns < WINDOW_NS:
        return None
    drifts = _is_drift(levels, better)
    eighth = max(len(levels) // 8, 1)
    drift_level = _Level(0.0, 0, len(levels), fmean(levels[:eighth]), fmean(levels[-eighth:]))
    level = drift_level if drifts else _sure_level(levels)
    if level is None:
        return None
    before_ns, after_ns = int(exp(level.outside)), int(exp(level.inside))
    if after_ns - before_ns < EVEN_NS or after_ns < RISEN * before_ns:
        return None
    begin, end = 0, size
    if not drifts:
        middle = (level.outside + level.inside) / 2
        high = [log(max(wall_ns, 1)) > middle for wall_ns in walls]
        begin, end = _sharpened(high, len(levels), level.begin, level.end)
    return Since(
        routes=(route,),
        kind=_kind(drifts=drifts, ends=end < size),
        start_ns=starts[members[begin]],
        end_ns=starts[members[end - 1]] if end < size else None,
        before_ns=before_ns,
        after_ns=after_ns,
        edge=_grown(breakdowns, members, begin, end, drifts=drifts),
        within_ns=whole_ns // PIECES,
    )


def _levels(times: Sequence[int]) -> list[float] | None:
    """The logarithm of the median time in each piece of consecutive requests; None if there are too few."""
    count = min(PIECES, len(times) // LEAST_OF_PIECE)
    if count < LEAST_PIECES:
        return None
    pieces = [times[begin:end] for begin, end in pairwise(_borders(len(times), count))]
    return [median([log(max(ns, 1)) for ns in piece]) for piece in pieces]


def _best_level(levels: Sequence[float]) -> _Level | None:
    """The interval of pieces (up to the last one, if it does not end) whose level is higher, with the best fit."""
    count, total = len(levels), sum(levels)
    squares = sum(level * level for level in levels)
    sums = [0.0, *accumulate(levels)]
    best: _Level | None = None
    for begin in range(LEAST_OUTSIDE, count - LEAST_OUTSIDE + 1):
        for end in (*range(begin + LEAST_OUTSIDE, count - LEAST_OUTSIDE + 1), count):
            inside = sums[end] - sums[begin]
            inside_count, outside_count = end - begin, count - end + begin
            high, low = inside / inside_count, (total - inside) / outside_count
            residual = squares - inside_count * high * high - outside_count * low * low
            if high > low and (best is None or residual < best.squares):
                best = _Level(residual, begin, end, low, high)
    return best


def _sure_level(levels: Sequence[float]) -> _Level | None:
    """The best level, if it is many deviations apart from the other."""
    best = _best_level(levels)
    if best is None:
        return None
    inside_count, count = best.end - best.begin, len(levels)
    noise = max(best.squares / max(count - 2, 1), 1e-4)
    enough = DEVIATIONS if best.end == count else DEVIATIONS_OF_STRETCH
    deviation = sqrt(noise * (1 / inside_count + 1 / (count - inside_count)))
    return best if best.inside - best.outside >= enough * deviation else None


def _is_drift(levels: Sequence[float], better: float = DRIFT_BETTER) -> bool:
    """Whether the level rises all the while, rather than once: a line, or a ramp, leaves fewer squares."""
    count = len(levels)
    step = _best_level(levels)
    if step is None or step.end < count:
        return False
    residual, slope, begin = min(
        (_ramp(levels, begin) for begin in range(count - count // 3)), key=lambda ramp: ramp[0]
    )
    rise = slope * (count - 1 - begin)
    noise = max(residual / max(count - 3, 1), 1e-4)
    spread = sum((piece - (count - 1 + begin) / 2) ** 2 for piece in range(begin, count))
    deviation = sqrt(noise / spread)
    return slope >= DEVIATIONS * deviation and residual <= better * step.squares and rise >= log(RISEN)


def _ramp(levels: Sequence[float], begin: int) -> tuple[float, float, int]:
    """The squares that a level leaves which is flat up to a piece and rises from there, its slope, and the piece."""
    xs = [max(piece - begin, 0) for piece in range(len(levels))]
    mean_x, mean = fmean(xs), fmean(levels)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (level - mean) for x, level in zip(xs, levels, strict=True)) / spread
    residual = sum((level - mean - slope * (x - mean_x)) ** 2 for x, level in zip(xs, levels, strict=True))
    return residual, slope, begin


def _grown(breakdowns: Breakdowns, members: Sequence[int], begin: int, end: int, *, drifts: bool) -> Edge | None:
    """Return the edge whose median rose most: in the interval, or for a drift from the first to the last quarter."""
    quarter = max(len(members) // 4, 1)
    if drifts:
        old, new = _medians(breakdowns, members[:quarter]), _medians(breakdowns, members[-quarter:])
    else:
        old = _medians(breakdowns, [*members[:begin], *members[end:]])
        new = _medians(breakdowns, members[begin:end])
    edges = list(breakdowns.edges)
    largest = max({*old, *new}, key=lambda number: (new[number] - old[number], edges[number]), default=None)
    return edges[largest] if largest is not None else None


def _medians(breakdowns: Breakdowns, indices: Sequence[int]) -> defaultdict[int, int]:
    """The median time of each edge in these requests, by number of the edge."""
    times: defaultdict[int, list[int]] = defaultdict(list)
    for index in indices:
        for entry in range(breakdowns.edges_end[index], breakdowns.edges_end[index + 1]):
            times[breakdowns.edge_of[entry]].append(breakdowns.edge_ns[entry])
    medians: defaultdict[int, int] = defaultdict(int)
    for number, waited in times.items():
        medians[number] = at_rank(sorted([*waited, *[0] * (len(indices) - len(waited))]), 50)
    return medians
