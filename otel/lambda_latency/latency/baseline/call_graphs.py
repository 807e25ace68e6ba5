"""Changed call graphs: operations that call other callees than in the baseline, and routes with more or fewer calls."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log, sqrt
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.latency.analysis.thresholds import (
    COMPARABLE_REQUESTS,
    SHAPE_CALLS,
    SHAPE_DEVIATIONS,
    SHAPE_GONE,
    SHAPE_LIKELY,
    SHAPE_NEW,
    SHAPE_OPERATIONS,
)
from lambda_latency.latency.baseline.causes import WITHIN
from lambda_latency.latency.baseline.periods import Period
from lambda_latency.latency.breakdowns.component import Edge

LEAST = 5  # requests with an operation, in both periods
# The name of an operation that answers errors, as `BasicErrorController.error`: an outcome of a request, not a call
HANDLER = re.compile(r"((?<![A-Za-z])(?i:error|exception|fault)|Error|Exception|Fault)s?(?![a-z])")
Callees: TypeAlias = "tuple[str, ...]"
CallKind: TypeAlias = Literal["gone", "new", "fewer", "more"]


class OperationChange(NamedTuple):
    """An operation whose sets of callees changed. `requests` that have it, `gone` and `new` callees: (then, now).

    A callee is given with the shares of the operation's requests that called it, then and now. `largest` is the one
    whose share changed most.
    """

    service: str
    operation: str
    deviations: float
    requests: tuple[int, int]
    gone: tuple[tuple[str, float, float], ...]
    new: tuple[tuple[str, float, float], ...]
    largest: tuple[str, float, float]

    @property
    def is_sure(self) -> bool:
        """Whether no chance explains the change, and the baseline has enough requests."""
        return self.deviations >= SHAPE_DEVIATIONS and self.requests[0] >= SHAPE_OPERATIONS


class CallChange(NamedTuple):
    """The calls of an edge in a request of a route, then and now: the mean of all, the median of those that call."""

    kind: CallKind
    route: str
    edge: Edge
    mean: tuple[float, float]
    medians: tuple[int, int]

    @property
    def is_of_answer(self) -> bool:
        """Whether a service is called less often, so that the one before it may answer something else."""
        return self.kind == "fewer" and self.edge.component.category == "network"


class ErrorOutcome(NamedTuple):
    """An operation of which many requests end in an error handler: their shares, then and now."""

    service: str
    operation: str
    handler: str
    shares: tuple[float, float]

    @property
    def has_changed(self) -> bool:
        """Whether far more or fewer requests end in the handler than in the baseline."""
        return abs(self.shares[1] - self.shares[0]) >= SHAPE_NEW


class CallGraphChanges(NamedTuple):
    """What changed, the surest first; `candidates` are services whose call graph has likely changed, not surely.

    Of a service whose requests end in an error handler (`outcomes`), and in the baseline also of those that it calls,
    no change is sure: an error changes all calls after it.
    """

    operations: tuple[OperationChange, ...] = ()
    calls: tuple[CallChange, ...] = ()
    candidates: tuple[str, ...] = ()
    outcomes: tuple[ErrorOutcome, ...] = ()

    @property
    def callees_of_answers(self) -> list[str]:
        """The services that are called less often because of what they answer."""
        return [change.edge.component.name for change in self.calls if change.is_of_answer]

    @property
    def services(self) -> tuple[str, ...]:
        """The services whose call graph changed, the surest first; instead of a caller the callee that it calls less.

        The answer of that callee has changed: a caller that returned early would not call it at all.
        """
        less = {change.edge.caller: change.edge.component.name for change in self.calls if change.is_of_answer}
        callers = [*(change.service for change in self.operations), *(change.edge.caller for change in self.calls)]
        return tuple(dict.fromkeys(less.get(caller, caller) for caller in callers))


class _CalleeSets(NamedTuple):
    """The requests of a route with an operation: how often each set of callees came, in all and by block.

    `handled` are the requests that end in each error handler, which the sets lack.
    """

    sets: Counter[Callees]
    blocks: defaultdict[int, Counter[Callees]]
    handled: Counter[str]


_Pairs: TypeAlias = "Sequence[tuple[_CalleeSets, _CalleeSets]]"  # old and new, of one operation, by route


def call_graph_changes(old: Period, new: Period) -> CallGraphChanges:
    """Return the changes that no chance explains."""
    by_operation = _by_operation(old, new)
    changes = [_operation_change(*operation, pairs) for operation, pairs in by_operation.items()]
    likely = sorted(filter(None, changes), key=lambda change: (-change.deviations, change.service, change.operation))
    outcomes = [_outcome(*operation, pairs) for operation, pairs in by_operation.items()]
    handled = sorted(filter(None, outcomes), key=lambda outcome: (-abs(outcome.shares[1] - outcome.shares[0]), outcome))
    doubtful = _doubtful(handled, old)
    sure = [change for change in likely if change.is_sure and change.service not in doubtful]
    calls = [change for change in _calls(old, new) if change.edge.caller not in doubtful]
    candidates = dict.fromkeys(change.service for change in likely if change not in sure)
    return CallGraphChanges(tuple(sure), tuple(calls), tuple(candidates), tuple(handled))


def _by_operation(old: Period, new: Period) -> dict[tuple[str, str], _Pairs]:
    old_sets, new_sets = _callee_sets(old), _callee_sets(new)
    by_operation: defaultdict[tuple[str, str], list[tuple[_CalleeSets, _CalleeSets]]] = defaultdict(list)
    for (route, service, name), sets in new_sets.items():
        if (route, service, name) in old_sets:
            by_operation[service, name].append((old_sets[route, service, name], sets))
    return dict(by_operation)


def _outcome(service: str, name: str, pairs: _Pairs) -> ErrorOutcome | None:
    """The error handler of an operation; None if few of its requests end in one, or it has few requests."""
    handled = [sum((pair[period].handled for pair in pairs), Counter[str]()) for period in (0, 1)]
    requests = [_total([pair[period].sets for pair in pairs]) for period in (0, 1)]
    shares = handled[0].total() / max(requests[0], 1), handled[1].total() / max(requests[1], 1)
    if min(requests) < SHAPE_OPERATIONS or max(shares) < SHAPE_NEW:
        return None
    [(handler, _)] = (handled[0] + handled[1]).most_common(1)
    return ErrorOutcome(service, name, handler, shares)


def _doubtful(outcomes: Sequence[ErrorOutcome], old: Period) -> set[str]:
    """The services with errors, and those that services with errors in the baseline call there."""
    broken = {outcome.service for outcome in outcomes if outcome.shares[0] >= SHAPE_NEW}
    edges = [edge for edge in old.edges if edge is not None and edge.caller in broken]
    called = {edge.component.name for edge in edges if edge.component.category == "network"}
    return called | {outcome.service for outcome in outcomes}


def _operation_change(service: str, name: str, pairs: _Pairs) -> OperationChange | None:
    """The change of an operation; None if it is not likely, or the operation calls nothing."""
    old_sets, new_sets = [pair[0].sets for pair in pairs], [pair[1].sets for pair in pairs]
    requests = _total(old_sets), _total(new_sets)
    if min(requests) < LEAST or (deviations := _deviations(pairs)) < SHAPE_LIKELY:
        return None
    changes = _changed_callees(_shares(old_sets, requests[0]), _shares(new_sets, requests[1]))
    gone = tuple(change for change in changes if _is_gone(change[1], change[2]))
    new = tuple(change for change in changes if _is_gone(change[2], change[1]))
    return OperationChange(service, name, deviations, requests, gone, new, changes[0]) if changes else None


def _is_gone(share: float, share_left: float) -> bool:
    return share >= SHAPE_NEW and share_left <= SHAPE_GONE * share


def _changed_callees(old_shares: Counter[str], new_shares: Counter[str]) -> list[tuple[str, float, float]]:
    """Each callee with the shares of the requests that call it (then, now), the largest change first."""
    changes = [(callee, old_shares[callee], new_shares[callee]) for callee in {*old_shares, *new_shares}]
    return sorted(changes, key=lambda change: (-abs(change[1] - change[2]), change[0]))


def _total(sets: Iterable[Counter[Callees]]) -> int:
    return sum(counts.total() for counts in sets)


def _callee_sets(period: Period) -> dict[tuple[str, str, str], _CalleeSets]:
    """The callee sets by route, service and operation."""
    breakdowns, by_operation = period.breakdowns, dict[tuple[str, str, str], _CalleeSets]()
    outlines, routes = list(breakdowns.outlines), [kind.route for kind in breakdowns.kinds]
    for place, (kind, number) in enumerate(zip(breakdowns.kind_of, breakdowns.outline_of, strict=True)):
        for operation in outlines[number]:
            key = (routes[kind], operation.service, operation.name)
            callee_sets = by_operation.get(key)
            if callee_sets is None:
                callee_sets = by_operation[key] = _CalleeSets(Counter(), defaultdict(Counter), Counter())
            callees = tuple([callee for callee in operation.callees if not HANDLER.search(callee)])
            callee_sets.sets[callees] += 1
            callee_sets.blocks[period.block(place)][callees] += 1
            if len(callees) < len(operation.callees):
                callee_sets.handled[next(callee for callee in operation.callees if callee not in callees)] += 1
    return by_operation


def _deviations(pairs: _Pairs) -> float:
    """How sure it is that the sets differ: a likelihood ratio as standard deviations, summed over the routes.

    Sets that come together, as requests of one user do, count for less: blocks show by how much.
    """
    ratio = spread = 0.0
    freedom = spread_freedom = 0
    for pair in pairs:
        both = pair[0].sets + pair[1].sets
        for callee_sets in pair:
            ratio += _ratio(callee_sets.sets, both)
        freedom += len(both) - 1
        for callee_sets in pair:
            statistic, degrees = _spread(callee_sets)
            spread, spread_freedom = spread + statistic, spread_freedom + degrees
    if not freedom:
        return 0.0
    clustered = max(1.0, spread / spread_freedom) if spread_freedom else 1.0
    return (ratio / clustered - freedom) / sqrt(2 * freedom)


def _ratio(sets: Counter[Callees], both: Counter[Callees]) -> float:
    size, total = sets.total(), both.total()
    return sum([2 * count * log(count * total / (both[callees] * size)) for callees, count in sets.items()])


def _spread(callee_sets: _CalleeSets) -> tuple[float, int]:
    """Pearson's statistic of the blocks against all of them, and its degrees of freedom."""
    sets, blocks = callee_sets.sets, callee_sets.blocks
    total = sets.total()
    if len(sets) < 2 or len(blocks) < 2:
        return 0.0, 0
    statistic = 0.0
    for block in blocks.values():
        size = block.total()
        for callees, count in sets.items():
            expected = size * count / total
            statistic += (block[callees] - expected) ** 2 / expected
    return statistic, (len(sets) - 1) * (len(blocks) - 1)


