"""The retained requests, with the lines that hold their spans, and the traces that may still grow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from lambda_latency.latency import Breakdowns
from lambda_latency.live.bounds import Bounds
from lambda_latency.trace import CompactSpan

LATE_S = 0.25
MOST_WAIT_S = 10.0


@dataclass(slots=True, eq=False)
class Line:
    """An export request in OTLP/JSON, the number of traces in it, and the number of those that still need it."""

    data: bytes
    traces: int
    users: int


@dataclass(slots=True)
class RetainedRequest:
    """A request, or a mark between requests, which has no trace.

    `number` counts rows of the stream; `first_number` is that of the request's first row: a trace with late spans gets
    a later row. `row` is JSON. `index` is that of the request in `breakdowns`.
    """

    number: int
    first_number: int
    trace_id: str
    row: bytes
    end_ns: int
    breakdowns: Breakdowns | None = None
    index: int = 0
    lines: list[Line] = field(default_factory=list)
    shown: int = 1


class Range(NamedTuple):
    """Requests that ended at `since_ns` or later, whose first row is above `above` and not above `up_to`."""

    since_ns: int = 0
    above: int = 0
    up_to: int | None = None

    def has(self, request: RetainedRequest) -> bool:
        if self.up_to is not None and request.first_number > self.up_to:
            return False
        return request.end_ns >= self.since_ns and request.first_number > self.above


class Ring:
    """Retained requests by number. `bytes` is the size of all lines in use, also of open traces. Not thread-safe."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._requests: OrderedDict[int, RetainedRequest] = OrderedDict()
        self._numbers: dict[str, int] = {}
        self.last = 0
        self.bytes = self.forgotten = 0
        self.oldest_lost = 0  # the number of the newest request that was forgotten

    def __len__(self) -> int:
        return len(self._numbers)

    def line(self, data: bytes, traces: int) -> Line | None:
        """Count a line with a number of traces, and return it; None if it has none."""
        if not traces:
            return None
        self.bytes += len(data)
        return Line(data, traces, traces)

    def get(self, trace_id: str) -> RetainedRequest | None:
        """Return the retained request of a trace."""
        number = self._numbers.get(trace_id)
        return None if number is None else self._requests[number]

    def pull(self, trace_id: str) -> RetainedRequest | None:
        """Take a request out, with its lines: a later row replaces it."""
        number = self._numbers.pop(trace_id, None)
        return None if number is None else self._requests.pop(number)

    def put(self, request: RetainedRequest) -> None:
        """Add a request or a mark as the newest, and forget the oldest ones beyond the bounds."""
        self._requests[request.number] = request
        if request.trace_id:
            self._numbers[request.trace_id] = request.number
        self.trim()

    def trim(self) -> None:
        """Forget the oldest requests beyond the bounds."""
        while self._requests and (len(self._requests) > self._bounds.requests or self.bytes > self._bounds.bytes):
            number, request = self._requests.popitem(last=False)
            self._numbers.pop(request.trace_id, None)
            self.release(request.lines)
            self.oldest_lost = max(self.oldest_lost, number)
            self.forgotten += bool(request.trace_id)

    def release(self, lines: list[Line]) -> None:
        """Count a trace less that needs these lines."""
        for line in lines:
            line.users -= 1
            if line.users == 0:
                self.bytes -= len(line.data)

    def after(self, number: int, limit: int) -> list[RetainedRequest]:
        """Return the first requests and marks with a larger number, at most `limit`."""
        if number >= self.last:
            return []
        newest: list[RetainedRequest] = []
        for request in reversed(self._requests.values()):
            if request.number <= number:
                break
            newest.append(request)
        return list(islice(reversed(newest), limit))

    def chosen(self, range_: Range) -> list[RetainedRequest]:
        """Return the requests of a range, the oldest first."""
        return [r for r in self._requests.values() if r.trace_id and range_.has(r)]


@dataclass(slots=True)
class OpenTrace:
    """A trace that may still grow: its lines, and the monotonic time at which it is due."""

    due_s: float
    lines: list[Line] = field(default_factory=list)


class Settling:
    """Open traces. A trace is due `whole_s` after its last span if it has its root and all parents, else `quiet_s`.

    If the sender reports the end of each trace (`end`), both may be long. Not thread-safe.
    """

    def __init__(self, quiet_s: float, whole_s: float) -> None:
        self._quiet_s, self._whole_s = quiet_s, whole_s
        self._open: dict[str, OpenTrace] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, trace_id: str, line: Line, now_s: float, *, whole: bool, shown: int) -> None:
        """Add a line of a trace that has arrived. A trace waits longer each time it was `shown`."""
        wait_s = self._whole_s if whole else self._quiet_s
        if shown:
            wait_s = min(LATE_S * 2**shown, MOST_WAIT_S)
        trace = self._open.setdefault(trace_id, OpenTrace(now_s + wait_s))
        trace.lines.append(line)
        trace.due_s = now_s + wait_s

    def end(self, trace_ids: Iterable[str]) -> None:
        """Make traces that have ended due now."""
        for trace_id in trace_ids:
            if trace_id in self._open:
                self._open[trace_id].due_s = 0.0

    def due(self, now_s: float, limit: int) -> Iterator[tuple[str, OpenTrace]]:
        """Take out the traces that are due, and the oldest ones if more than `limit` are open."""
        ready = [trace_id for trace_id, trace in self._open.items() if trace.due_s <= now_s]
        for trace_id in ready:
            yield trace_id, self._open.pop(trace_id)
        while len(self._open) > limit:
            trace_id = next(iter(self._open))
            yield trace_id, self._open.pop(trace_id)

    def oldest(self) -> tuple[str, OpenTrace] | None:
        """Take out the oldest open trace."""
        trace_id = next(iter(self._open), None)
        return None if trace_id is None else (trace_id, self._open.pop(trace_id))

    def wait_s(self, now_s: float) -> float | None:
        """Return the time until the next trace is due; None without open traces."""
        return max(0.0, min(trace.due_s for trace in self._open.values()) - now_s) if self._open else None


def is_whole(rows: list[CompactSpan]) -> bool:
    """Return whether a trace has its root, and the parent of each span."""
    span_ids = {row.span_id for row in rows}
    parent_ids = {row.parent_id for row in rows if row.parent_id}
    return parent_ids <= span_ids and any(not row.parent_id for row in rows)
