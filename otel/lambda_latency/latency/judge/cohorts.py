"""Comparison of slow with typical requests of the same route, by means: means of parts add up, percentiles do not."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.part import UNKNOWN, Part
from lambda_latency.latency.accounts.totals import at_rank, percentile
from lambda_latency.latency.judge.thresholds import LEAST_OF_ROUTE, SLOW_PERCENT, TYPICAL_PERCENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.accounts.account import Account


@dataclass(frozen=True, slots=True)
class Compared:
    """One part: mean times in typical and slow requests, and the number of slow requests with it as largest excess."""

    part: Part
    typical_ns: int
    slow_ns: int
    largest_in_slow: int

    @property
    def difference_ns(self) -> int:
        """The slow mean minus the typical mean; negative if slow requests wait less for the part."""
        return self.slow_ns - self.typical_ns


@dataclass(frozen=True, slots=True)
class Slow:
    """A slow request (without its calls), the part with the largest excess over typical requests, and that excess."""

    account: Account
    part: Part
    more_ns: int


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The slow requests (all take over `over_ns`; the slowest first), and how each part differs from typical requests.

    `typical` is the number of typical requests, and `width_ns` the width of their range. `parts` are sorted by
    difference, the largest first. `least_share` is the percentage of the difference that the first part explains if the
    slow request that supports it most is left out. `alone` are slow requests of routes with too few requests for a
    comparison, each with its largest part. `border_ns` is `over_ns` if all requests over it are slow or alone; where
    routes have fences of their own, no duration divides slow from other requests, and it is None.
    """

    over_ns: int
    slow: tuple[Slow, ...]
    slow_mean_ns: int
    typical: int
    typical_mean_ns: int
    width_ns: int
    parts: tuple[Compared, ...]
    least_share: int
    alone: tuple[Slow, ...] = ()
    border_ns: int | None = None

    @property
    def difference_ns(self) -> int:
        """The mean wall clock of slow requests minus that of typical ones."""
        return self.slow_mean_ns - self.typical_mean_ns


@dataclass(frozen=True, slots=True)
class _Typical:
    """The typical requests of one route; `sums_ns` is their total time by part."""

    requests: int
    width_ns: int
    mean_ns: Fraction
    sums_ns: Mapping[Part, int]


def cohorts(accounts: Sequence[Account], slow_ns: int | None = None, slow: Sequence[int] = ()) -> Cohorts:
    """Compare the requests over `slow_ns` (default: the 95th percentile) with typical ones of the same route.

    `slow` are the indices of the slow requests if they are known. Requests that timed out are left out: their duration
    is the limit, and the report describes them separately.
    """
    every = Accounts.of(accounts)
    ended, walls, kinds = every.ended(), every.walls_ns, list(every.kinds)
    over_ns = _border([walls[at] for at in ended]) if slow_ns is None else slow_ns
    over = [at for at in ended if walls[at] > over_ns]
    counts = Counter[str]()
    for kind, requests in Counter(every.kind_of).items():
        counts[kinds[kind].route] += requests * (not kinds[kind].timed_out)
    few = [at for at in over if counts[kinds[every.kind_of[at]].route] < LEAST_OF_ROUTE]
    over = [at for at in over if counts[kinds[every.kind_of[at]].route] >= LEAST_OF_ROUTE] if few else over
    if slow:
        over, over_ns = list(slow), min(walls[at] for at in slow) - 1 if slow_ns is None else slow_ns
    divides = {*over, *few}.issuperset(at for at in ended if walls[at] > over_ns)
    them = sorted(every.made(over, with_calls=False), key=lambda one: (-one.wall_ns, one.trace_id))
    by_route = {one.route: array("I") for one in them}
    members = [by_route.get(kind.route) for kind in every.kinds]
    for at in ended:
        its = members[every.kind_of[at]]
        if its is not None:
            its.append(at)
    marked = set(over)
    typical = {route: _typical(every, members, marked) for route, members in by_route.items()}
    named = tuple(_most_beyond(one, typical[one.route]) for one in them)
    weights: dict[str, Fraction] = {}
    for one in them:
        weights[one.route] = weights.get(one.route, Fraction()) + Fraction(1, len(them))
    parts = _compare(every.sums_ns(over), named, typical, weights)
    return Cohorts(
        over_ns=over_ns,
        slow=named,
        slow_mean_ns=round(Fraction(sum(one.wall_ns for one in them), max(len(them), 1))),
        typical=sum(one.requests for one in typical.values()),
        typical_mean_ns=round(sum((weights[route] * one.mean_ns for route, one in typical.items()), Fraction())),
        width_ns=round(sum((weights[route] * one.width_ns for route, one in typical.items()), Fraction())),
        parts=parts,
        least_share=_least_share(them, typical, parts[0].part) if parts else 0,
        alone=_alone(every, few),
        border_ns=over_ns if over and divides else None,
    )


