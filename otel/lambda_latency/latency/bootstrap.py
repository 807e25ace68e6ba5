"""How sure a difference between two sets of requests is: bounds by bootstrap, wider the more is asked at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from lambda_latency.latency.thresholds import DRIFT_NS, TRUST_PERCENT

__all__ = ["BLOCKS", "Blocks", "Estimate", "Stratum", "Times", "of_means", "of_medians"]

BLOCKS = 20
DRAWS = 1000
TAIL = 0.025  # of the draws lie beyond each bound


class Times(NamedTuple):
    """Times of requests in the order of their size, and as how many they count that had nothing to do with each other.

    What slows one request slows the next ones too.
    """

    values: Sequence[int]
    independent: float

    @classmethod
    def of(cls, times: Sequence[int]) -> Times:
        """Of times in the order in which the requests began."""
        values, size = sorted(times), len(times)
        middle = _median(values)
        below = [0.0] * BLOCKS  # in each block of requests that followed each other more than half of them
        for number, ns in enumerate(times):
            below[number * BLOCKS // size] += (ns > middle) + (ns == middle) / 2 - 0.5
        together = 4 * sum(each * each for each in below) / size * BLOCKS / (BLOCKS - 1)
        return cls(values, size / max(1.0, together))


class Stratum(NamedTuple):
    """Requests of one sort before and now, and the sort's weight."""

    weight: int
    before: Times
    now: Times


class Blocks(NamedTuple):
    """A mean, and for `BLOCKS` blocks of requests that followed each other what each adds to it beyond its share."""

    mean: Fraction
    beyond: Sequence[float]


class Estimate(NamedTuple):
    """A measure before and now in nanoseconds, and the bounds of its difference."""

    before_ns: int
    now_ns: int
    low_ns: int
    high_ns: int

    @property
    def difference_ns(self) -> int:
        """How much it grew."""
        return self.now_ns - self.before_ns


def of_medians(key: str, strata: Sequence[Stratum], asked: int) -> Estimate:
    """The difference of medians (nearest rank), averaged over strata. The draws are those of the `key`.

    Its bounds and those of all that is `asked` beside it hold together in `TRUST_PERCENT` of such comparisons.
    """
    whole = sum(one.weight for one in strata)
    before = sum((one.weight * Fraction(_median(one.before.values)) for one in strata), Fraction()) / whole
    now = sum((one.weight * Fraction(_median(one.now.values)) for one in strata), Fraction()) / whole
    draw = random.Random(key)  # noqa: S311 - a seed that can be repeated, not a secret
    drawn = [0.0] * DRAWS
    for one in strata:
        share = one.weight / whole
        for sign, times in ((-share, one.before), (share, one.now)):
            drawn = [at + sign * value for at, value in zip(drawn, _medians(times, draw), strict=True)]
    return _bounded(before, now, drawn, asked)


def of_means(key: str, before: Blocks, now: Blocks, asked: int) -> Estimate:
    """The difference of means; see `of_medians`."""
    draw = random.Random(key)  # noqa: S311
    drawn = [float(now.mean - before.mean)] * DRAWS
    for sign, blocks in ((-1, before), (1, now)):
        size = len(blocks.beyond)
        if any(blocks.beyond):
            wider = sign * sqrt(size / (size - 1))  # a resample varies less than what it is drawn from
            sums = (sum(draw.choices(blocks.beyond, k=size)) for _ in range(DRAWS))
            drawn = [at + wider * value for at, value in zip(drawn, sums, strict=True)]
    return _bounded(before.mean, now.mean, drawn, asked)


def _bounded(before: Fraction, now: Fraction, drawn: list[float], asked: int) -> Estimate:
    """By the bounds that 95 % of the draws lie in, made wider for as many as are asked at once (Bonferroni).

    Not by the draws' deviation: of times in two heaps one draw in a thousand may find the other heap, and would be
    most of it.
    """
    normal = NormalDist()
    wider = normal.inv_cdf(1 - (100 - TRUST_PERCENT) / 200 / asked) / normal.inv_cdf(1 - TAIL)
    difference = round(now) - round(before)
    beyond = int(DRAWS * TAIL)
    drawn.sort()
    reach = wider * max(difference - drawn[beyond], drawn[-1 - beyond] - difference, 0.0) + DRIFT_NS
    return Estimate(round(before), round(now), round(difference - reach), round(difference + reach))


def _median(values: Sequence[int]) -> int:
    return values[(len(values) - 1) // 2]


def _medians(times: Times, draw: random.Random) -> list[float]:
    """Medians of resamples: that of n uniform draws is one draw from a beta distribution."""
    values, size, half = times.values, len(times.values), (times.independent + 1) / 2
    return [float(values[min(int(size * draw.betavariate(half, half)), size - 1)]) for _ in range(DRAWS)]
