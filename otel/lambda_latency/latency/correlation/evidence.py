"""How improbable it is that slow requests have a value or a range of numbers so often by chance."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from math import log
from typing import NamedTuple, TypeAlias

from lambda_latency.latency.correlation.association import Value
from lambda_latency.latency.correlation.attribute_sets import Key, bits
from lambda_latency.latency.correlation.question import Question


def divergence(count: int, observed: int, expected: float) -> float:
    """Return minus the logarithm of Chernoff's bound on the chance of `observed` or more of `count`."""
    if not count or observed <= expected:
        return 0.0
    share = observed / count
    expected_share = min(max(expected / count, 1e-12), 1 - 1e-12)
    without = (1 - share) * log((1 - share) / (1 - expected_share)) if share < 1 else 0.0
    return count * (share * log(share / expected_share) + without)


class Stratum(NamedTuple):
    """Requests that are compared with each other: the set, and how many of them are slow, of how many."""

    members: int
    slow: int
    total: int


class Groups:
    """The slow requests of a question and their controls, among those that are `eligible` to have a value."""

    def __init__(self, question: Question, eligible: int) -> None:
        self.slow, self.controls = question.slow & eligible, question.controls & eligible
        self.counts = self.slow.bit_count(), self.controls.bit_count()
        both = self.slow | self.controls
        self._strata: list[Stratum] = []
        for piece in question.strata:
            members = piece & both
            slow = (members & self.slow).bit_count()
            total = members.bit_count()
            if 0 < slow < total:
                self._strata.append(Stratum(members, slow, total))

    def tally(self, holders: int) -> tuple[int, int]:
        """Count the slow requests and the controls that have a value."""
        return (holders & self.slow).bit_count(), (holders & self.controls).bit_count()

    def rough_nats(self, holders: int) -> float:
        """The improbability if requests of all routes and times are alike: no less than `nats`, mostly."""
        slow, controls = self.tally(holders)
        return divergence(slow + controls, slow, (slow + controls) * self.counts[0] / max(sum(self.counts), 1))

    def scatter(self, holders: int) -> float:
        """How scattered in time the requests with a value are, from 0 (one run) to 1 (as if drawn at random).

        Requests are in the order of their start. A value of one time, such as a counter's, comes in few runs: what
        is slow at that time is slow for any reason.
        """
        both = self.slow | self.controls
        order = [holders >> place & 1 for place in range(both.bit_length()) if both >> place & 1]
        count = sum(order)
        runs = sum(current > previous for previous, current in zip((0, *order), order, strict=False))
        return min((runs - 1) / max((count - 1) * (1 - count / len(order)), 1), 1.0)

    def nats(self, holders: int, *, within: tuple[int, ...] = (-1,)) -> float:
        """The improbability, as a logarithm, if only requests of one route and time are alike.

        `within`: sets of requests, of which only those of the same one are compared with each other.
        """
        observed = members = slow = 0
        expected = 0.0
        for stratum in self._strata:
            for subset in within:
                inside = stratum.members & subset
                slow_inside = stratum.slow if subset == -1 else (inside & self.slow).bit_count()
                total = stratum.total if subset == -1 else inside.bit_count()
                if not 0 < slow_inside < total:
                    continue
                holding = inside & holders
                count = holding.bit_count()
                slow += slow_inside
                if count:
                    observed += (holding & self.slow).bit_count()
                    members += count
                    expected += count * slow_inside / total
        # Both count the same: of the slow requests those that have it, of those that have it the slow ones.
        return max(divergence(members, observed, expected), divergence(slow, observed, expected))


# Of the numbers of an attribute: ranges are between them
CUTS = 16
QUESTIONS = CUTS * (CUTS + 1) // 2  # that an attribute with numbers asks
NEIGHBOURS = 40  # numbers around a cut where the evidence may be larger
Bounds: TypeAlias = "tuple[float, float | None]"  # from the first up to, not including, the second (None: no limit)
Nats: TypeAlias = "Callable[[float, float | None], float]"


def best_range(
    key: Key, numbered: Sequence[tuple[float, int]], groups: Groups, least: float
) -> tuple[Value, int] | None:
    """Return the range, and the requests with a number in it; None if a first look finds less than `least` nats.

    `numbered` are the numbers, ascending, each with its request.
    """
    smallest = numbered[0][0]
    cuts = _cuts(numbered, groups.slow)

    @cache
    def from_cut(cut: float) -> int:
        return bits(place for number, place in numbered if number >= cut)

    def nats(low: float, high: float | None) -> float:
        return groups.rough_nats(_range_members(from_cut, low, high))

    pairs = [
        (low, high)
        for low, high in combinations([*cuts, None], 2)
        if low is not None and (low > smallest or high is not None)
    ]
    best = max(pairs, key=lambda pair: (nats(*pair), -pair[0]), default=None)
    if best is None or nats(*best) < least:
        return None
    distinct = sorted({number for number, _ in numbered})
    low, high = _refined(distinct, cuts, best, nats)
    return value_of_range(key, distinct, low, high), _range_members(from_cut, low, high)


def _range_members(from_cut: Callable[[float], int], low: float, high: float | None) -> int:
    return from_cut(low) & ~from_cut(high) if high is not None else from_cut(low)


def _cuts(numbered: Sequence[tuple[float, int]], slow: int) -> list[float]:
    """Numbers that divide all requests, and the slow ones, evenly."""
    numbers = [number for number, _ in numbered]
    of_slow = [number for number, place in numbered if slow >> place & 1] or numbers
    half = CUTS // 2
    return sorted({series[len(series) * cut // half] for series in (numbers, of_slow) for cut in range(half)})


def _refined(distinct: Sequence[float], cuts: Sequence[float], best: Bounds, nats: Nats) -> Bounds:
    """Move the bounds, one after the other, between the neighbouring cuts to where the evidence is largest."""
    low, high = best
    lows = [number for number in _neighbours(low, distinct, cuts) if high is None or number < high]
    low = max(lows, key=lambda number: (nats(number, high), -number))
    if high is not None:
        highs = [number for number in _neighbours(high, distinct, cuts) if number > low]
        high = max(highs, key=lambda number: (nats(low, number), number), default=high)
    return low, high


def _neighbours(cut: float, distinct: Sequence[float], cuts: Sequence[float]) -> Sequence[float]:
    """Numbers between the cut before a cut and the one after it."""
    lower, upper = bisect_left(cuts, cut), bisect_right(cuts, cut)
    begin = bisect_left(distinct, cuts[lower - 1]) if lower else 0
    end = bisect_right(distinct, cuts[upper]) if upper < len(cuts) else len(distinct)
    return distinct[begin : end : max((end - begin) // NEIGHBOURS, 1)]


def value_of_range(key: Key, distinct: Sequence[float], low: float, high: float | None) -> Value:
    """Return the range in round numbers: any bound between the last number outside and the first inside is right."""
    begin = bisect_left(distinct, low)
    end = bisect_left(distinct, high) if high is not None else len(distinct)
    if end - begin == 1 and high is not None:
        return Value(*key, f"{distinct[begin]:.15g}")
    lower_bound = _round(distinct[begin - 1], low) if begin else None
    return Value(*key, None, lower_bound, _round(distinct[end - 1], high) if high is not None else None)


def _round(exceeded: float, highest: float) -> float:
    """Return the roundest number above `exceeded`, up to `highest`."""
    for digits in range(-15, 16):
        unit = 10.0**-digits
        for step in (5, 2, 1):
            multiple = (highest // (unit * step)) * unit * step
            if exceeded < multiple <= highest:
                return round(multiple, max(digits, 0))
    return highest
