"""Changed shapes: operations that call other callees than in the baseline, and routes that make more or fewer calls."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import log, sqrt
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lambda_latency.latency.judge.thresholds import (
    COMPARABLE_REQUESTS,
    SHAPE_CALLS,
    SHAPE_DEVIATIONS,
    SHAPE_GONE,
    SHAPE_LIKELY,
    SHAPE_NEW,
    SHAPE_OPERATIONS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.baseline.sides import Side

LEAST = 5  # requests with an operation, on both sides
Callees: TypeAlias = "tuple[str, ...]"


class ShapeChange(NamedTuple):
    """An operation whose sets of callees changed. `requests` that have it, `gone` and `new` callees: (then, now).

    A callee is given with the shares of the operation's requests that called it, then and now. `most` is the one whose
    share changed most.
    """

    service: str
    operation: str
    deviations: float
    requests: tuple[int, int]
    gone: tuple[tuple[str, float, float], ...]
    new: tuple[tuple[str, float, float], ...]
    most: tuple[str, float, float]


class CallChange(NamedTuple):
    """The calls of a cell in a request of a route, then and now: the mean of all, and the median of those that call."""

    kind: Literal["gone", "new", "fewer", "more"]
    route: str
    cell: Cell
    mean: tuple[float, float]
    usual: tuple[int, int]


class Shapes(NamedTuple):
    """What changed, the surest first; `candidates` are services whose shape is likely, and not surely, another one."""

    operations: tuple[ShapeChange, ...] = ()
    calls: tuple[CallChange, ...] = ()
    candidates: tuple[str, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The services whose shape changed, the surest first."""
        return tuple(
            dict.fromkeys([*(one.service for one in self.operations), *(one.cell.caller for one in self.calls)])
        )


class _Seen(NamedTuple):
    """The requests of a route with an operation: how often each set of callees came, in all and by block."""

    sets: Counter[Callees]
    blocks: defaultdict[int, Counter[Callees]]


def shapes(old: Side, new: Side) -> Shapes:
    """The changes that no chance explains."""
    likely = _operations(old, new)
    sure = tuple(one for one in likely if one.deviations >= SHAPE_DEVIATIONS and one.requests[0] >= SHAPE_OPERATIONS)
    candidates = tuple(dict.fromkeys(one.service for one in likely if one not in sure))
    return Shapes(sure, tuple(_calls(old, new)), candidates)


def _operations(old: Side, new: Side) -> list[ShapeChange]:
    then, now = _seen(old), _seen(new)
    every: defaultdict[tuple[str, str], list[tuple[_Seen, _Seen]]] = defaultdict(list)
    for (route, service, name), one in now.items():
        before = then.get((route, service, name))
        if before is not None:
            every[service, name].append((before, one))
    found = []
    for (service, name), pairs in every.items():
        counts = tuple(sum([pair[side].sets.total() for pair in pairs]) for side in (0, 1))
        if min(counts) < LEAST:
            continue
        deviations = _deviations(pairs)
        if deviations < SHAPE_LIKELY:
            continue
        shares = [_shares([pair[side].sets for pair in pairs], counts[side]) for side in (0, 1)]
        callees = sorted({*shares[0], *shares[1]}, key=lambda one: (-abs(shares[0][one] - shares[1][one]), one))
        both = [(callee, shares[0][callee], shares[1][callee]) for callee in callees]
        gone = tuple(one for one in both if one[1] >= SHAPE_NEW and one[2] <= SHAPE_GONE * one[1])
        fresh = tuple(one for one in both if one[2] >= SHAPE_NEW and one[1] <= SHAPE_GONE * one[2])
        if both:
            found.append(ShapeChange(service, name, deviations, (counts[0], counts[1]), gone, fresh, both[0]))
    return sorted(found, key=lambda one: (-one.deviations, one.service, one.operation))


def _seen(side: Side) -> dict[tuple[str, str, str], _Seen]:
    every, found = side.accounts, dict[tuple[str, str, str], _Seen]()
    outlines, routes = list(every.outlines), [kind.route for kind in every.kinds]
    for place, (kind, number) in enumerate(zip(every.kind_of, every.outline_of, strict=True)):
        for one in outlines[number]:
            key = (routes[kind], one.service, one.name)
            seen = found.get(key)
            if seen is None:
                seen = found[key] = _Seen(Counter(), defaultdict(Counter))
            seen.sets[one.callees] += 1
            seen.blocks[side.block(place)][one.callees] += 1
    return found


