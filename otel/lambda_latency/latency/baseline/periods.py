"""One period of a comparison with a baseline: the time of each edge, request by request, in the order of their start.

Means of edges are weighted by route; blocks of consecutive requests show how much they vary. Differences of two periods
have bounds by bootstrap, which widen with the number of comparisons.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from lambda_latency.latency.analysis.thresholds import DRIFT_NS, TRUST_PERCENT
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank

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
    def in_order(cls, times: Sequence[int]) -> Times:
        """Create `Times` from times in the order in which the requests started."""
        values, size = sorted(times), len(times)
        median = at_rank(values, 50)
        # Per block of consecutive requests: how many more than half lie above the median
        excess = [0.0] * BLOCKS
        for number, ns in enumerate(times):
            excess[number * BLOCKS // size] += (ns > median) + (ns == median) / 2 - 0.5
        clustering = 4 * sum(block * block for block in excess) / size * BLOCKS / (BLOCKS - 1)
        return cls(values, size / max(1.0, clustering))


class WeightedTimes(NamedTuple):
    """The times of the old and of the new requests of a route, and the weight of the route."""

    weight: int
    old: Times
    new: Times


class Blocks(NamedTuple):
    """A mean, and what each of `BLOCKS` blocks of consecutive requests adds to it beyond the expected amount."""

    mean: Fraction
    beyond: Sequence[float]


class ChangeEstimate(NamedTuple):
    """A measure before and now, and the bounds of its difference, in nanoseconds."""

    before_ns: int
    now_ns: int
    low_ns: int
    high_ns: int

    @property
    def difference_ns(self) -> int:
        """The measure now minus the measure before."""
        return self.now_ns - self.before_ns


def of_medians(key: str, strata: Sequence[WeightedTimes], estimates: int) -> ChangeEstimate:
    """Estimate the difference of medians (nearest rank), averaged over strata; `key` seeds the random draws.

    So many `estimates` are made together: the bounds of all of them hold in `TRUST_PERCENT` % of cases.
    """
    total = sum(stratum.weight for stratum in strata)
    old = sum((stratum.weight * Fraction(at_rank(stratum.old.values, 50)) for stratum in strata), Fraction()) / total
    new = sum((stratum.weight * Fraction(at_rank(stratum.new.values, 50)) for stratum in strata), Fraction()) / total
    draw = random.Random(key)  # noqa: S311 - a repeatable seed, not a secret
    drawn = [0.0] * DRAWS
    for stratum in strata:
        share = stratum.weight / total
        for sign, times in ((-share, stratum.old), (share, stratum.new)):
            medians = draws_of(times, 50, draw)
            drawn = [difference + sign * ns for difference, ns in zip(drawn, medians, strict=True)]
    return _bounded(old, new, drawn, estimates)


def of_means(key: str, old: Blocks, new: Blocks, estimates: int) -> ChangeEstimate:
    """Estimate the difference of means; `key` and `estimates` are those of `of_medians`."""
    draw = random.Random(key)  # noqa: S311
    drawn = [float(new.mean - old.mean)] * DRAWS
    for sign, blocks in ((-1, old), (1, new)):
        size = len(blocks.beyond)
        if any(blocks.beyond):
            # A resample varies less than the requests that it is drawn from: the factor corrects for that.
            factor = sign * sqrt(size / (size - 1))
            sums = (sum(draw.choices(blocks.beyond, k=size)) for _ in range(DRAWS))
            drawn = [difference + factor * ns for difference, ns in zip(drawn, sums, strict=True)]
    return _bounded(old.mean, new.mean, drawn, estimates)


def _bounded(old: Fraction, new: Fraction, drawn: list[float], estimates: int) -> ChangeEstimate:
    """An estimate with the bounds that hold 95 % of the draws, widened for the number of estimates.

    The standard deviation of the draws is no measure here: if the times have two modes, one draw in a thousand may come
    from the other mode and dominate it.
    """
    difference = round(new) - round(old)
    beyond = int(DRAWS * TAIL)
    drawn.sort()
    farthest = max(difference - drawn[beyond], drawn[-1 - beyond] - difference, 0.0)
    reach = _widening(estimates) * farthest + DRIFT_NS
    return ChangeEstimate(round(old), round(new), round(difference - reach), round(difference + reach))


def _widening(estimates: int) -> float:
    """The factor from bounds at 95 % to those that hold for so many estimates together (Bonferroni)."""
    normal = NormalDist()
    return normal.inv_cdf(1 - (100 - TRUST_PERCENT) / 200 / estimates) / normal.inv_cdf(1 - TAIL)


def draws_of(times: Times, percent: int, draw: random.Random) -> list[float]:
    """A percentile of resamples: that of n uniform draws has a beta distribution, so that one draw replaces n."""
    values, size = times.values, len(times.values)
    above = times.independent * (100 - percent) / 100
    alpha, beta = times.independent - above + 0.5, above + 0.5
    return [float(values[min(int(size * draw.betavariate(alpha, beta)), size - 1)]) for _ in range(DRAWS)]


def wider_by(drawn: Sequence[float], estimates: int) -> tuple[float, float]:
    """The bounds that hold 95 % of sorted draws, widened about their median for so many estimates."""
    factor = _widening(estimates)
    beyond = int(len(drawn) * TAIL)
    middle = drawn[len(drawn) // 2]
    return middle - factor * (middle - drawn[beyond]), middle + factor * (drawn[-1 - beyond] - middle)


@dataclass(slots=True)
class EdgeWaits:
    """The requests that have an edge: their place among all requests, the time a call and in all (ns), the route."""

    places: list[int] = field(default_factory=list)
    call_ns: list[int] = field(default_factory=list)
    ns: list[int] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)

    @property
    def waiting(self) -> int:
        """The number of requests that waited for the edge."""
        return len(self.ns) - self.ns.count(0)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, int, int, str]]) -> EdgeWaits:
        """Create the waits of some places, times a call and in all, and routes."""
        waits = cls()
        for row in rows:
            waits.add(*row)
        return waits

    def add(self, place: int, call_ns: int, ns: int, route: str) -> None:
        """Add a request, with its time a call and in all."""
        self.places.append(place)
        self.call_ns.append(call_ns)
        self.ns.append(ns)
        self.routes.append(route)

    def of_route(self, route: str) -> EdgeWaits:
        """Return the requests of one route."""
        rows = zip(self.places, self.call_ns, self.ns, self.routes, strict=True)
        return EdgeWaits.from_rows(row for row in rows if row[3] == route)

    def listed(self) -> Iterator[tuple[int, int, str]]:
        """Return the place, the time a call and the route of each request."""
        return zip(self.places, self.call_ns, self.routes, strict=True)

    def by_route(self) -> dict[str, list[int]]:
        """Return the times a call of each route, in the order of the requests."""
        times: dict[str, list[int]] = defaultdict(list)
        for route, ns in zip(self.routes, self.call_ns, strict=True):
            times[route].append(ns)
        return times


class Period:
    """The requests of some routes that did not time out, sorted by start; the edge None is the whole request.

    A request has an edge if its critical path has it, or if it called its callee: then it did not wait for it.
    """

    def __init__(self, breakdowns: Breakdowns, routes: Collection[str]) -> None:
        ordered = breakdowns.in_order()
        compared = ordered.of_kind(lambda kind: kind.route in routes and not kind.timed_out)
        self.breakdowns = ordered.take(compared)
        self.edges: dict[Edge | None, EdgeWaits] = {None: EdgeWaits()}
        self._add_all()

    def __len__(self) -> int:
        return len(self.breakdowns)

    def waits(self, edge: Edge | None) -> EdgeWaits:
        """Return the waits for an edge; none if no request has it."""
        return self.edges.get(edge, EdgeWaits())

    def waiting(self, edge: Edge | None) -> int:
        """Return the number of requests that wait for an edge or, by another kind of edge, for the same callee."""
        waits = [self.waits(edge)]
        if edge is not None:
            other_kinds = [waited for waited in self.edges if waited is not None and edge.is_other_kind(waited)]
            waits += map(self.waits, other_kinds)
        return len({place for of_edge in waits for place, ns in zip(of_edge.places, of_edge.ns, strict=True) if ns})

    def block(self, place: int) -> int:
        """The block of consecutive requests that a request is in."""
        return place * BLOCKS // len(self.breakdowns)

    def operations(self) -> dict[str, float]:
        """How many operations each service runs in a request that it takes component in: the mean."""
        outlines = [Counter(operation.service for operation in outline) for outline in self.breakdowns.outlines]
        requests, totals = Counter[str](), Counter[str]()
        for number, count in Counter(self.breakdowns.outline_of).items():
            for service, operations in outlines[number].items():
                requests[service] += count
                totals[service] += count * operations
        return {service: total / requests[service] for service, total in totals.items()}

    def requests(self) -> Iterator[tuple[str, int, dict[Edge, int], dict[Edge, int]]]:
        """Yield the route, wall clock, times of the edges (ns) and numbers of their calls of each request."""
        columns = self.breakdowns
        routes = [kind.route for kind in columns.kinds]
        edges, calls = list(columns.edges), [(edge, counts.calls) for edge, counts in columns.calls]
        rows = zip(columns.kind_of, columns.walls_ns, columns.times_of_each(), columns.calls_of_each(), strict=True)
        for kind, wall_ns, edge_times, call_numbers in rows:
            times = {edges[number]: ns for number, ns in edge_times}
            counts: dict[Edge, int] = {}
            for number in call_numbers:
                edge, count = calls[number]
                counts[edge] = counts.get(edge, 0) + count
            yield routes[kind], wall_ns, times, counts

    def _add_all(self) -> None:
        whole = self.edges[None]
        for place, (route, wall_ns, times, counts) in enumerate(self.requests()):
            whole.add(place, wall_ns, wall_ns, route)
            entered: dict[str, int] = {}  # how often each service was called
            for edge, count in counts.items():
                if edge.component.category == "network":
                    entered[edge.component.name] = entered.get(edge.component.name, 0) + count
                if count and edge not in times and not edge.is_own:
                    times[edge] = 0
            for edge, ns in times.items():
                waits = self.edges.get(edge)
                if waits is None:
                    waits = self.edges[edge] = EdgeWaits()
                calls = entered.get(edge.caller, 1) if edge.is_own else counts.get(edge, 1)
                waits.add(place, ns // max(calls, 1), ns, route)


def blocks_of(
    period: Period, edges: Sequence[Edge | None], weights: Mapping[str, Fraction]
) -> dict[Edge | None, Blocks]:
    """Return the means of edges, weighted by route. The weights add up to 1."""
    counts = [Counter[str]() for _ in range(BLOCKS)]
    for place, route in enumerate(period.edges[None].routes):
        counts[period.block(place)][route] += 1
    requests = sum(counts, Counter[str]())
    exact_shares = {route: weight / requests[route] for route, weight in weights.items()}
    shares = {route: float(share) for route, share in exact_shares.items()}
    blocks: dict[Edge | None, Blocks] = {}
    for edge in edges:
        waits = period.waits(edge)
        sums, beyond = dict.fromkeys(weights, 0), [0.0] * BLOCKS
        for place, ns, route in zip(waits.places, waits.ns, waits.routes, strict=True):
            sums[route] += ns
            beyond[period.block(place)] += shares[route] * ns
        expected = {route: shares[route] * sums[route] / requests[route] for route in weights}
        for block, count in enumerate(counts):
            beyond[block] -= sum(expected[route] * count[route] for route in weights)
        mean = sum((share * sums[route] for route, share in exact_shares.items()), Fraction())
        blocks[edge] = Blocks(mean, beyond)
    return blocks
