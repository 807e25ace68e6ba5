"""Cause groups of slow requests: each holds those whose excess is in the same edge, or in the same set of edges."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from math import log
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.latency.analysis.slowness import PIECES, Slowness, densest, slowness
from lambda_latency.latency.analysis.thresholds import (
    ALIKE_RATIO,
    ALIKE_SHARE,
    DOMINANT_PERCENT,
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    EVEN_NS,
    LEAST_CLASS_PERCENT,
    MIXED_SHARE,
    MOST_CLASSES,
    RARE_SHARE,
    SET_COVER,
    SET_JOINS,
    SET_SHARE,
    SHAPE_CALLS,
    WINDOW_HOLDS,
    WINDOW_MOST,
    WINDOW_NS,
)
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank

Confidence: TypeAlias = Literal["high", "medium", "low"]
GAIN_PERCENT = 99
MORE_CALLS = 3  # at least: a second attempt is no loop
LEAST_ALIKE = 2  # edges beside the largest one that slow alike on a loaded machine


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Slow requests, by index, with the same set of edges. Excess is time beyond a typical request of the route.

    `edges` are those of the set with their median excess, the largest first, which is `edge`; most sets have one.
    Calls of one service by several `callers` are one cause group, whose `edge` names no caller.
    `share` is that of the excess of all slow requests. `excess_ns` is that of all edges, the median a request, and
    `excess_call_ns` that of a call of `edge`.
    `window` is the window (epoch nanoseconds) in which most of them started, or None. `example` is the request with
    the median excess. `gain_ns`: by so much the 99th percentile of their routes falls at most without the excess.
    `calls` are those of `edge` in a request (the median), of the other requests and of these. `call_ns`: the time of
    a call in the other requests.
    `of_other_kind`: they make calls that most other requests of their routes do not make, such as a cache's misses.
    `starts_cold`: nearly all of them are cold starts, and hardly any other request is.
    """

    edges: tuple[tuple[Edge, int], ...]
    members: tuple[int, ...]
    share: float
    excess_ns: int
    excess_call_ns: int
    confidence: Confidence
    routes: tuple[str, ...]
    example: int
    window: tuple[int, int] | None = None
    gain_ns: int = 0
    callers: tuple[str, ...] = ()
    calls: tuple[int, int] = (0, 0)
    call_ns: int = 0
    of_other_kind: bool = False
    starts_cold: bool = False

    @property
    def in_doubt(self) -> CauseGroup:
        """The group with at most medium confidence."""
        return replace(self, confidence="medium") if self.confidence == "high" else self

    @property
    def edge(self) -> Edge:
        """The edge with the largest excess."""
        return self.edges[0][0]

    @property
    def makes_more_calls(self) -> bool:
        """Whether its requests make several times as many calls as others of their routes, and these are the excess.

        Requests of a kind with more calls may also be slow because each call is.
        """
        of_others, own_calls = self.calls
        further = own_calls - of_others
        is_many = own_calls >= SHAPE_CALLS * max(of_others, 1) and further >= MORE_CALLS
        return is_many and further * self.call_ns >= MIXED_SHARE * self.excess_ns


