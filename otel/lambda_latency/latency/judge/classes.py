"""Classes of slow requests: each holds those whose largest excess is in the same cell."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from math import log
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.judge.slowness import PIECES, Slowness, scan, slowness
from lambda_latency.latency.judge.thresholds import (
    ALIKE_RATIO,
    ALIKE_SHARE,
    DOMINANT_PERCENT,
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    LEAST_CLASS_PERCENT,
    MIXED_SHARE,
    MOST_CLASSES,
    SHAPE_CALLS,
    STRETCH_DENSITY,
    STRETCH_HOLDS,
    STRETCH_MOST,
    STRETCH_NS,
    STRETCH_RATIO,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell

Confidence: TypeAlias = Literal["high", "medium", "low"]
GAIN_PERCENT = 99
MORE_CALLS = 3  # at least: a second attempt is no loop


@dataclass(frozen=True, slots=True)
class Class:
    """Slow requests, by index, whose largest excess is in `cell`. Excess is time beyond a typical request of the route.

    Calls of one service by several `callers` are one class, whose `cell` names no caller.
    `share` is that of the excess of all slow requests. `excess_ns` is the median a request, `excess_call_ns` a call.
    `stretch` is the interval (epoch nanoseconds) in which most of them started, or None. `example` is the request with
    the median excess. `gain_ns`: by so much the 99th percentile of their routes falls at most without the excess.
    `calls` are those of the cell in a request (the median), of the other requests and of these.
    """

    cell: Cell
    members: tuple[int, ...]
    share: float
    excess_ns: int
    excess_call_ns: int
    confidence: Confidence
    routes: tuple[str, ...]
    example: int
    stretch: tuple[int, int] | None = None
    gain_ns: int = 0
    callers: tuple[str, ...] = ()
    calls: tuple[int, int] = (0, 0)

    @property
    def makes_more_calls(self) -> bool:
        """Whether its requests make several times as many calls as others of their routes."""
        usual, now = self.calls
        return now >= SHAPE_CALLS * max(usual, 1) and now - usual >= MORE_CALLS


@dataclass(frozen=True, slots=True)
class Classes:
    """The slow requests of a report, by class; `found` has the largest share of the excess first.

    `few` are classes with too few requests to tell. `others` are the number of further classes and of their requests.
    `mixed` requests have no dominant cell; `alike` requests are slow in nearly all cells: the machine, not a part.
    """

    found: tuple[Class, ...]
    few: tuple[Class, ...]
    others: tuple[int, int]
    mixed: tuple[int, ...]
    alike: tuple[int, ...]
    slowness: Slowness

    @property
    def slow(self) -> tuple[int, ...]:
        """The indices of all slow requests."""
        return self.slowness.slow


class Member(NamedTuple):
    """A slow request: its largest excess, and the sum of all its excesses, in nanoseconds."""

    at: int
    excess_ns: int
    whole_ns: int


def classes(every: Accounts, slow_ns: int | None = None) -> Classes:
    """Group the slow requests: those over `slow_ns`, or beyond a fence of their route."""
    slow = slowness(every, slow_ns)
    groups, mixed, total_ns = grouped(every, slow)
    told: list[Class] = []
    few: list[Class] = []
    alike: list[int] = []
    for cell, members in groups.items():
        one = _class(every, cell, members, total_ns)
        if len(members) < ENOUGH_SLOW:
            few.append(one)
        elif _is_machine(every, slow, cell, one.members):
            alike += one.members
        else:
            told.append(one)
    told.sort(key=_largest_first)
    large = [one for one in told if 100 * one.share >= LEAST_CLASS_PERCENT][:MOST_CLASSES]
    others = [one for one in told if one not in large]
    return Classes(
        found=tuple(_completed(every, slow, one) for one in large),
        few=tuple(sorted(few, key=_largest_first)),
        others=(len(others), sum(len(one.members) for one in others)),
        mixed=tuple(sorted(mixed)),
        alike=tuple(sorted(alike)),
        slowness=slow,
    )


def _largest_first(one: Class) -> tuple[float, Cell]:
    return -one.share, one.cell


def grouped(every: Accounts, slow: Slowness) -> tuple[dict[Cell, list[Member]], list[int], int]:
    """The slow requests by the cell of their largest excess, whoever calls, the mixed ones, and the sum of excesses."""
    kinds, cells = list(every.kinds), [cell.of_all for cell in every.cells]
    groups: defaultdict[Cell, list[Member]] = defaultdict(list)
    mixed: list[int] = []
    total_ns = 0
    for at in slow.slow:
        more = _excess(every, slow, at, kinds[every.kind_of[at]].route)
        whole_ns = sum([ns for ns in more.values() if ns > 0])
        cell = max(more, key=lambda one: (more[one], cells[one]), default=None)
        total_ns += whole_ns
        if cell is None or more[cell] <= 0 or more[cell] < MIXED_SHARE * whole_ns:
            mixed.append(at)
        else:
            groups[cells[cell]].append(Member(at, more[cell], whole_ns))
    return groups, mixed, total_ns


def _excess(every: Accounts, slow: Slowness, at: int, route: str) -> dict[int, int]:
    """The excess of a request by number of the cell, whoever calls."""
    times: dict[int, int] = {}
    for entry in range(every.cells_end[at], every.cells_end[at + 1]):
        number = slow.same[every.cell_of[entry]]
        times[number] = times.get(number, 0) + every.cell_ns[entry]
    usual = slow.usual[route]
    return {number: ns - usual.get(number, 0) for number, ns in times.items()}


def _class(every: Accounts, cell: Cell, members: Sequence[Member], total_ns: int) -> Class:
    by_excess = sorted(members, key=lambda one: (one.excess_ns, every.trace_id(one.at)))
    middle = by_excess[(len(members) - 1) // 2]
    kinds = list(every.kinds)
    own = median([one.excess_ns / one.whole_ns for one in members])
    sure = len(members) >= ENOUGH_REQUESTS and 100 * own >= DOMINANT_PERCENT
    calls = [one.calls if of.of_all == cell else 0 for of, one in every.calls]
    per_call = sorted([one.excess_ns // max(_calls(every, calls, one.at), 1) for one in members])
    callers = _callers(every, cell, members)
    return Class(
        cell=cell._replace(caller=callers[0]) if len(callers) == 1 else cell,
        members=tuple(sorted([one.at for one in members])),
        share=sum([one.excess_ns for one in members]) / total_ns,
        excess_ns=middle.excess_ns,
        excess_call_ns=at_rank(per_call, 50),
        confidence="high" if sure else "medium" if len(members) >= ENOUGH_SLOW else "low",
        routes=tuple(sorted({kinds[every.kind_of[one.at]].route for one in members})),
        example=middle.at,
        callers=callers,
    )


def _callers(every: Accounts, cell: Cell, members: Sequence[Member]) -> tuple[str, ...]:
    """Who waits for a cell in these requests."""
    cells = list(every.cells)
    found = {number for at, *_ in members for number in every.cell_of[every.cells_end[at] : every.cells_end[at + 1]]}
    return tuple(sorted({cells[number].caller for number in found if cells[number].of_all == cell}))


def _calls(every: Accounts, calls: Sequence[int], at: int) -> int:
    """The number of calls of a request; `calls` has how many each entry counts for."""
    return sum([calls[number] for number in every.call_of[every.calls_end[at] : every.calls_end[at + 1]]])


def _is_machine(every: Accounts, slow: Slowness, top: Cell, members: Sequence[int]) -> bool:
    """Whether most cells of these requests slowed by a like factor as `top`: a loaded machine, not a part."""
    kinds, cells = list(every.kinds), [cell.of_all for cell in every.cells]
    ratios: defaultdict[Cell, list[float]] = defaultdict(list)
    for at in members:
        route = kinds[every.kind_of[at]].route
        usual = slow.usual[route]
        for cell, more in _excess(every, slow, at, route).items():
            if usual.get(cell, 0) > 0:
                ratios[cells[cell]].append(log(max(more + usual[cell], 1) / usual[cell]))
    medians = {cell: median(each) for cell, each in ratios.items() if len(each) >= ENOUGH_SLOW}
    if len(medians) < 3 or medians.get(top, 0) <= 0:
        return False
    return sum(each >= ALIKE_RATIO * medians[top] for each in medians.values()) >= ALIKE_SHARE * len(medians)


def _completed(every: Accounts, slow: Slowness, one: Class) -> Class:
    """The class with its stretch and its gain, which need all requests of its routes."""
    kinds = list(every.kinds)
    wanted = {number for number, kind in enumerate(kinds) if kind.route in one.routes and not kind.timed_out}
    same = array("I", (at for at in every.order() if every.kind_of[at] in wanted))
    cell = next(number for number, each in enumerate(every.cells) if each.of_all == one.cell.of_all)
    walls = array("q", map(every.walls_ns.__getitem__, same))
    before_ns = at_rank(sorted(walls), GAIN_PERCENT)
    mine = set(one.members)
    for place, at in enumerate(same):
        if at in mine:
            walls[place] -= _excess(every, slow, at, kinds[every.kind_of[at]].route)[cell]
    return replace(
        one,
        calls=_calls_of(every, cell, wanted, mine),
        stretch=_stretch(every, same, mine),
        gain_ns=max(before_ns - at_rank(sorted(walls), GAIN_PERCENT), 0),
    )


def _calls_of(every: Accounts, cell: int, wanted: set[int], mine: set[int]) -> tuple[int, int]:
    """The median number of calls of a cell in the other requests of these kinds that make any, and in these.

    Of a service's own code the calls that enter the service count.
    """
    its = list(every.cells)[cell].of_all
    counts = {
        number: calls.calls
        for (one, calls), number in every.calls.items()
        if (one.of_all == its if not its.is_own else one.part.bucket == "network" and one.part.name == its.caller)
    }
    made: defaultdict[int, int] = defaultdict(int)
    for at, number in every.entries_of_calls(counts):
        made[at] += counts[number]
    found: tuple[list[int], list[int]] = ([], [])
    for at, calls in made.items():
        if calls and every.kind_of[at] in wanted:
            found[at in mine].append(calls)
    usual, now = (round(median(each)) if each else 0 for each in found)
    return usual, now


def _stretch(every: Accounts, same: Sequence[int], mine: set[int]) -> tuple[int, int] | None:
    """The interval that holds nearly all members, if they are much denser there; `same` are in the order of start."""
    size = len(same)
    seen = Counter(place * PIECES // size for place in range(size))
    slow = Counter(place * PIECES // size for place, at in enumerate(same) if at in mine)
    best = scan([slow[piece] for piece in range(PIECES)], [seen[piece] for piece in range(PIECES)])
    outside = (best.every - best.inside) / max(size - best.seen, 1)
    if (
        best.ratio < STRETCH_RATIO
        or best.inside < STRETCH_HOLDS * best.every
        or best.inside < STRETCH_DENSITY * outside * best.seen
        or best.last - best.first > STRETCH_MOST * PIECES
    ):
        return None
    inside = [at for place, at in enumerate(same) if at in mine and best.first <= place * PIECES // size < best.last]
    starts = every.starts_ns
    whole_ns = starts[same[-1]] - starts[same[0]]
    if whole_ns < STRETCH_NS or starts[inside[-1]] - starts[inside[0]] > STRETCH_MOST * whole_ns:
        return None  # the requests are dense there, but the time is not short
    return every.starts_ns[inside[0]], every.starts_ns[inside[-1]] + every.walls_ns[inside[-1]]
