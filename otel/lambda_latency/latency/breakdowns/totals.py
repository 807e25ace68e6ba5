"""The totals of many requests, whose subsets can be merged; the number of all requests; and possible savings."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lambda_latency.latency.breakdowns.breakdown import Breakdown, Calls
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Component


def percentile(values: Sequence[int], percent: int) -> int:
    """Return the nearest-rank percentile: the least value that `percent` % of all do not exceed; 0 without values."""
    return at_rank(sorted(values), percent)


def at_rank(ordered: Sequence[int], percent: int) -> int:
    """As `percentile`, of sorted values."""
    if not ordered:
        return 0
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


@dataclass(slots=True)
class ComponentTally:
    """One part over many requests; `each_ns` has its time in each request that waited for it (8 bytes per request)."""

    calls: Calls = field(default_factory=Calls)
    each_ns: array[int] = field(default_factory=lambda: array("q"))

    @property
    def total_ns(self) -> int:
        """The time of the component in all requests."""
        return sum(self.each_ns)

    @property
    def requests(self) -> int:
        """The number of requests that waited for the component."""
        return len(self.each_ns)


@dataclass(slots=True)
class Tally:
    """The counts and wall clocks of many requests, and their time by component."""

    cold_starts: int = 0
    errors: int = 0
    timeouts: int = 0
    walls_ns: array[int] = field(default_factory=lambda: array("q"))
    components: dict[Component, ComponentTally] = field(default_factory=lambda: defaultdict(ComponentTally))

    @property
    def requests(self) -> int:
        """The number of requests."""
        return len(self.walls_ns)

    @property
    def wall_ns(self) -> int:
        """The sum of their wall clocks."""
        return sum(self.walls_ns)

    @classmethod
    def from_breakdowns(cls, breakdowns: Iterable[Breakdown]) -> Tally:
        """Return the tally of these requests. A request that timed out is not counted as an error."""
        columns = Breakdowns.from_breakdowns(breakdowns)
        tally, counts = cls(walls_ns=array("q", columns.walls_ns)), Counter(columns.kind_of)
        for kind, number in columns.kinds.items():
            tally.cold_starts += counts[number] * kind.cold_start
            tally.errors += counts[number] * (kind.error and not kind.timed_out)
            tally.timeouts += counts[number] * kind.timed_out
        tally._add_times(columns)
        calls_of_number = list(columns.calls)
        for number, times in Counter(columns.call_of).items():
            edge, calls = calls_of_number[number]
            tally.components[edge.component].calls += calls * times
        for component in columns.components:
            if not tally.components[component].each_ns and not tally.components[component].calls.calls:
                # A component of other breakdowns that share the table (`Breakdowns.take`)
                del tally.components[component]
        return tally

    def _add_times(self, columns: Breakdowns) -> None:
        """Add the time of each component; the times of several callers are added up in each request."""
        appends = [self.components[edge.component].each_ns.append for edge in columns.edges]
        if all(len(numbers) == 1 for numbers in columns.components.values()):
            for number, ns in zip(columns.edge_of, columns.edge_ns, strict=True):
                appends[number](ns)
            return
        number_of_component = {number: numbers[0] for numbers in columns.components.values() for number in numbers}
        for times in columns.times_of_each():
            sums: dict[int, int] = {}
            for edge, ns in times:
                number = number_of_component[edge]
                sums[number] = sums.get(number, 0) + ns
            for number, ns in sums.items():
                appends[number](ns)

    def largest_first(self) -> list[tuple[Component, ComponentTally]]:
        """Return the components sorted by their total time, the largest first."""
        return sorted(
            self.components.items(),
            key=lambda component_and_tally: (-component_and_tally[1].total_ns, component_and_tally[0]),
        )


HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """The counts of the source: `total` requests, and those of each route and whole hour, if it knows them.

    The key of an hour is its first nanosecond since 1970. `without_stage` is the number of requests seen that `total`
    does not include.
    """

    total: int
    by_route: Mapping[str, int] = field(default_factory=dict)
    by_hour: Mapping[int, int] = field(default_factory=dict)
    without_stage: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """The number of all requests is unknown; `why` continues the words "how many were not sampled".

    `is_refused`: it was asked for, and AWS refused.
    """

    why: str = "is not in the traces"
    is_refused: bool = False


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Share:
    """`requests` of the `total` requests of a route or of an hour."""

    subject: str | int
    requests: int
    total: int


def by_route(traffic: Traffic, breakdowns: Breakdowns) -> list[Share]:
    """Return the share of each counted route, the largest route first; empty if no request has one of them."""
    counts = Counter(breakdowns.kind_of)
    requests: Counter[str] = Counter()
    for kind, number in breakdowns.kinds.items():
        requests[kind.route] += counts[number]
    shares = [Share(route, requests[route], total) for route, total in traffic.by_route.items()]
    if not any(share.requests for share in shares):
        return []
    return sorted(shares, key=lambda share: (-share.total, str(share.subject)))


def by_hour(traffic: Traffic, breakdowns: Breakdowns) -> list[Share]:
    """Return the share of each whole hour with requests, in the order of time."""
    requests = Counter([start_ns // HOUR_NS * HOUR_NS for start_ns in breakdowns.starts_ns])
    return [Share(hour, requests[hour], total) for hour, total in sorted(traffic.by_hour.items()) if total]


WHAT_IF_PERCENT = 95
MOST_PARTS = 5  # each needs a sort of all requests
LEAST_PERCENT = 1  # of the percentile: a smaller saving is negligible


@dataclass(frozen=True, slots=True)
class Saving:
    """A component, the 95th percentile of all requests, and the lowest possible one without the time of the component.

    `requests` is the number of requests that waited for the component.
    """

    component: Component
    p95_ns: int
    best_p95_ns: int
    requests: int

    @property
    def saves_ns(self) -> int:
        """By how much the percentile falls at most."""
        return self.p95_ns - self.best_p95_ns


def savings(breakdowns: Breakdowns) -> tuple[Saving, ...]:
    """Return the savings of the largest parts of the slowest twentieth, without negligible ones, the largest first."""
    walls = breakdowns.walls_ns
    if not walls:
        return ()
    p95_ns = at_rank(sorted(walls), WHAT_IF_PERCENT)
    sums = breakdowns.sums_ns([index for index, wall in enumerate(walls) if wall >= p95_ns])
    largest = sorted(sums, key=lambda component: (-sums[component], component))[:MOST_PARTS]
    candidates = [_saving(breakdowns, component, p95_ns) for component in largest if component.category != "unknown"]
    worth = [saving for saving in candidates if 100 * saving.saves_ns >= LEAST_PERCENT * p95_ns and saving.saves_ns > 0]
    return tuple(sorted(worth, key=lambda saving: (-saving.saves_ns, saving.component)))


def _saving(breakdowns: Breakdowns, component: Component, p95_ns: int) -> Saving:
    walls_ns = list(breakdowns.walls_ns)
    waited = bytearray(len(walls_ns))
    for index, ns in breakdowns.entries_of_edges(breakdowns.components[component]):
        walls_ns[index] -= ns
        waited[index] = 1
    walls_ns.sort()
    return Saving(component, p95_ns, at_rank(walls_ns, WHAT_IF_PERCENT), sum(waited))
