"""The totals of many requests, whose subsets can be merged; and the number of all requests, seen or not."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.columns import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambda_latency.latency.accounts.account import Account
    from lambda_latency.latency.accounts.part import Part


def percentile(values: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile: the smallest value that `percent` % of all do not exceed; 0 without values."""
    return at_rank(sorted(values), percent)


def at_rank(ordered: Sequence[int], percent: int) -> int:
    """As `percentile`, of sorted values."""
    if not ordered:
        return 0
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


@dataclass(slots=True)
class PartTally:
    """One part over many requests; `each_ns` has its time in each request that waited for it (8 bytes per request)."""

    calls: Calls = field(default_factory=Calls)
    each_ns: array[int] = field(default_factory=lambda: array("q"))

    @property
    def total_ns(self) -> int:
        """The time of the part in all requests."""
        return sum(self.each_ns)

    @property
    def requests(self) -> int:
        """The number of requests that waited for the part."""
        return len(self.each_ns)


@dataclass(slots=True)
class Tally:
    """The counts and wall clocks of many requests, and their time by part."""

    cold_starts: int = 0
    errors: int = 0
    timeouts: int = 0
    walls_ns: array[int] = field(default_factory=lambda: array("q"))
    parts: dict[Part, PartTally] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """The number of requests."""
        return len(self.walls_ns)

    @property
    def wall_ns(self) -> int:
        """The sum of their wall clocks."""
        return sum(self.walls_ns)

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Tally:
        """The tally of these requests."""
        tally = cls()
        tally.add(accounts)
        return tally

    def add(self, accounts: Iterable[Account]) -> None:
        """Count requests. A request that timed out is not counted as an error."""
        every = Accounts.of(accounts)
        self.walls_ns.extend(every.walls_ns)
        counts = Counter(every.kind_of)
        for kind, number in every.kinds.items():
            self.cold_starts += counts[number] * kind.cold_start
            self.errors += counts[number] * (kind.error and not kind.timed_out)
            self.timeouts += counts[number] * kind.timed_out
        self._add_times(every)
        known = list(every.calls)
        for number, times in Counter(every.call_of).items():
            cell, calls = known[number]
            self._part(cell.part).calls += calls * times
        for part in every.parts:
            if not self.parts[part].each_ns and not self.parts[part].calls.calls:
                del self.parts[part]  # a part of other accounts that share the table (`Accounts.take`)

    def _add_times(self, every: Accounts) -> None:
        """Add the time of each part; the cells of several callers are added up in each request."""
        appends = [self._part(cell.part).each_ns.append for cell in every.cells]
        shared = {number for numbers in every.parts.values() if len(numbers) > 1 for number in numbers}
        if not shared:
            for number, ns in zip(every.cell_of, every.cell_ns, strict=True):
                appends[number](ns)
            return
        first = {number: numbers[0] for numbers in every.parts.values() for number in numbers}
        for begin, end in every.cells_of_each():
            together: dict[int, int] = {}
            for number, ns in zip(every.cell_of[begin:end], every.cell_ns[begin:end], strict=True):
                if number in shared:
                    together[first[number]] = together.get(first[number], 0) + ns
                else:
                    appends[number](ns)
            for number, ns in together.items():
                appends[number](ns)

    def _part(self, part: Part) -> PartTally:
        tally = self.parts.get(part)
        if tally is None:
            tally = self.parts[part] = PartTally()
        return tally

    def largest_first(self) -> list[tuple[Part, PartTally]]:
        """The parts sorted by their total time, the largest first."""
        return sorted(self.parts.items(), key=lambda one: (-one[1].total_ns, one[0]))


HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """The counts of the source: `total` requests, and those of each route and whole hour, if it knows them.

    The key of an hour is its first nanosecond since 1970. `beside` is the number of requests seen that `total` does not
    include.
    """

    total: int
    by_route: Mapping[str, int] = field(default_factory=dict)
    by_hour: Mapping[int, int] = field(default_factory=dict)
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """The number of all requests is unknown; `why` continues the words "how many were not sampled"."""

    why: str = "is not in the traces"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Share:
    """`seen` of the `total` requests of a route or of an hour."""

    of: str | int
    seen: int
    total: int


def by_route(traffic: Traffic, accounts: Accounts) -> list[Share]:
    """The share of each counted route, the largest route first; empty if no account has one of these routes."""
    counts = Counter(accounts.kind_of)
    seen: Counter[str] = Counter()
    for kind, number in accounts.kinds.items():
        seen[kind.route] += counts[number]
    shares = [Share(route, seen[route], total) for route, total in traffic.by_route.items()]
    return sorted(shares, key=lambda one: (-one.total, str(one.of))) if any(one.seen for one in shares) else []


def by_hour(traffic: Traffic, accounts: Accounts) -> list[Share]:
    """The share of each whole hour with requests, in the order of time."""
    seen = Counter([start_ns // HOUR_NS * HOUR_NS for start_ns in accounts.starts_ns])
    return [Share(hour, seen[hour], total) for hour, total in sorted(traffic.by_hour.items()) if total]
