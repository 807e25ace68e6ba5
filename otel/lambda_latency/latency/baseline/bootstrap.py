"""Bounds of the difference between two sets of requests, by bootstrap; they widen with the number of comparisons."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from lambda_latency.latency.judge.thresholds import DRIFT_NS, TRUST_PERCENT

BLOCKS = 20
DRAWS = 1000
TAIL = 0.025  # share of the draws beyond each bound


class Times(NamedTuple):
    """Request times, sorted ascending, and the effective number of independent ones.

    A cause that slows one request slows the following ones too: the effective number may be smaller than the number of
    requests.
    """

    values: Sequence[int]
    independent: float

    @classmethod
    def of(cls, times: Sequence[int]) -> Times:
        """Create `Times` from times in the order in which the requests started."""
        values, size = sorted(times), len(times)
        middle = _median(values)
        excess = [0.0] * BLOCKS  # per block of consecutive requests: how many more than half lie above the median
        for number, ns in enumerate(times):
            excess[number * BLOCKS // size] += (ns > middle) + (ns == middle) / 2 - 0.5
        together = 4 * sum(each * each for each in excess) / size * BLOCKS / (BLOCKS - 1)
        return cls(values, size / max(1.0, together))


class Stratum(NamedTuple):
    """A group of requests before and now, and the weight of the group."""

    weight: int
    before: Times
    now: Times


class Blocks(NamedTuple):
    """A mean, and what each of `BLOCKS` blocks of consecutive requests adds to it beyond the expected amount."""

    mean: Fraction
    beyond: Sequence[float]


class Estimate(NamedTuple):
    """A measure before and now, and the bounds of its difference, in nanoseconds."""

    before_ns: int
    now_ns: int
    low_ns: int
    high_ns: int

    @property
    def difference_ns(self) -> int:
        """The measure now minus the measure before."""
        return self.now_ns - self.before_ns


def of_medians(key: str, strata: Sequence[Stratum], asked: int) -> Estimate:
    """Estimate the difference of medians (nearest rank), averaged over strata; `key` seeds the random draws.

    `asked` is the number of estimates made together: the bounds of all of them hold in `TRUST_PERCENT` % of cases.
    """
    whole = sum(one.weight for one in strata)
    before = sum((one.weight * Fraction(_median(one.before.values)) for one in strata), Fraction()) / whole
    now = sum((one.weight * Fraction(_median(one.now.values)) for one in strata), Fraction()) / whole
    draw = random.Random(key)  # noqa: S311 - a repeatable seed, not a secret
    drawn = [0.0] * DRAWS
    for one in strata:
        share = one.weight / whole
        for sign, times in ((-share, one.before), (share, one.now)):
            drawn = [at + sign * value for at, value in zip(drawn, _medians(times, draw), strict=True)]
    return _bounded(before, now, drawn, asked)


def of_means(key: str, before: Blocks, now: Blocks, asked: int) -> Estimate:
    """Estimate the difference of means; `key` and `asked` are those of `of_medians`."""
    draw = random.Random(key)  # noqa: S311
    drawn = [float(now.mean - before.mean)] * DRAWS
    for sign, blocks in ((-1, before), (1, now)):
        size = len(blocks.beyond)
        if any(blocks.beyond):
            # A resample varies less than the requests that it is drawn from: the factor corrects for that.
            wider = sign * sqrt(size / (size - 1))
            sums = (sum(draw.choices(blocks.beyond, k=size)) for _ in range(DRAWS))
            drawn = [at + wider * value for at, value in zip(drawn, sums, strict=True)]
    return _bounded(before.mean, now.mean, drawn, asked)


def _bounded(before: Fraction, now: Fraction, drawn: list[float], asked: int) -> Estimate:
    """An estimate with the bounds that hold 95 % of the draws, widened for the number of estimates (Bonferroni).

    The standard deviation of the draws is no measure here: if the times have two modes, one draw in a thousand may come
    from the other mode and dominate it.
    """
    normal = NormalDist()
    wider = normal.inv_cdf(1 - (100 - TRUST_PERCENT) / 200 / asked) / normal.inv_cdf(1 - TAIL)
    difference = round(now) - round(before)
    beyond = int(DRAWS * TAIL)
    drawn.sort()
    reach = wider * max(difference - drawn[beyond], drawn[-1 - beyond] - difference, 0.0) + DRIFT_NS
    return Estimate(round(before), round(now), round(difference - reach), round(difference + reach))


def draws_of(times: Times, percent: int, draw: random.Random) -> list[float]:
    """A percentile of resamples: that of n uniform draws has a beta distribution, so that one draw replaces n."""
    values, size = times.values, len(times.values)
    above = times.independent * (100 - percent) / 100
    first, second = times.independent - above + 0.5, above + 0.5
    return [float(values[min(int(size * draw.betavariate(first, second)), size - 1)]) for _ in range(DRAWS)]


def wider_by(drawn: Sequence[float], asked: int) -> tuple[float, float]:
    """The bounds that hold 95 % of sorted draws, widened about their median for `asked` estimates."""
    normal = NormalDist()
    wider = normal.inv_cdf(1 - (100 - TRUST_PERCENT) / 200 / asked) / normal.inv_cdf(1 - TAIL)
    beyond = int(len(drawn) * TAIL)
    middle = drawn[len(drawn) // 2]
    return middle - wider * (middle - drawn[beyond]), middle + wider * (drawn[-1 - beyond] - middle)


def _median(values: Sequence[int]) -> int:
    return values[(len(values) - 1) // 2]


def _medians(times: Times, draw: random.Random) -> list[float]:
    """Medians of resamples. The median of n uniform draws has a beta distribution: one draw replaces n."""
    values, size, half = times.values, len(times.values), (times.independent + 1) / 2
    return [float(values[min(int(size * draw.betavariate(half, half)), size - 1)]) for _ in range(DRAWS)]