def _shares(sets: Iterable[Counter[Callees]], requests: int) -> Counter[str]:
    """The share of the requests that call each callee."""
    shares: Counter[str] = Counter()
    for counts in sets:
        for callees, count in counts.items():
            for callee in callees:
                shares[callee] += count / requests  # type: ignore[assignment]
    return shares


def _calls(old: Period, new: Period) -> list[CallChange]:
    """The changed numbers of calls, those first that change most calls."""
    (old_counts, old_sizes), (new_counts, new_sizes) = _counted(old), _counted(new)
    changes = []
    for route, edge in sorted({*old_counts, *new_counts}):
        sizes = old_sizes[route], new_sizes[route]
        if min(sizes) < COMPARABLE_REQUESTS * 2 or edge.is_own or edge.component.category in WITHIN:
            continue
        counts = old_counts.get((route, edge), []), new_counts.get((route, edge), [])
        means = sum(counts[0]) / sizes[0], sum(counts[1]) / sizes[1]
        kind = _kind(counts, means, sizes)
        # Requests of the route may call the same callee by another kind of edge
        counterparts = {"new": old_counts, "gone": new_counts}.get(kind or "", {})
        if kind is not None and not any(name == route and of.is_other_kind(edge) for name, of in counterparts):
            medians = _median(counts[0]), _median(counts[1])
            changes.append(CallChange(kind, route, edge, means, (round(medians[0]), round(medians[1]))))
    return sorted(changes, key=lambda change: -abs(change.mean[1] - change.mean[0]) * new_sizes[change.route])