def _deviations(pairs: Iterable[tuple[_Seen, _Seen]]) -> float:
    """How sure it is that the sets differ: a likelihood ratio as standard deviations, summed over the routes.

    Sets that come together, as requests of one user do, count for less: blocks tell by how much.
    """
    ratio = spread = 0.0
    free = pieces = 0
    for then, now in pairs:
        every = then.sets + now.sets
        n0, n1 = then.sets.total(), now.sets.total()
        for side, n in ((then.sets, n0), (now.sets, n1)):
            ratio += sum([2 * x * log(x * (n0 + n1) / (every[one] * n)) for one, x in side.items()])
        free += len(every) - 1
        for one in (then, now):
            some, of = _spread(one)
            spread, pieces = spread + some, pieces + of
    if not free:
        return 0.0
    clustered = max(1.0, spread / pieces) if pieces else 1.0
    return (ratio / clustered - free) / sqrt(2 * free)


def _spread(one: _Seen) -> tuple[float, int]:
    """Pearson's statistic of the blocks against all of them, and its degrees of freedom."""
    whole = one.sets.total()
    if len(one.sets) < 2 or len(one.blocks) < 2:
        return 0.0, 0
    found = 0.0
    for block in one.blocks.values():
        size = block.total()
        for callees, count in one.sets.items():
            expected = size * count / whole
            found += (block[callees] - expected) ** 2 / expected
    return found, (len(one.sets) - 1) * (len(one.blocks) - 1)


def _shares(sets: Iterable[Counter[Callees]], count: int) -> Counter[str]:
    """The share of the requests that call each callee."""
    found: Counter[str] = Counter()
    for one in sets:
        for callees, times in one.items():
            for callee in callees:
                found[callee] += times / count  # type: ignore[assignment]
    return found


def _calls(old: Side, new: Side) -> list[CallChange]:
    then, now = _counted(old), _counted(new)
    found = []
    for route, cell in sorted({*then[0], *now[0]}):
        sizes = then[1][route], now[1][route]
        if min(sizes) < COMPARABLE_REQUESTS * 2 or cell.is_own or cell.part.bucket in ("retries", "connect", "pool"):
            continue
        counts = then[0].get((route, cell), []), now[0].get((route, cell), [])
        kind = _kind(counts, sizes)
        if kind is not None:
            means = (sum(counts[0]) / sizes[0], sum(counts[1]) / sizes[1])
            usual = tuple(round(median(each)) if each else 0 for each in counts)
            found.append(CallChange(kind, route, cell, means, (usual[0], usual[1])))
    return sorted(found, key=lambda one: -abs(one.mean[1] - one.mean[0]) * now[1][one.route])


def _kind(
    counts: tuple[Sequence[int], Sequence[int]], sizes: tuple[int, int]
) -> Literal["gone", "new", "fewer", "more"] | None:
    """How the calls a request changed. `counts` has those of the requests that make any, `sizes` all requests."""
    shares = [len(each) / size for each, size in zip(counts, sizes, strict=True)]
    means = [sum(each) / size for each, size in zip(counts, sizes, strict=True)]
    if shares[0] >= SHAPE_NEW and not shares[1] and sizes[1] * shares[0] >= COMPARABLE_REQUESTS:
        return "gone"
    if not shares[0] and shares[1] >= SHAPE_NEW and sizes[1] * shares[1] >= COMPARABLE_REQUESTS:
        return "new"
    if min(map(len, counts)) < COMPARABLE_REQUESTS:
        return None
    for kind, (less, more) in (("more", (0, 1)), ("fewer", (1, 0))):
        twice = means[more] >= SHAPE_CALLS * means[less] and median(counts[more]) >= SHAPE_CALLS * median(counts[less])
        if twice and (means[more] - means[less]) * sizes[more] >= 2 * COMPARABLE_REQUESTS:
            return kind  # type: ignore[return-value]
    return None


def _counted(side: Side) -> tuple[Mapping[tuple[str, Cell], list[int]], Counter[str]]:
    """The numbers of calls of each route and cell, of the requests that make any; and the requests of each route."""
    found: defaultdict[tuple[str, Cell], list[int]] = defaultdict(list)
    sizes: Counter[str] = Counter()
    for route, _, _, counts in side.requests():
        sizes[route] += 1
        for cell, count in counts.items():
            if count:
                found[route, cell].append(count)
    return found, sizes
