"""Shares of requests that failed, started cold or timed out, before and now, with bounds of the difference.

The bounds are Newcombe's for the difference of two shares, based on Wilson's for each share. They hold for few requests
and for shares of 0 and 1 too (https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.judge.thresholds import TRUST_PERCENT

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.account import Kind
    from lambda_latency.latency.accounts.columns import Accounts

NAMES = ("errors", "cold starts", "timeouts")


class Rate(NamedTuple):
    """Requests of one kind, as (count, all), before and now. `low` and `high` bound the difference of the shares."""

    of: str
    then: tuple[int, int]
    now: tuple[int, int]
    low: float
    high: float

    @property
    def difference(self) -> float:
        """The share now minus the share before."""
        return self.now[0] / self.now[1] - self.then[0] / self.then[1]

    @property
    def stands(self) -> bool:
        """Whether the difference is real, not noise."""
        return self.low > 0 or self.high < 0


def rates(before: Accounts, now: Accounts) -> tuple[Rate, ...]:
    """The rates of errors, cold starts and timeouts, with joint bounds; empty if a side has no requests."""
    if not before or not now:
        return ()
    counted = [(_counted(side), len(side)) for side in (before, now)]
    found: list[Rate] = []
    for number, name in enumerate(NAMES):
        then, later = ((sum(_of(kind)[number] * some for kind, some in kinds), every) for kinds, every in counted)
        found.append(Rate(name, then, later, *_bounds(then, later)))
    return tuple(found)


def _counted(side: Accounts) -> list[tuple[Kind, int]]:
    counts = [0] * len(side.kinds)
    for number in side.kind_of:
        counts[number] += 1
    return list(zip(side.kinds, counts, strict=True))


def _of(kind: Kind) -> tuple[bool, bool, bool]:
    """Whether a request failed, started cold, timed out. A timeout is not counted as an error."""
    return kind.error and not kind.timed_out, kind.cold_start, kind.timed_out


def _bounds(then: tuple[int, int], now: tuple[int, int]) -> tuple[float, float]:
    z = NormalDist().inv_cdf(1 - (1 - TRUST_PERCENT / 100) / len(NAMES) / 2)
    (p, p_low, p_high), (q, q_low, q_high) = (_wilson(*one, z) for one in (then, now))
    low = q - p - sqrt((q - q_low) ** 2 + (p_high - p) ** 2)
    high = q - p + sqrt((q_high - q) ** 2 + (p - p_low) ** 2)
    return low, high


def _wilson(count: int, every: int, z: float) -> tuple[float, float, float]:
    share = count / every
    middle = (share + z * z / (2 * every)) / (1 + z * z / every)
    half = z / (1 + z * z / every) * sqrt(share * (1 - share) / every + z * z / (4 * every * every))
    return share, max(0.0, middle - half), min(1.0, middle + half)