def _median(counts: Sequence[int]) -> float:
    return median(counts) if counts else 0


def _kind(
    counts: tuple[Sequence[int], Sequence[int]], means: tuple[float, float], sizes: tuple[int, int]
) -> CallKind | None:
    """How the calls a request changed. `counts` has those of the requests that make any, `sizes` all requests."""
    if not min(map(len, counts)):
        share = max(len(counts[0]) / sizes[0], len(counts[1]) / sizes[1])
        kind: CallKind = "gone" if counts[0] else "new"
        return kind if share >= SHAPE_NEW and sizes[1] * share >= COMPARABLE_REQUESTS else None
    if min(map(len, counts)) < COMPARABLE_REQUESTS:
        return None
    more = int(means[1] > means[0])
    less = 1 - more
    is_multiple = all(measure[more] >= SHAPE_CALLS * measure[less] for measure in (means, [*map(_median, counts)]))
    if is_multiple and (means[more] - means[less]) * sizes[more] >= 2 * COMPARABLE_REQUESTS:
        return "more" if more else "fewer"
    return None


def _counted(period: Period) -> tuple[Mapping[tuple[str, Edge], list[int]], Counter[str]]:
    """The numbers of calls of each route and edge, of the requests that make any; and the requests of each route."""
    counts_of: defaultdict[tuple[str, Edge], list[int]] = defaultdict(list)
    sizes: Counter[str] = Counter()
    for route, _, _, counts in period.requests():
        sizes[route] += 1
        for edge, count in counts.items():
            if count:
                counts_of[route, edge].append(count)
    return counts_of, sizes
