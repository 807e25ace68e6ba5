"""Requests while they happen: turns export requests into rows and retained traces, and answers a page about them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from lambda_latency.latency import AnalysisOptions, Analyzer, Breakdown, Breakdowns
from lambda_latency.live.bounds import Bounds
from lambda_latency.live.inbox import Inbox
from lambda_latency.live.log_store import LogStore
from lambda_latency.live.ring import Line, OpenTrace, Range, RetainedRequest, Ring, Settling, is_whole
from lambda_latency.live.shown_rows import failure_of, mark_of, row_of
from lambda_latency.page import SpanRedaction
from lambda_latency.trace import CompactTraces, Problem, Reader, Span, Trace

GATHER_S = 0.22  # rows of so many seconds come together
FAILURES = 50  # of a batch whose line is looked up, which takes half a millisecond each
TRACES = 300  # that stay built, for consecutive verdicts


class Waits(NamedTuple):
    """How long a trace waits for more spans, in seconds: one that lacks spans, and one that looks whole."""

    quiet_s: float = 0.5
    whole_s: float = 0.0


class Update(NamedTuple):
    """Rows and marks as JSON, the number of the last row, and whether rows before them are already forgotten."""

    rows: list[bytes]
    number: int
    lost: bool


class Stream:
    """Reads the inbox on a thread of its own, from `start` until `close`.

    Reader and analyzer of reports make the row of a request in a tenth of the time that building its trace takes.
    A trace is built for a click, and for the line of an error.
    """

    def __init__(
        self,
        inbox: Inbox,
        logs: LogStore,
        bounds: Bounds,
        options: AnalysisOptions,
        waits: Waits,
        redaction: SpanRedaction,
    ) -> None:
        self.options, self.bounds, self.logs, self._redaction = options, bounds, logs, redaction
        self._inbox = inbox
        self._changed = threading.Condition()
        self._ring, self._settling = Ring(bounds), Settling(*waits)
        self._ended: list[str] = []
        self._marks: list[str] = []
        self._reader, self._late_reader = Reader(), Reader()
        self._problems: list[Problem] = []
        self._unread, self._why = 0, ""
        self._breakdowns = Breakdowns()
        self._analyzer = Analyzer(self._breakdowns, options)
        self._built: OrderedDict[tuple[str, int], Trace] = OrderedDict()
        self._building = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Start the thread that reads."""
        self._inbox.wake()
        self._thread.start()

    def close(self) -> None:
        """Stop reading, and wake all threads that wait for rows."""
        self._stop.set()
        self._inbox.nudge()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    def end(self, trace_id: str) -> None:
        """Make the row of a request due: it has ended, and its spans have arrived."""
        self._ended.append(trace_id)
        self._inbox.nudge()

    def mark(self, text: str) -> None:
        """Put a mark between the requests until now and later ones."""
        self._marks.append(text)
        self._inbox.nudge()

    @property
    def last(self) -> int:
        """Return the number of the newest row."""
        return self._ring.last

    def after(self, number: int, limit_s: float) -> Update:
        """Return at most `bounds.rows` rows after a number, as soon as there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._ring.last > number, limit_s)
            requests = self._ring.after(number, self.bounds.rows)
            lost = 0 < number < self._ring.oldest_lost
            newest = requests[-1].number if requests else self._ring.last
            return Update([request.row for request in requests], newest, lost)

    def range_of(self, minutes: int, above: int, up_to: int | None = None) -> Range:
        """Return the range of the last minutes (0: all) whose first row is above one number and up to another."""
        return Range(time.time_ns() - minutes * 60 * 10**9 if minutes else 0, above, up_to)

    def breakdowns(self, range_: Range) -> Breakdowns:
        """Return a copy of the breakdowns of a range."""
        chosen = Breakdowns()
        with self._changed:
            by_breakdowns: dict[int, tuple[Breakdowns, list[int]]] = {}
            for request in self._ring.chosen(range_):
                if request.breakdowns is not None:
                    by_breakdowns.setdefault(id(request.breakdowns), (request.breakdowns, []))[1].append(request.index)
            for breakdowns, indices in by_breakdowns.values():
                chosen.extend(breakdowns.take(indices))
        return chosen

    def find(self, trace_ids: Collection[str]) -> Mapping[str, Trace]:
        """Return the retained traces with these ids."""
        with self._building:
            return self._find(trace_ids)

    def spans(self, trace_ids: Collection[str]) -> Iterable[Span]:
        """Yield the spans of the retained traces with these ids, in any order."""
        for line, ids in self._lines(trace_ids):
            yield from Reader().spans(line.data, lambda _: None, ids)

    def lines(self, range_: Range) -> list[tuple[bytes, frozenset[str], bool]]:
        """Return the lines of a range, each with its traces of the range, and whether these are all of its traces."""
        with self._changed:
            trace_ids = [request.trace_id for request in self._ring.chosen(range_)]
        return [(line.data, ids, line.traces == len(ids)) for line, ids in self._lines(trace_ids)]

    def state(self) -> dict[str, Any]:
        """Return the numbers that a page shows with its rows: what is retained, dropped, and unreadable."""
        with self._changed:
            return {
                "kept": len(self._ring),
                "forgotten": self._ring.forgotten,
                "bytes": self._ring.bytes,
                "open": len(self._settling),
                "refused": self._inbox.refused,
                "dropped": self._inbox.dropped,
                "unread": self._unread,
                "why": self._why,
            }

    def _find(self, trace_ids: Collection[str]) -> dict[str, Trace]:
        traces: dict[str, Trace] = {}
        missing: dict[str, int] = {}
        with self._changed:
            for trace_id in trace_ids:
                request = self._ring.get(trace_id)
                if request is not None:
                    missing[trace_id] = request.number
        for trace_id, number in list(missing.items()):
            if (trace_id, number) in self._built:
                traces[trace_id] = self._built[trace_id, number]
                self._built.move_to_end((trace_id, number))
                del missing[trace_id]
        spans: dict[str, list[Span]] = {}
        for span in self.spans(missing):
            spans.setdefault(span.trace_id, []).append(span)
        for trace_id, trace_spans in spans.items():
            traces[trace_id] = Trace(trace_spans, self.options.view)
            if len(missing) <= TRACES:
                self._built[trace_id, missing[trace_id]] = traces[trace_id]
        while len(self._built) > TRACES:
            self._built.popitem(last=False)
        return traces

    def _lines(self, trace_ids: Iterable[str]) -> list[tuple[Line, frozenset[str]]]:
        """Return the lines of traces, each once, in the order of the traces, with the ids of those that it has."""
        by_line: dict[int, tuple[Line, set[str]]] = {}
        with self._changed:
            for trace_id in trace_ids:
                request = self._ring.get(trace_id)
                for line in request.lines if request is not None else ():
                    by_line.setdefault(id(line), (line, set()))[1].add(trace_id)
        return [(line, frozenset(ids)) for line, ids in by_line.values()]

    # The methods below run on the thread of the stream.

    def _run(self) -> None:
        while not self.closed:
            self._inbox.wait(self._settling.wait_s(time.monotonic()))
            self._stop.wait(GATHER_S)
            self._step()

    def _step(self) -> None:
        # This comes before the lines: an ended request's lines are in the inbox already
        ended, self._ended = self._ended, []
        lines, now_s = self._inbox.take(), time.monotonic()
        marks, self._marks = self._marks, []
        with self._changed:
            if lines:
                self._read(lines, now_s)
            self._settling.end(ended)
            due = list(self._settling.due(now_s, self.bounds.open))
            while self._ring.bytes > self.bounds.bytes and not len(self._ring) and (oldest := self._settling.oldest()):
                due.append(oldest)
            self._settle(due)
            for text in marks:
                self._ring.last += 1
                row = mark_of(self._ring.last, time.time_ns(), text)
                self._ring.put(RetainedRequest(self._ring.last, self._ring.last, "", row, time.time_ns()))
            self._ring.trim()
            if due or marks:
                self._changed.notify_all()

    def _read(self, lines: list[bytes], now_s: float) -> None:
        read = self._reader.read(lines, self._problem)
        for data, ids in zip(lines, read, strict=True):
            line = self._ring.line(data, len(ids))
            for trace_id in ids if line is not None else ():
                request = self._ring.get(trace_id)
                whole = request is None and is_whole(self._reader.traces[trace_id])
                shown = request.shown if request is not None else 0
                assert line is not None
                self._settling.add(trace_id, line, now_s, whole=whole, shown=shown)

    def _problem(self, _: int, reason: str) -> None:
        self._unread, self._why = self._unread + 1, reason[:300]

    def _settle(self, due: list[tuple[str, OpenTrace]]) -> None:
        """Judge the traces that are due, and add their rows."""
        earlier: dict[str, RetainedRequest] = {}
        rows: CompactTraces = {}
        lines: dict[str, list[Line]] = {}
        for trace_id, trace in due:
            rows[trace_id], lines[trace_id] = self._reader.traces.pop(trace_id, []), trace.lines
            request = self._ring.pull(trace_id)
            if request is not None:  # it was shown without these spans
                earlier[trace_id] = request
                lines[trace_id] = [*request.lines, *trace.lines]
                self._late_reader.read([line.data for line in lines[trace_id]], lambda *_: None)
                rows[trace_id] = self._late_reader.traces.pop(trace_id, [])
                self._late_reader.traces.clear()
        if len(self._breakdowns) >= self.bounds.requests:  # the analyzer remembers the numbers of one `Breakdowns`
            self._breakdowns = Breakdowns()
            self._analyzer = Analyzer(self._breakdowns, self.options)
        begin = len(self._breakdowns)
        for trace_id, trace_rows in rows.items():
            self._analyzer.add(trace_id, trace_rows, self._problems)
        del self._problems[:]
        failures = 0
        judged = self._breakdowns.made(range(begin, len(self._breakdowns)), with_calls=False)
        for index, breakdown in enumerate(judged, begin):
            trace_id = breakdown.trace_id
            request = self._retained(breakdown, index, lines[trace_id], earlier.get(trace_id))
            is_looked_up = breakdown.timed_out or (breakdown.error and failures < FAILURES)
            failures += is_looked_up
            failure = self._failure(request) if is_looked_up else ("", "")
            request.row = row_of(request.number, request.first_number, breakdown, failure, self._redaction.text)
            self._ring.put(request)

    def _retained(
        self, breakdown: Breakdown, index: int, lines: list[Line], earlier: RetainedRequest | None
    ) -> RetainedRequest:
        self._ring.last += 1
        number = self._ring.last
        first_number, shown = (earlier.first_number, earlier.shown + 1) if earlier is not None else (number, 1)
        end_ns = breakdown.start_ns + breakdown.wall_ns
        return RetainedRequest(
            number, first_number, breakdown.trace_id, b"", end_ns, self._breakdowns, index, lines, shown
        )

    def _failure(self, request: RetainedRequest) -> tuple[str, str]:
        spans: list[Span] = []
        for line in request.lines:
            spans += self._late_reader.spans(line.data, lambda _: None, (request.trace_id,))
        if not spans:
            return "", ""
        reason, where = failure_of(Trace(spans, self.options.view), self.options.owners)
        return self._redaction.text(reason), where
