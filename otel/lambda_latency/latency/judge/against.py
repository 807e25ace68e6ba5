"""Comparison with a baseline: the parts that became slower or faster, by how much, and whether it may be noise."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.judge.bootstrap import BLOCKS, Blocks, Estimate, Stratum, Times, of_means, of_medians
from lambda_latency.latency.judge.rates import Rate, rates
from lambda_latency.latency.judge.thresholds import COMPARABLE_REQUESTS, EVEN_NS, FELT_PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lambda_latency.latency.accounts.account import Account
    from lambda_latency.latency.accounts.part import Part

__all__ = ["Against", "Change", "against"]

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Change:
    """A part (None: the whole request) before and now. A difference below `felt_ns` does not count.

    `typical` compares medians of the requests that waited for the part; it is None if too few did. `mean` compares
    means of all requests, including those that did not wait for the part: the means of all parts add up. `waited` is
    the number of requests that waited for the part, `requests` that of all compared requests, each as (before, now).
    """

    part: Part | None
    typical: Estimate | None
    mean: Estimate
    waited: tuple[int, int]
    requests: tuple[int, int]
    felt_ns: int

    @property
    def by_typical(self) -> bool:
        """Whether the difference of the medians is real, not noise."""
        return self.typical is not None and self._is_real(self.typical)

    @property
    def by_mean(self) -> bool:
        """Whether the difference of the means is real, not noise."""
        return self._is_real(self.mean)

    @property
    def real(self) -> Estimate | None:
        """The real difference: that of the medians, else that of the means; None if both may be noise."""
        return self.typical if self.by_typical else self.mean if self.by_mean else None

    @property
    def per_request_ns(self) -> int:
        """The real difference per request in nanoseconds; 0 if there is none."""
        if self.real is None:
            return 0
        if self.by_mean:
            return self.mean.difference_ns
        return self.real.difference_ns * self.waited[1] // self.requests[1]

    def _is_real(self, one: Estimate) -> bool:
        return (one.low_ns > 0 or one.high_ns < 0) and abs(one.difference_ns) >= self.felt_ns


@dataclass(frozen=True, slots=True)
class Against:
    """A comparison with a baseline. `parts` are all parts of the compared routes, the largest real change first.

    `routes` are the compared routes: those with enough requests on both sides. `left_out` are the others. `whole` is
    None if no route is compared. `requests` counts the requests that did not time out, `timeouts` those that did, each
    as (before, now). `rates` and `percentiles` cover all requests; `percentiles` are `(percent, before_ns, now_ns)` of
    the wall clock.
    """

    sources: tuple[str, ...]
    requests: tuple[int, int]
    timeouts: tuple[int, int]
    routes: tuple[str, ...]
    left_out: tuple[str, ...]
    whole: Change | None
    parts: tuple[Change, ...]
    rates: tuple[Rate, ...] = ()
    percentiles: tuple[tuple[int, int, int], ...] = ()

    @property
    def changed(self) -> tuple[Change, ...]:
        """The parts with a real difference, the largest difference per request first."""
        return tuple(one for one in self.parts if one.real is not None)

    @property
    def slower_percent(self) -> float:
        """By how many percent requests became slower (negative: faster); 0 if the difference may be noise.

        The median and the mean are compared; the larger real difference counts.
        """
        whole = self.whole
        if whole is None or whole.typical is None:
            return 0.0
        real = [one for one, stands in ((whole.typical, whole.by_typical), (whole.mean, whole.by_mean)) if stands]
        return max((100 * one.difference_ns / one.before_ns for one in real if one.before_ns), key=abs, default=0.0)


@dataclass(slots=True)
class _Route:
    """The requests of a route: by part (None: the whole request) the times of those that waited for it, by start."""

    requests: int = 0
    parts: dict[Part | None, array[int]] = field(default_factory=dict)

    def add(self, part: Part | None, ns: int) -> None:
        each = self.parts.get(part)
        if each is None:
            each = self.parts[part] = array("q")
        each.append(ns)


@dataclass(slots=True)
class _Side:
    """The requests of one side that did not time out, sorted by start."""

    accounts: Accounts
    timeouts: int
    routes: dict[str, _Route] = field(default_factory=dict)

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> _Side:
        every = Accounts.of(accounts).in_order()
        side = cls(every.take(every.ended()), len(every.timed_out()))
        for name, wall_ns, parts in side.requests():
            route = side.routes.setdefault(name, _Route())
            route.requests += 1
            route.add(None, wall_ns)
            for part, ns in parts:
                route.add(part, ns)
        return side

    def requests(self) -> Iterator[tuple[str, int, list[tuple[Part, int]]]]:
        """The route, the wall clock and the part times of each request, in nanoseconds."""
        every = self.accounts
        routes, known = [kind.route for kind in every.kinds], list(every.parts)
        for number, wall_ns, (first, last) in zip(every.kind_of, every.walls_ns, every.parts_of_each(), strict=True):
            parts = zip(every.part_of[first:last], every.part_ns[first:last], strict=True)
            yield routes[number], wall_ns, [(known[part], ns) for part, ns in parts]

    def has_enough(self, route: str, part: Part | None = None) -> bool:
        return route in self.routes and len(self.routes[route].parts.get(part, ())) >= COMPARABLE_REQUESTS

    def waited(self, part: Part | None, routes: Iterable[str]) -> int:
        return sum(len(self.routes[route].parts.get(part, ())) for route in routes)

    def blocks(self, parts: Sequence[Part | None], weights: Mapping[str, Fraction]) -> dict[Part | None, Blocks]:
        """The means of parts, weighted by route. The weights add up to 1."""
        requests = sum(self.routes[route].requests for route in weights)
        each = {route: weight / self.routes[route].requests for route, weight in weights.items()}
        shares = {route: float(share) for route, share in each.items()}
        beyond: dict[Part | None, list[float]] = {part: [0.0] * BLOCKS for part in parts}
        counts = [dict.fromkeys(weights, 0) for _ in range(BLOCKS)]
        ours = (one for one in self.requests() if one[0] in weights)
        for number, (route, wall_ns, waited) in enumerate(ours):
            block = number * BLOCKS // requests
            share = shares[route]
            counts[block][route] += 1
            beyond[None][block] += share * wall_ns
            for part, ns in waited:
                beyond[part][block] += share * ns
        found: dict[Part | None, Blocks] = {}
        for each_part, sums in beyond.items():
            own = {route: sum(self.routes[route].parts.get(each_part, ())) for route in weights}
            usual = {route: shares[route] * own[route] / self.routes[route].requests for route in weights}
            for block, count in enumerate(counts):
                sums[block] -= sum(usual[route] * seen for route, seen in count.items())
            found[each_part] = Blocks(sum((each[route] * own[route] for route in weights), Fraction()), sums)
        return found


def against(now: Iterable[Account], before: Iterable[Account], sources: Sequence[str] = ()) -> Against:
    """Compare requests with a baseline, route by route; `sources` are the names of the baseline's files.

    The weight of a route is its number of requests on both sides: a changed mix of routes is not a difference.
    """
    before, now = Accounts.of(before), Accounts.of(now)
    old, new = _Side.of(before), _Side.of(now)
    shares = rates(before, now)
    walls = [sorted(side.walls_ns) for side in (before, now)]
    ranks = tuple((percent, at_rank(walls[0], percent), at_rank(walls[1], percent)) for percent in PERCENTILES)
    seen = sorted({*old.routes, *new.routes})
    routes = [route for route in seen if old.has_enough(route) and new.has_enough(route)]
    left_out = tuple(route for route in seen if route not in routes)
    requests, timeouts = (len(old.accounts), len(new.accounts)), (old.timeouts, new.timeouts)
    if not routes:
        return Against(tuple(sources), requests, timeouts, (), left_out, None, (), shares, ranks)
    named = {part for side in (old, new) for route in routes for part in side.routes[route].parts if part is not None}
    parts: list[Part | None] = [None, *sorted(named)]
    both = {route: old.routes[route].requests + new.routes[route].requests for route in routes}
    weights = {route: Fraction(count, sum(both.values())) for route, count in both.items()}
    strata = {part: found for part in parts if (found := _strata(part, old, new, routes))}
    asked = len(parts) + len(strata)
    typical = {part: of_medians(f"typical {part}", found, asked) for part, found in strata.items()}
    means = zip(parts, _means(old, new, parts, weights, asked), strict=True)
    usual_ns = typical[None].before_ns
    felt_ns = min(EVEN_NS, usual_ns * FELT_PERCENT // 100)
    compared = (old.waited(None, routes), new.waited(None, routes))
    changes = [
        Change(part, typical.get(part), mean, (old.waited(part, routes), new.waited(part, routes)), compared, felt_ns)
        for part, mean in means
    ]
    ordered = tuple(sorted(changes[1:], key=_most_first))
    return Against(tuple(sources), requests, timeouts, tuple(routes), left_out, changes[0], ordered, shares, ranks)


def _strata(part: Part | None, old: _Side, new: _Side, routes: Iterable[str]) -> list[Stratum]:
    """The routes with enough requests on both sides that waited for the part."""
    found: list[Stratum] = []
    for route in routes:
        if old.has_enough(route, part) and new.has_enough(route, part):
            before, now = (Times.of(side.routes[route].parts[part]) for side in (old, new))
            found.append(Stratum(len(before.values) + len(now.values), before, now))
    return found


def _means(
    old: _Side, new: _Side, parts: Sequence[Part | None], weights: Mapping[str, Fraction], asked: int
) -> Iterator[Estimate]:
    before, now = old.blocks(parts, weights), new.blocks(parts, weights)
    for part in parts:
        yield of_means(f"mean {part}", before[part], now[part], asked)


def _most_first(one: Change) -> tuple[bool, int, int, str]:
    return one.real is None, -abs(one.per_request_ns), -abs(one.mean.difference_ns), str(one.part)
