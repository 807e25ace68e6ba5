"""Requests while they happen: from export requests to rows, kept traces and what a page asks about them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.latency import Accounts, Judge, Terms
from lambda_latency.live.inbox import Inbox
from lambda_latency.live.ring import Kept, Range, Ring
from lambda_latency.live.settling import Settling, is_whole
from lambda_latency.live.shown_rows import failure_of, mark_of, row_of
from lambda_latency.trace import Reader, Trace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lambda_latency.live.bounds import Bounds
    from lambda_latency.live.log_store import LogStore
    from lambda_latency.live.ring import Line
    from lambda_latency.live.settling import Open
    from lambda_latency.trace import Problem, Rows, Span

GATHER_S = 0.22  # rows of so many seconds come together
FAILURES = 50  # of one batch whose line is looked up, which takes half a millisecond each
TRACES = 300  # that stay built, for verdicts in a row


class Waits(NamedTuple):
    """How long a trace waits for more spans, in seconds: one of which parts are missing, and one that looks whole."""

    quiet_s: float = 0.5
    whole_s: float = 0.0


class Update(NamedTuple):
    """Rows and marks as JSON, the number of the last one, and whether older ones than those are forgotten already."""

    rows: list[bytes]
    last: int
    lost: bool


class Stream:
    """Reads what the inbox gets on a thread of its own, from `start` until `close`.

    Requests become rows by the reader and the judge of reports, which takes a tenth of the time of a trace with its
    spans. A trace is built for a click, and for the line of an error.
    """

    def __init__(self, inbox: Inbox, logs: LogStore, bounds: Bounds, terms: Terms, waits: Waits) -> None:
        self.terms, self.bounds, self.logs = terms, bounds, logs
        self._inbox = inbox
        self._changed = threading.Condition()
        self._ring, self._settling = Ring(bounds), Settling(*waits)
        self._ended: list[str] = []
        self._marks: list[str] = []
        self._reader, self._again = Reader(), Reader()
        self._problems: list[Problem] = []
        self._unread, self._why = 0, ""
        self._accounts = Accounts()
        self._judge = Judge(self._accounts, terms)
        self._built: OrderedDict[tuple[str, int], Trace] = OrderedDict()
        self._building = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._inbox.wake()
        self._thread.start()

    def close(self) -> None:
        """Stop reading, and release everyone who waits for rows."""
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
        """A request has ended, and its spans are here: its row is due."""
        self._ended.append(trace_id)
        self._inbox.nudge()

    def mark(self, text: str) -> None:
        """Put a mark between the requests before and those after now."""
        self._marks.append(text)
        self._inbox.nudge()

    @property
    def last(self) -> int:
        """The number of the newest row."""
        return self._ring.last

    def after(self, number: int, limit_s: float) -> Update:
        """The rows after a number, as soon as there is one, some at a time."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._ring.last > number, limit_s)
            found = self._ring.after(number, self.bounds.rows)
            lost = 0 < number < self._ring.oldest_lost
            return Update([one.row for one in found], found[-1].number if found else self._ring.last, lost)

    def range_of(self, minutes: int, after: int, until: int | None = None) -> Range:
        """The requests of the last minutes (0: all) whose first row comes after a number."""
        return Range(time.time_ns() - minutes * 60 * 10**9 if minutes else 0, after, until)

    def accounts(self, range_: Range) -> tuple[Accounts, int]:
        """The accounts of a range, in a copy, and the number of the newest row that was seen."""
        with self._changed:
            of_each: dict[int, tuple[Accounts, list[int]]] = {}
            for one in self._ring.chosen(range_):
                if one.accounts is not None:
                    of_each.setdefault(id(one.accounts), (one.accounts, []))[1].append(one.at)
            some, last = Accounts(), self._ring.last
            for accounts, indices in of_each.values():
                some.extend(accounts.take(indices))
        return some, last

    def find(self, trace_ids: Collection[str]) -> Mapping[str, Trace]:
        """The kept traces with these ids."""
        with self._building:
            return self._find(trace_ids)

    def spans(self, trace_ids: Collection[str]) -> Iterable[Span]:
        """The spans of the kept traces with these ids, in any order."""
        for line, wanted in self._lines(trace_ids):
            yield from Reader().spans(line.data, lambda _: None, wanted)

    def lines(self, range_: Range) -> list[tuple[bytes, frozenset[str], bool]]:
        """The lines of a range, each with the traces of the range in it, and whether these are all of its traces."""
        with self._changed:
            wanted = [one.trace_id for one in self._ring.chosen(range_)]
        return [(line.data, ids, line.traces == len(ids)) for line, ids in self._lines(wanted)]

    def state(self) -> dict[str, Any]:
        """The numbers that a page shows beside its rows: what is kept, what is dropped, and what could not be read."""
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
        found: dict[str, Trace] = {}
        missing: dict[str, int] = {}
        with self._changed:
            for trace_id in trace_ids:
                kept = self._ring.get(trace_id)
                if kept is not None:
                    missing[trace_id] = kept.number
        for trace_id, number in list(missing.items()):
            if (trace_id, number) in self._built:
                found[trace_id] = self._built[trace_id, number]
                self._built.move_to_end((trace_id, number))
                del missing[trace_id]
        spans: dict[str, list[Span]] = {}
        for span in self.spans(missing):
            spans.setdefault(span.trace_id, []).append(span)
        for trace_id, some in spans.items():
            found[trace_id] = Trace(some, self.terms.view)
            if len(missing) <= TRACES:
                self._built[trace_id, missing[trace_id]] = found[trace_id]
        while len(self._built) > TRACES:
            self._built.popitem(last=False)
        return found

    def _lines(self, trace_ids: Iterable[str]) -> list[tuple[Line, frozenset[str]]]:
        """The lines of some traces, each once, in the order of the traces, with those of the traces that it has."""
        of_each: dict[int, tuple[Line, set[str]]] = {}
        with self._changed:
            for trace_id in trace_ids:
                kept = self._ring.get(trace_id)
                for line in kept.lines if kept is not None else ():
                    of_each.setdefault(id(line), (line, set()))[1].add(trace_id)
        return [(line, frozenset(ids)) for line, ids in of_each.values()]

    # On the thread of the stream.

    def _run(self) -> None:
        while not self.closed:
            self._inbox.wait(self._settling.wait_s(time.monotonic()))
            self._stop.wait(GATHER_S)
            self._step()

    def _step(self) -> None:
        ended, self._ended = self._ended, []  # before the lines: those of an ended request are in the inbox by then
        lines, now = self._inbox.take(), time.monotonic()
        marks, self._marks = self._marks, []
        with self._changed:
            if lines:
                self._read(lines, now)
            self._settling.end(ended)
            due = list(self._settling.due(now, self.bounds.open))
            while self._ring.bytes > self.bounds.bytes and not len(self._ring) and (one := self._settling.oldest()):
                due.append(one)
            self._settle(due)
            for text in marks:
                self._ring.last += 1
                row = mark_of(self._ring.last, time.time_ns(), text)
                self._ring.put(Kept(self._ring.last, self._ring.last, "", row, time.time_ns()))
            self._ring.trim()
            if due or marks:
                self._changed.notify_all()

    def _read(self, lines: list[bytes], now: float) -> None:
        read = self._reader.read(lines, self._problem)
        for data, ids in zip(lines, read, strict=True):
            line = self._ring.line(data, len(ids))
            for trace_id in ids if line is not None else ():
                kept = self._ring.get(trace_id)
                whole = kept is None and is_whole(self._reader.traces[trace_id])
                assert line is not None
                self._settling.add(trace_id, line, now, whole=whole, shown=0 if kept is None else kept.shown)

    def _problem(self, _: int, reason: str) -> None:
        self._unread, self._why = self._unread + 1, reason[:300]

    def _settle(self, due: list[tuple[str, Open]]) -> None:
        """Judge the traces that are due, and add their rows."""
        before: dict[str, Kept] = {}
        rows: Rows = {}
        lines: dict[str, list[Line]] = {}
        for trace_id, one in due:
            rows[trace_id], lines[trace_id] = self._reader.traces.pop(trace_id, []), one.lines
            kept = self._ring.pull(trace_id)
            if kept is not None:  # it was shown without these spans
                before[trace_id] = kept
                lines[trace_id] = [*kept.lines, *one.lines]
                rows[trace_id] = self._all_rows(trace_id, lines[trace_id])
        order = list(rows)
        if len(self._accounts) >= self.bounds.requests:  # the judge remembers the numbers of one `Accounts`
            self._accounts = Accounts()
            self._judge = Judge(self._accounts, self.terms)
        first = len(self._accounts)
        for trace_id in order:
            self._judge.add(trace_id, rows[trace_id], self._problems)
        del self._problems[:]
        failures = 0
        for at, account in enumerate(self._accounts.made(range(first, len(self._accounts)), with_calls=False), first):
            trace_id = account.trace_id
            was = before.get(trace_id)
            self._ring.last += 1
            number = self._ring.last
            kept = Kept(
                number,
                was.first if was is not None else number,
                trace_id,
                b"",
                account.start_ns + account.wall_ns,
                self._accounts,
                at,
                lines[trace_id],
                was.shown + 1 if was is not None else 1,
            )
            failed = account.timed_out or (account.error and failures < FAILURES)
            failures += failed
            kept.row = row_of(number, kept.first, account, self._failure(kept) if failed else ("", ""))
            self._ring.put(kept)

    def _failure(self, kept: Kept) -> tuple[str, str]:
        wanted = (kept.trace_id,)
        spans = [span for line in kept.lines for span in self._again.spans(line.data, lambda _: None, wanted)]
        return failure_of(Trace(spans, self.terms.view), self.terms.owners) if spans else ("", "")

    def _all_rows(self, trace_id: str, lines: list[Line]) -> list[Any]:
        self._again.read([line.data for line in lines], lambda *_: None)
        found = self._again.traces.pop(trace_id, [])
        self._again.traces.clear()
        return found