def _alone(every: Accounts, few: Sequence[int]) -> tuple[Slow, ...]:
    found = sorted(every.made(few, with_calls=False), key=lambda one: (-one.wall_ns, one.trace_id))
    return tuple(Slow(one, *(one.parts[0] if one.parts else (UNKNOWN, 0))) for one in found)


def _border(walls: Sequence[int]) -> int:
    """The 95th percentile; if no request is above it, as among fewer than 20, the next smaller wall clock.

    Most requests are never above it.
    """
    over = percentile(walls, SLOW_PERCENT)
    if walls and over == max(walls) and 2 * walls.count(over) <= len(walls):
        return max(wall for wall in walls if wall < over)
    return over


def _typical(every: Accounts, members: Sequence[int], slow: set[int]) -> _Typical:
    of = every.walls_ns
    walls = sorted([of[at] for at in members])
    low, high = (at_rank(walls, percent) for percent in TYPICAL_PERCENT)
    inside = array("I", (at for at in members if low <= of[at] <= high))
    # Slow requests do not count as typical, unless the route is slow as a whole.
    inside = array("I", (at for at in inside if at not in slow)) or inside
    return _Typical(
        requests=len(inside),
        width_ns=2 * (at_rank(walls, 50) - low),
        mean_ns=Fraction(sum(of[at] for at in inside), len(inside)),
        sums_ns=every.sums_ns(inside),
    )


def _most_beyond(one: Account, typical: _Typical) -> Slow:
    # Differences are multiplied by the number of requests to stay integers: fractions would take most of the time.
    get, times = typical.sums_ns.get, typical.requests
    more, part = min([(get(part, 0) - ns * times, part) for part, ns in one.parts])
    return Slow(one, part, round(Fraction(-more, times)))


def _compare(
    sums: Mapping[Part, int], named: Sequence[Slow], typical: Mapping[str, _Typical], weights: Mapping[str, Fraction]
) -> tuple[Compared, ...]:
    usual: dict[Part, Fraction] = {}
    for route, one in typical.items():
        for part, ns in one.sums_ns.items():
            usual[part] = usual.get(part, Fraction()) + weights[route] * Fraction(ns, one.requests)
    largest: dict[Part, int] = {}
    for each in named:
        largest[each.part] = largest.get(each.part, 0) + 1
    found = [
        Compared(
            part,
            round(usual.get(part, Fraction())),
            round(Fraction(sums.get(part, 0), len(named))),
            largest.get(part, 0),
        )
        for part in {*sums, *usual}
    ]
    return tuple(sorted(found, key=lambda one: (-one.difference_ns, -one.slow_ns, one.part)))


def _least_share(slow: Sequence[Account], typical: Mapping[str, _Typical], part: Part) -> int:
    """The smallest percentage left after leaving out any one request; of a single request, its own."""
    # Times are scaled to a common denominator to stay integers: fractions would take most of the time.
    times = lcm(*(one.requests for one in typical.values()))
    usual = {route: one.sums_ns.get(part, 0) * times // one.requests for route, one in typical.items()}
    means = {route: int(one.mean_ns * times) for route, one in typical.items()}
    of_part = [dict(one.parts).get(part, 0) * times - usual[one.route] for one in slow]
    of_all = [one.wall_ns * times - means[one.route] for one in slow]
    part_sum, all_sum = sum(of_part), sum(of_all)
    if len(slow) == 1:
        of_part, of_all = [0], [0]
    left = [(part_sum - its, all_sum - whole) for its, whole in zip(of_part, of_all, strict=True)]
    return min(_percent(its, whole) if whole > 0 else 0 for its, whole in left)


def _percent(part: int, whole: int) -> int:
    """`part` in percent of `whole` (above 0), rounded towards zero."""
    return 100 * part // whole if part >= 0 else -(-100 * part // whole)
