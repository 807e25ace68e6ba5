"""Tests whether a time became longer or shorter: how often requests exceed the quantiles of the baseline.

The variance of a share comes from blocks of consecutive requests: slow requests come together, and count for less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log, prod, sqrt
from statistics import NormalDist, fmean
from typing import NamedTuple, TypeAlias, TypeVar

from lambda_latency.latency.analysis.slowness import PIECES
from lambda_latency.latency.analysis.thresholds import (
    BEYOND_NS,
    BEYOND_TIMES,
    COMPARABLE_REQUESTS,
    FEW_ENTRIES,
    STUDENT,
    TRUST_PERCENT,
)
from lambda_latency.latency.baseline.periods import BLOCKS, EdgeWaits, Period

QUANTILES = (0.5, 0.75, 0.9, 0.98)  # of the baseline
LEAST_NS = 10_000  # of a logarithm: shorter times do not differ
LEAST_VARIANCE = 0.01  # of logarithms: few requests may be equal by chance
LEAST_LOGARITHMS = 4
LEAST_CHANCE = 1e-15
Number = TypeVar("Number", int, float)
Row: TypeAlias = "tuple[int, int, str]"  # the place of a request, nanoseconds, and its route


class Deviations(NamedTuple):
    """How sure a difference is, as standard deviations: of the typical request, and the strongest of all quantiles.

    Positive: slower.
    """

    typical: float
    strongest: float


def critical(tests: int) -> float:
    """Return the value that none of so many tests without a difference reaches, in `TRUST_PERCENT` % of cases."""
    chance = (100 - TRUST_PERCENT) / 100 / max(1, tests * len(QUANTILES))
    return NormalDist().inv_cdf(1 - chance) * STUDENT


def quantile(ordered: Sequence[Number], share: float) -> Number:
    """Return a quantile of sorted values."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def deviations_of(old: Period, new: Period, old_waits: EdgeWaits, new_waits: EdgeWaits) -> Deviations:
    """Test the times a call of an edge on the routes that both periods have.

    The differences of routes are averaged by their precision (Mantel-Haenszel): a changed mix is no difference.
    """
    common = {*old_waits.routes} & {*new_waits.routes}
    old_rows, new_rows = ([row for row in waits.listed() if row[2] in common] for waits in (old_waits, new_waits))
    count = min(len(old_rows), len(new_rows))
    differences = [_welch(old_rows, new_rows)] if count < FEW_ENTRIES else []
    if count < COMPARABLE_REQUESTS:
        return Deviations(differences[0], differences[0])
    counts = _counts(old_rows), _counts(new_rows)
    ordered = _sorted_by_route(old_rows)
    for share in QUANTILES:
        limits = {route: quantile(times, share) for route, times in ordered.items()}
        old_exceedances = _Exceedances.measured(old_rows, old, limits, counts)
        differences.append(_difference(old_exceedances, _Exceedances.measured(new_rows, new, limits, counts)))
    typical = max(differences[: 1 - len(QUANTILES)], key=abs)
    maxima = {route: times[-1] for route, times in ordered.items()}
    differences.append(_outlier_deviations(new_rows, new, maxima, counts))
    return Deviations(typical, max(differences, key=abs))


def _sorted_by_route(rows: Sequence[Row]) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {}
    for _, ns, route in sorted(rows, key=lambda row: row[1]):
        times.setdefault(route, []).append(ns)
    return times


def _counts(rows: Sequence[Row]) -> Counter[str]:
    return Counter([route for _, _, route in rows])


class _Exceedances(NamedTuple):
    """The average share of exceedances of the routes, its variance between blocks, and the sum of squared weights."""

    share: float
    variance: float
    squares: float

    @classmethod
    def measured(
        cls, rows: Sequence[Row], period: Period, limits: Mapping[str, int], counts: Sequence[Counter[str]]
    ) -> _Exceedances:
        """Measure rows over the limits of their routes; `counts` has the rows of both periods by route."""
        precisions = {route: 1 / (1 / counts[0][route] + 1 / counts[1][route]) for route in limits}
        sizes, total = _counts(rows), sum(precisions.values())
        weights = {route: precision / total / sizes[route] for route, precision in precisions.items()}
        above = _counts([row for row in rows if row[1] > limits[row[2]]])
        shares = {route: above[route] / sizes[route] for route in limits}
        beyond, used = [0.0] * BLOCKS, [False] * BLOCKS
        for place, ns, route in rows:
            block = period.block(place)
            used[block] = True
            beyond[block] += weights[route] * ((ns > limits[route]) - shares[route])
        blocks = sum(used)
        return cls(
            share=sum([weights[route] * above[route] for route in limits]),
            variance=blocks / max(blocks - 1, 1) * sum([block * block for block in beyond]),
            squares=sum([weights[route] ** 2 * sizes[route] for route in limits]),
        )


def _difference(old: _Exceedances, new: _Exceedances) -> float:
    """The difference of two shares in standard deviations: those between blocks, or the binomial ones if larger."""
    old_size, new_size = 1 / old.squares, 1 / new.squares
    pooled = (old.share * old_size + new.share * new_size + 1) / (old_size + new_size + 2)
    binomial = pooled * (1 - pooled)
    variances = [max(exceedances.variance, binomial * exceedances.squares) for exceedances in (old, new)]
    return (new.share - old.share) / sqrt(sum(variances))


def _welch(old_rows: Sequence[Row], new_rows: Sequence[Row]) -> float:
    """Welch's test of the logarithms as standard deviations of the same chance (Wallace): for few requests."""
    if min(len(old_rows), len(new_rows)) < LEAST_LOGARITHMS:
        return 0.0
    old_logs, new_logs = _logarithms(old_rows), _logarithms(new_rows)
    routes = {route for route, _ in new_logs}
    middle = {route: (_mean_of(route, old_logs) + _mean_of(route, new_logs)) / 2 for route in routes}
    means, variances, squares = [], [], 0.0
    for logs in (new_logs, old_logs):
        centred = [number - middle[route] for route, number in logs]
        mean = fmean(centred)
        spread = sum([(number - mean) ** 2 for number in centred]) / (len(centred) - 1)
        variance = max(spread, LEAST_VARIANCE) / len(centred)
        means.append(mean)
        variances.append(variance)
        squares += variance**2 / (len(centred) - 1)
    freedom = sum(variances) ** 2 / squares
    t = (means[0] - means[1]) / sqrt(sum(variances))
    return (1 if t > 0 else -1) * sqrt(freedom * log(1 + t * t / freedom) * (1 - 0.75 / freedom))


def _logarithms(rows: Sequence[Row]) -> list[tuple[str, float]]:
    return [(route, log(max(ns, LEAST_NS))) for _, ns, route in rows]


def _mean_of(route: str, logs: Sequence[tuple[str, float]]) -> float:
    return fmean([number for name, number in logs if name == route])


def _outlier_deviations(
    rows: Sequence[Row], new: Period, maxima: Mapping[str, int], counts: Sequence[Counter[str]]
) -> float:
    """How unlikely it is that so many pieces of time have a request far beyond all of the baseline."""
    # The chance that the farthest of all requests of the route is a new one
    pieces: dict[int, float] = {}
    for place, ns, route in rows:
        if ns > BEYOND_TIMES * maxima[route] + BEYOND_NS:
            piece = place * PIECES // len(new)
            pieces[piece] = max(pieces.get(piece, 0), counts[1][route] / (counts[0][route] + counts[1][route]))
    return NormalDist().inv_cdf(1 - max(prod(pieces.values()), LEAST_CHANCE)) if pieces else 0.0