@dataclass(frozen=True, slots=True)
class CauseGroups:
    """The slow requests of a report, by cause group; `groups` has the largest share of the excess first.

    `small` are cause groups with too few requests to tell. `uncounted` are the number of further cause groups and of
    their requests. `mixed` requests have no dominant edge; `alike` requests are slow in nearly all edges: the machine,
    not a component. `excess_ns` is that of all slow requests: a cause group has its share of it.
    """

    groups: tuple[CauseGroup, ...]
    small: tuple[CauseGroup, ...]
    uncounted: tuple[int, int]
    mixed: tuple[int, ...]
    alike: tuple[int, ...]
    slowness: Slowness
    excess_ns: int

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The largest edge of each group; several groups may have the same."""
        return tuple(dict.fromkeys(group.edge for group in self.groups))

    @property
    def in_doubt(self) -> CauseGroups:
        """The same groups with at most medium confidence."""
        return replace(self, groups=tuple(group.in_doubt for group in self.groups))

    @property
    def slow(self) -> tuple[int, ...]:
        """The indices of all slow requests."""
        return self.slowness.slow


class Member(NamedTuple):
    """A slow request: its largest excesses in nanoseconds, by number of the edge, and the sum of all excesses."""

    request: int
    largest_ns: Mapping[int, int]
    whole_ns: int

    def explaining(self, noise_ns: Mapping[int, int]) -> tuple[int, ...]:
        """Return the edges that explain the request: those beyond the noise, until most of the excess is covered."""
        covered_ns, explained = 0, dict[int, int]()
        for number, ns in self.largest_ns.items():
            if covered_ns >= SET_COVER * self.whole_ns:
                break
            covered_ns += ns
            if ns > noise_ns.get(number, 0):
                explained[number] = ns
        is_mixed = sum(explained.values()) < MIXED_SHARE * self.whole_ns
        return () if is_mixed else tuple(sorted(explained))


Sets: TypeAlias = "defaultdict[tuple[int, ...], list[Member]]"


def cause_groups(breakdowns: Breakdowns, slow_ns: int | None = None) -> CauseGroups:
    """Group the slow requests: those over `slow_ns`, or beyond a threshold of their route."""
    slow = slowness(breakdowns, slow_ns)
    groups, frequent, mixed, total_ns = grouped(breakdowns, slow)
    causes: list[CauseGroup] = []
    small: list[CauseGroup] = []
    alike: list[int] = []
    for numbers, members in groups.items():
        cause = _cause_group(breakdowns, numbers, members, total_ns)
        if numbers not in frequent:
            small.append(cause)
        elif _is_machine(breakdowns, slow, cause.edge.merged, cause.members):
            alike += cause.members
        else:
            causes.append(cause)
    causes.sort(key=_largest_first)
    large = [cause for cause in causes if 100 * cause.share >= LEAST_CLASS_PERCENT][:MOST_CLASSES]
    counted = [cause for cause in causes if cause not in large]
    return CauseGroups(
        groups=tuple(_completed(breakdowns, slow, cause) for cause in large),
        small=tuple(sorted(small, key=_largest_first)),
        uncounted=(len(counted), sum(len(cause.members) for cause in counted)),
        mixed=tuple(sorted(mixed)),
        alike=tuple(sorted(alike)),
        slowness=slow,
        excess_ns=total_ns,
    )


def _largest_first(cause: CauseGroup) -> tuple[float, Edge]:
    return -cause.share, cause.edge


def grouped(breakdowns: Breakdowns, slow: Slowness) -> tuple[Sets, set[tuple[int, ...]], list[int], int]:
    """Return the slow requests by the numbers of their edges, the frequent sets, mixed requests, and all excess (ns).

    Requests whose set is rare belong to their largest edge, but do not make it frequent: each may be there by chance.
    """
    kinds, edges = list(breakdowns.kinds), [edge.merged for edge in breakdowns.edges]
    sets: Sets = defaultdict(list)
    total_ns = 0
    for index in slow.slow:
        route = kinds[breakdowns.kind_of[index]].route
        member = _member(index, _excesses(breakdowns, slow, index, route), edges)
        total_ns += member.whole_ns
        sets[member.explaining(slow.noise_ns[route])].append(member)
    frequent = {numbers for numbers, members in sets.items() if len(members) >= ENOUGH_SLOW}
    _join(sets, edges)
    mixed = _divide_rare(sets)
    return sets, frequent, mixed, total_ns


def _member(index: int, excesses: Mapping[int, int], edges: Sequence[Edge]) -> Member:
    """Return a request with the edges that may belong to a set; with its largest edge if none is large enough."""
    whole_ns = sum([ns for ns in excesses.values() if ns > 0])
    least_ns = max(EVEN_NS, SET_SHARE * whole_ns)
    ordered = sorted([(ns, edges[number], number) for number, ns in excesses.items() if ns >= least_ns], reverse=True)
    if not ordered and excesses:
        ordered = [max([(ns, edges[number], number) for number, ns in excesses.items()])]
    return Member(index, {number: ns for ns, _, number in ordered}, whole_ns)


def _join(sets: Sets, edges: Sequence[Edge]) -> None:
    """Move the requests of each set to one inside of it with many times as many: two causes met by chance."""
    counts = {numbers: len(requests) for numbers, requests in sets.items()}
    for numbers in sorted(counts, key=len, reverse=True):
        for size in range(len(numbers) - 1, 0, -1):
            inner = combinations(numbers, size)
            frequent = [i for i in inner if counts.get(i, 0) >= SET_JOINS * counts[numbers]]
            if frequent:
                target = max(frequent, key=lambda i: (counts[i], [edges[number] for number in i]))
                sets[target] += sets.pop(numbers)
                break


def _divide_rare(sets: Sets) -> list[int]:
    """Move the requests of rare sets of several edges to their largest edge; return those without a dominant one."""
    mixed: list[int] = []
    several = [numbers for numbers in sets if len(numbers) != 1]
    rare = [numbers for numbers in several if not numbers or len(sets[numbers]) < ENOUGH_SLOW]
    for member in chain.from_iterable([sets.pop(numbers) for numbers in rare]):
        number, ns = next(iter(member.largest_ns.items()), (0, 0))
        if ns <= 0 or ns < MIXED_SHARE * member.whole_ns:
            mixed.append(member.request)
        else:
            sets[(number,)].append(member)
    return mixed


def _excesses(breakdowns: Breakdowns, slow: Slowness, index: int, route: str) -> dict[int, int]:
    """Return the excesses of a request by number of the edge, whoever calls."""
    times: dict[int, int] = {}
    for entry in range(breakdowns.edges_end[index], breakdowns.edges_end[index + 1]):
        number = slow.merged[breakdowns.edge_of[entry]]
        times[number] = times.get(number, 0) + breakdowns.edge_ns[entry]
    typical_ns = slow.typical_ns[route]
    return {number: ns - typical_ns.get(number, 0) for number, ns in times.items()}


def _cause_group(
    breakdowns: Breakdowns, numbers: tuple[int, ...], members: Sequence[Member], total_ns: int
) -> CauseGroup:
    of_edges = {number: [member.largest_ns[number] for member in members] for number in numbers}
    of_members = list(map(sum, zip(*of_edges.values(), strict=True)))
    requests = [member.request for member in members]
    by_excess = sorted(zip(of_members, requests, strict=True), key=lambda pair: (pair[0], breakdowns.trace_id(pair[1])))
    middle = (len(members) - 1) // 2
    ordered = [request for _, request in by_excess]
    shares = [ns / member.whole_ns for ns, member in zip(of_members, members, strict=True)]
    kinds, merged = list(breakdowns.kinds), [edge.merged for edge in breakdowns.edges]
    medians = sorted([(-at_rank(sorted(of_edges[number]), 50), merged[number], number) for number in numbers])
    _, largest, number = medians[0]
    return CauseGroup(
        edges=tuple([(_with_caller(breakdowns, edge, members), -ns) for ns, edge, _ in medians]),
        members=tuple(sorted(requests)),
        share=sum(of_members) / total_ns,
        excess_ns=by_excess[middle][0],
        excess_call_ns=_excess_of_a_call(breakdowns, largest, members, of_edges[number]),
        confidence=_confidence(shares),
        routes=tuple(sorted({kinds[breakdowns.kind_of[request]].route for request in requests})),
        example=next(iter(breakdowns.with_spans(ordered, [middle])), ordered[middle]),
        callers=_callers(breakdowns, largest, members),
    )


def _confidence(shares: Sequence[float]) -> Confidence:
    if len(shares) >= ENOUGH_REQUESTS and 100 * median(shares) >= DOMINANT_PERCENT:
        return "high"
    return "medium" if len(shares) >= ENOUGH_SLOW else "low"


def _excess_of_a_call(breakdowns: Breakdowns, edge: Edge, members: Sequence[Member], excesses_ns: Sequence[int]) -> int:
    """Return the median excess of a call of an edge, given that of each request; one without calls counts as one."""
    counts = [calls.calls if called.merged == edge else 0 for called, calls in breakdowns.calls]
    excesses: list[int] = []
    for member, excess_ns in zip(members, excesses_ns, strict=True):
        start, end = breakdowns.calls_end[member.request : member.request + 2]
        calls = sum([counts[number] for number in breakdowns.call_of[start:end]])
        excesses.append(excess_ns // max(calls, 1))
    return at_rank(sorted(excesses), 50)


def _with_caller(breakdowns: Breakdowns, edge: Edge, members: Sequence[Member]) -> Edge:
    callers = _callers(breakdowns, edge, members)
    return edge._replace(caller=callers[0]) if len(callers) == 1 else edge


def _callers(breakdowns: Breakdowns, edge: Edge, members: Sequence[Member]) -> tuple[str, ...]:
    """Who waits for an edge in these requests."""
    edges, ends = list(breakdowns.edges), breakdowns.edges_end
    numbers = {number for index, *_ in members for number in breakdowns.edge_of[ends[index] : ends[index + 1]]}
    return tuple(sorted({edges[number].caller for number in numbers if edges[number].merged == edge}))


def _is_machine(breakdowns: Breakdowns, slow: Slowness, largest: Edge, members: Sequence[int]) -> bool:
    """Return whether these requests slowed by a factor like that of `largest` in most of the other time, too.

    Then the cause is a loaded machine. Edges are weighed by their time: a set of tiny ones is no machine.
    """
    ratios, weights_ns = _ratios(breakdowns, slow, members)
    medians = {edge: median(logarithms) for edge, logarithms in ratios.items() if len(logarithms) >= ENOUGH_SLOW}
    factor = medians.pop(largest, 0)
    alike = [edge for edge, ratio in medians.items() if ratio >= ALIKE_RATIO * factor]
    alike_ns, all_ns = (sum([weights_ns[edge] for edge in weighed]) for weighed in (alike, medians))
    return factor > 0 and len(alike) >= LEAST_ALIKE and alike_ns >= ALIKE_SHARE * all_ns


def _ratios(
    breakdowns: Breakdowns, slow: Slowness, members: Sequence[int]
) -> tuple[Mapping[Edge, list[float]], Mapping[Edge, int]]:
    """Return by edge the factors (logarithms) by which these requests slowed, and the sum of their typical times."""
    kinds, edges = list(breakdowns.kinds), [edge.merged for edge in breakdowns.edges]
    ratios: defaultdict[Edge, list[float]] = defaultdict(list)
    weights_ns: defaultdict[Edge, int] = defaultdict(int)
    for index in members:
        route = kinds[breakdowns.kind_of[index]].route
        typical_ns = slow.typical_ns[route]
        for number, excess_ns in _excesses(breakdowns, slow, index, route).items():
            if typical_ns.get(number, 0) > 0:
                ratios[edges[number]].append(log(max(excess_ns + typical_ns[number], 1) / typical_ns[number]))
                weights_ns[edges[number]] += typical_ns[number]
    return ratios, weights_ns


def _completed(breakdowns: Breakdowns, slow: Slowness, cause: CauseGroup) -> CauseGroup:
    """Return the cause group with its window and its gain, which need all requests of its routes."""
    ordered, members = breakdowns.ended_in_order(cause.routes), set(cause.members)
    made = _calls_made(breakdowns, cause.edge.merged)
    other_requests = [index for index in ordered if index not in members]
    of_other_kind = len(members) >= RARE_SHARE * len(ordered) and _makes_other_calls(breakdowns, slow, cause)
    completed = replace(
        cause,
        calls=(_median_calls(made, other_requests), _median_calls(made, cause.members)),
        call_ns=_call_ns(breakdowns, cause.edge.merged, made, other_requests),
        window=_window(breakdowns, ordered, members),
        gain_ns=_gain_ns(breakdowns, slow, cause, ordered),
        of_other_kind=of_other_kind,
        starts_cold=_start_cold(breakdowns, cause, other_requests),
    )
    return completed.in_doubt if of_other_kind else completed


def _numbers(breakdowns: Breakdowns, slow: Slowness, cause: CauseGroup) -> set[int]:
    edges = {edge.merged for edge, _ in cause.edges}
    return {slow.merged[number] for number, edge in enumerate(breakdowns.edges) if edge.merged in edges}


def _makes_other_calls(breakdowns: Breakdowns, slow: Slowness, cause: CauseGroup) -> bool:
    """Return whether all edges of a cause group are calls that only the slower requests of its routes make."""
    numbers = _numbers(breakdowns, slow, cause)
    return all(numbers <= slow.other_calls.get(route, frozenset()) for route in cause.routes)


def _start_cold(breakdowns: Breakdowns, cause: CauseGroup, other_requests: Sequence[int]) -> bool:
    """Return whether own code is slow in cold starts, as where their spans do not separate the start."""
    cold = [kind.cold_start for kind in breakdowns.kinds]
    starts, other_starts = (sum([cold[breakdowns.kind_of[i]] for i in of]) for of in (cause.members, other_requests))
    is_own = cause.edge.component.category == "own code"
    return is_own and starts >= WINDOW_HOLDS * len(cause.members) and other_starts <= RARE_SHARE * len(other_requests)


def _gain_ns(breakdowns: Breakdowns, slow: Slowness, cause: CauseGroup, ordered: Sequence[int]) -> int:
    """Return by how much a high percentile of these requests falls without the excess of a cause group."""
    kinds, numbers, members = list(breakdowns.kinds), _numbers(breakdowns, slow, cause), set(cause.members)
    walls = array("q", map(breakdowns.walls_ns.__getitem__, ordered))
    percentile_ns = at_rank(sorted(walls), GAIN_PERCENT)
    for position, index in enumerate(ordered):
        if index in members:
            excesses = _excesses(breakdowns, slow, index, kinds[breakdowns.kind_of[index]].route)
            walls[position] -= sum([excesses[number] for number in numbers])
    return max(percentile_ns - at_rank(sorted(walls), GAIN_PERCENT), 0)


def _median_calls(made: Mapping[int, int], requests: Sequence[int]) -> int:
    """Return the median number of calls in those of these requests that make any."""
    return _rounded_median([made[index] for index in requests if made[index]])


def _call_ns(breakdowns: Breakdowns, edge: Edge, made: Mapping[int, int], requests: Sequence[int]) -> int:
    """Return the median time of a call of an edge in those of these requests that make any."""
    waits = breakdowns.waits_ns({number for waited, number in breakdowns.edges.items() if waited.merged == edge})
    return _rounded_median([waits[index] // made[index] for index in requests if index in waits and made[index]])


def _calls_made(breakdowns: Breakdowns, edge: Edge) -> Counter[int]:
    """Return the number of calls of an edge, by the index of the request."""
    counts = {number: calls.calls for (called, calls), number in breakdowns.calls.items() if _counts_for(called, edge)}
    made: defaultdict[int, int] = defaultdict(int)
    for index, number in breakdowns.entries_of_calls(counts):
        made[index] += counts[number]
    return Counter(made)


def _counts_for(called: Edge, edge: Edge) -> bool:
    """Return whether a call counts for an edge: for a service's own code the calls that enter the service."""
    if edge.is_own:
        return called.component.category == "network" and called.component.name == edge.caller
    return called.merged == edge


def _rounded_median(counts: Sequence[int]) -> int:
    return round(median(counts)) if counts else 0


def _window(breakdowns: Breakdowns, ordered: Sequence[int], members: set[int]) -> tuple[int, int] | None:
    """Return the time that holds nearly all members, if they are much denser there; `ordered` are by their start."""
    size = len(ordered)
    positions = [position for position, index in enumerate(ordered) if index in members]
    window = densest(positions, size)
    if not window.is_dense(size) or not window.is_short:
        return None
    inside = [ordered[p] for p in positions if window.start <= p * PIECES // size < window.end]
    starts, walls = breakdowns.starts_ns, breakdowns.walls_ns
    start_ns, last_ns = starts[inside[0]], starts[inside[-1]]
    whole_ns = starts[ordered[-1]] - starts[ordered[0]]
    if whole_ns < WINDOW_NS or last_ns - start_ns > WINDOW_MOST * whole_ns:
        # The requests are dense there, but the time is not short
        return None
    return start_ns, last_ns + walls[inside[-1]]
