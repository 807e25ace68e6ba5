"""Tests whether a time became longer or shorter: how often requests exceed the quantiles of the baseline.

The variance of a share comes from blocks of consecutive requests: slow requests come together, and count for less.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from math import log, prod, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lambda_latency.latency.baseline.bootstrap import BLOCKS
from lambda_latency.latency.judge.slowness import PIECES
from lambda_latency.latency.judge.thresholds import (
    BEYOND_NS,
    BEYOND_TIMES,
    COMPARABLE_REQUESTS,
    FEW_ENTRIES,
    STUDENT,
    TRUST_PERCENT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.baseline.sides import Entries, Side

QUANTILES = (0.5, 0.75, 0.9, 0.98)  # of the baseline
LEAST_NS = 10_000  # of a logarithm: shorter times do not differ
LEAST_VARIANCE = 0.01  # of logarithms: few requests may be equal by chance
LEAST_LOGARITHMS = 4
LEAST_CHANCE = 1e-15
Entry: TypeAlias = "tuple[int, int, str]"  # the place of a request, nanoseconds, and its route


class Tested(NamedTuple):
    """How sure a difference is, as standard deviations: of the typical request, and the strongest of all quantiles.

    Positive: slower.
    """

    typical: float
    strongest: float


def critical(cells: int) -> float:
    """The value that a test must reach, so that none of `cells` without a difference does in `TRUST_PERCENT` %."""
    chance = (100 - TRUST_PERCENT) / 100 / max(1, cells * len(QUANTILES))
    return NormalDist().inv_cdf(1 - chance) * STUDENT


def quantile(values: Sequence[int], share: float) -> int:
    """A quantile of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


def exceeding(old: Side, new: Side, before: Entries, now: Entries) -> Tested:
    """Test the times a call of a cell on the routes that both sides have.

    The differences of routes are averaged by their precision (Mantel-Haenszel): a changed mix is no difference.
    """
    common = {*before.routes} & {*now.routes}
    then, later = ([one for one in side.listed() if one[2] in common] for side in (before, now))
    found: list[float] = []
    if min(len(then), len(later)) < FEW_ENTRIES:
        found.append(_few(then, later))
        if min(len(then), len(later)) < COMPARABLE_REQUESTS:
            return Tested(found[0], found[0])
    counts = [Counter([route for _, _, route in some]) for some in (then, later)]
    by_route: defaultdict[str, list[int]] = defaultdict(list)
    for _, ns, route in then:
        by_route[route].append(ns)
    known = {route: sorted(values) for route, values in by_route.items()}
    for share in QUANTILES:
        over = {route: quantile(values, share) for route, values in known.items()}
        found.append(_difference(*(_Exceedances.of(some, side, over, counts) for some, side in
                                   ((then, old), (later, new)))))  # fmt: skip
    typical = max(found[: len(found) - len(QUANTILES) + 1], key=abs)
    found.append(_beyond(later, new, {route: values[-1] for route, values in known.items()}, counts))
    return Tested(typical, max(found, key=abs))


class _Exceedances(NamedTuple):
    """The average share of exceedances of the routes, its variance between blocks, and the sum of squared weights."""

    share: float
    variance: float
    squares: float

    @classmethod
    def of(
        cls, entries: Sequence[Entry], side: Side, over: Mapping[str, int], counts: Sequence[Counter[str]]
    ) -> _Exceedances:
        """Those of some entries over the limits of their routes; `counts` has the entries of both sides by route."""
        both = {route: 1 / (1 / counts[0][route] + 1 / counts[1][route]) for route in over}
        own = Counter([route for _, _, route in entries])
        weights = {route: precision / sum(both.values()) / own[route] for route, precision in both.items()}
        above = Counter([route for _, ns, route in entries if ns > over[route]])
        shares = {route: above[route] / own[route] for route in over}
        beyond, used = [0.0] * BLOCKS, [False] * BLOCKS
        for place, ns, route in entries:
            block = side.block(place)
            used[block] = True
            beyond[block] += weights[route] * ((ns > over[route]) - shares[route])
        blocks = sum(used)
        return cls(
            share=sum([weights[route] * above[route] for route in over]),
            variance=blocks / max(blocks - 1, 1) * sum([each * each for each in beyond]),
            squares=sum([weights[route] ** 2 * own[route] for route in over]),
        )


def _difference(before: _Exceedances, now: _Exceedances) -> float:
    """The difference of two shares in standard deviations: those between blocks, or the binomial ones if larger."""
    count, many = 1 / before.squares, 1 / now.squares
    pooled = (before.share * count + now.share * many + 1) / (count + many + 2)
    binomial = pooled * (1 - pooled)
    variances = [max(one.variance, binomial * one.squares) for one in (before, now)]
    return (now.share - before.share) / sqrt(sum(variances))


def _few(then: Sequence[Entry], later: Sequence[Entry]) -> float:
    """Welch's test of the logarithms as standard deviations of the same chance (Wallace): for few requests."""
    if min(len(then), len(later)) < LEAST_LOGARITHMS:
        return 0.0
    before, now = ([(route, log(max(ns, LEAST_NS))) for _, ns, route in some] for some in (then, later))
    middle = {route: sum(_mean([one for its, one in side if its == route]) for side in (before, now)) / 2
              for route in {route for route, _ in now}}  # fmt: skip
    means, variances, squares = [], [], 0.0
    for some in (now, before):
        logs = [one - middle[route] for route, one in some]
        mean = _mean(logs)
        spread = sum([(one - mean) ** 2 for one in logs]) / (len(logs) - 1)
        variance = max(spread, LEAST_VARIANCE) / len(logs)
        means.append(mean)
        variances.append(variance)
        squares += variance**2 / (len(logs) - 1)
    freedom = sum(variances) ** 2 / squares
    t = (means[0] - means[1]) / sqrt(sum(variances))
    return (1 if t > 0 else -1) * sqrt(freedom * log(1 + t * t / freedom) * (1 - 0.75 / freedom))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _beyond(now: Sequence[Entry], new: Side, most: Mapping[str, int], counts: Sequence[Counter[str]]) -> float:
    """How unlikely it is that so many pieces of time have a request far beyond all of the baseline."""
    pieces: dict[int, float] = {}  # the chance that the farthest of all requests of the route is a new one
    for place, ns, route in now:
        if ns > BEYOND_TIMES * most[route] + BEYOND_NS:
            piece = place * PIECES // len(new)
            pieces[piece] = max(pieces.get(piece, 0), counts[1][route] / (counts[0][route] + counts[1][route]))
    return NormalDist().inv_cdf(1 - max(prod(pieces.values()), LEAST_CHANCE)) if pieces else 0.0
