"""The requests that are kept, the newest `Bounds.requests` of them, with the lines that hold their spans."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.latency import Accounts
    from lambda_latency.live.bounds import Bounds


@dataclass(slots=True, eq=False)
class Line:
    """An export request in OTLP/JSON, the number of traces in it, and the number of those that still need it."""

    data: bytes
    traces: int
    users: int


@dataclass(slots=True)
class Kept:
    """A request, or a mark between requests, which has no trace.

    `number` is its place in the stream, `first` that of its first row: a trace with late spans has a later row. `row`
    is its JSON. Its account is the one at the index `at` of `accounts`.
    """

    number: int
    first: int
    trace_id: str
    row: bytes
    end_ns: int
    accounts: Accounts | None = None
    at: int = 0
    lines: list[Line] = field(default_factory=list)
    shown: int = 1


class Range(NamedTuple):
    """Requests that ended at `since_ns` or later, whose first row is above `after` and not above `until`."""

    since_ns: int = 0
    after: int = 0
    until: int | None = None

    def has(self, one: Kept) -> bool:
        return (
            one.end_ns >= self.since_ns and one.first > self.after and (self.until is None or one.first <= self.until)
        )


class Ring:
    """Kept requests by number. `bytes` is the size of all lines in use, those of open traces too. Not thread-safe."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._numbers: dict[str, int] = {}
        self.last = 0
        self.bytes = self.forgotten = 0
        self.oldest_lost = 0  # the number of the newest request that was forgotten

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def line(self, data: bytes, traces: int) -> Line | None:
        """A line with so many traces; None if it has none."""
        if not traces:
            return None
        self.bytes += len(data)
        return Line(data, traces, traces)

    def get(self, trace_id: str) -> Kept | None:
        """The kept request of a trace."""
        number = self._numbers.get(trace_id)
        return None if number is None else self._kept[number]

    def pull(self, trace_id: str) -> Kept | None:
        """Take a request out, with its lines, to put a later row in its place."""
        number = self._numbers.pop(trace_id, None)
        return None if number is None else self._kept.pop(number)

    def put(self, one: Kept) -> None:
        """Add a request or a mark as the newest, and forget the oldest ones beyond the bounds."""
        self._kept[one.number] = one
        if one.trace_id:
            self._numbers[one.trace_id] = one.number
        self.trim()

    def trim(self) -> None:
        """Forget the oldest requests beyond the bounds."""
        while self._kept and (len(self._kept) > self._bounds.requests or self.bytes > self._bounds.bytes):
            number, gone = self._kept.popitem(last=False)
            self._numbers.pop(gone.trace_id, None)
            self.release(gone.lines)
            self.oldest_lost = max(self.oldest_lost, number)
            self.forgotten += bool(gone.trace_id)

    def release(self, lines: list[Line]) -> None:
        """A trace no longer needs these lines."""
        for line in lines:
            line.users -= 1
            if line.users == 0:
                self.bytes -= len(line.data)

    def after(self, number: int, most: int) -> list[Kept]:
        """The first `most` requests and marks with a larger number."""
        if number >= self.last:
            return []
        newest: list[Kept] = []
        for one in reversed(self._kept.values()):
            if one.number <= number:
                break
            newest.append(one)
        return list(islice(reversed(newest), most))

    def chosen(self, range_: Range) -> list[Kept]:
        """The requests of a range, the oldest first."""
        return [one for one in self._kept.values() if one.trace_id and range_.has(one)]
