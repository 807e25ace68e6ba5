"""Answers a page's requests: a request's spans, the whole report, a comparison, the retained traces as a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec

from lambda_latency.latency import Component, Report, against, report_of, timeout_of
from lambda_latency.live.stream import Stream
from lambda_latency.page import SpanRedaction, build_page, page_values, spans_line
from lambda_latency.text import (
    Style,
    against_sentence,
    decision_values,
    first_sentence,
    flat,
    paragraphs,
    timeout_groups,
    timeout_sentence,
)
from lambda_latency.trace import Reader, dump_line
from lambda_latency.version import VERSION

STYLE = Style(thin=False)
LEAST_S = 1.0  # between two verdicts
SHARE = 600  # times the processor time of a verdict, until it is computed again
MOST_S = 30.0
MOST_PARAGRAPHS = 14
MOST_IDS = 1_000  # requests of a finding that a page gets


class Reporting:
    """Answers from the retained traces. `command` reports on the same traces from a file."""

    def __init__(self, stream: Stream, command: str, redaction: SpanRedaction) -> None:
        self._stream, self._command, self._redaction = stream, command, redaction
        self._reporting = threading.Lock()  # a report of 5,000 requests takes seconds

    def request(self, trace_id: str) -> bytes | None:
        """Return a request as JSON: its spans as on the report's page, timeout and log; None if it is forgotten."""
        trace = self._stream.find([trace_id]).get(trace_id)
        if trace is None:
            return None
        owners = self._stream.options.owners
        numbers: dict[Component, int] = {}
        line = spans_line(trace, lambda part: numbers.setdefault(part, len(numbers)), owners, self._redaction)
        timeout = timeout_of(trace, owners)
        logs, left_out = self._stream.logs.lines_of(trace_id)
        return msgspec.json.encode(
            {
                "id": trace_id,
                "line": line,
                "parts": [[self._redaction.text(part.label), part.category] for part in numbers],
                "limit_ns": timeout.limit_ns if timeout is not None else 0,
                "running": self._redaction.text(timeout.running) if timeout is not None else "",
                "frames": [
                    [f"{frame.file}:{frame.line}", frame.function, self._redaction.text(frame.text), frame.own]
                    for frame in timeout.frames
                ] if timeout is not None else [],
                "logs": logs,
                "left_out": left_out,
            }
        )  # fmt: skip

    def page(self, window: Window) -> str | None:
        """Return the report's page on a window; None without a request."""
        stream = self._stream
        with self._reporting:
            breakdowns = stream.breakdowns(stream.range_of(*window))
            if not breakdowns:
                return None
            owners = stream.options.owners.settle(breakdowns)
            report = report_of(breakdowns, stream.find, owners=owners, spans=stream.spans, sources=["live"])
            values, spans = page_values(
                report, stream.find, command=self._command, version=VERSION, redaction=self._redaction
            )
            return build_page(values, spans, flat(first_sentence(report, STYLE)))

    def compared(self, window: Window, mark: int) -> bytes:
        """Return what became slower or faster since a mark, as JSON with a sentence."""
        stream = self._stream
        earlier = stream.breakdowns(stream.range_of(0, window.above, mark))
        current = stream.breakdowns(stream.range_of(0, mark))
        if not earlier or not current:
            missing = "before" if not earlier else "after"
            refusal = f"No request {missing} the change is kept: there is nothing to compare."
            return msgspec.json.encode({"sentence": refusal})
        stream.options.owners.settle(earlier, current)
        comparison = against(current, earlier, ["before the change"])
        answer = {
            "sentence": flat(against_sentence(comparison, STYLE)),
            "decision": decision_values(comparison.decision),
            "before": len(earlier),
            "after": len(current),
        }
        return msgspec.json.encode(answer)

    def saved(self, window: Window) -> Iterator[bytes]:
        """Yield the traces of a window as lines that `lambda-latency report` reads, without secrets."""
        stream = self._stream
        for line, trace_ids, is_whole in stream.lines(stream.range_of(*window)):
            if is_whole and self._redaction.keeps:
                yield line.rstrip(b"\n") + b"\n"
            else:
                yield saved_line(line, self._redaction, trace_ids)


def saved_line(line: bytes, redaction: SpanRedaction, trace_ids: Collection[str] | None = None) -> bytes:
    """Return an export request as a line without secrets, with all of its traces or some."""
    spans = Reader().spans(line, lambda _: None, trace_ids)
    return dump_line(map(redaction.span, spans)).encode()


def _ids(report: Report, members: Sequence[int]) -> list[str]:
    return [report.breakdowns.trace_id(member) for member in members[:MOST_IDS]]


class Window(NamedTuple):
    """The requests of the last `minutes` (0: all that are retained) whose row has a number above `above`."""

    minutes: int = 15
    above: int = 0


class Verdicts:
    """The verdicts of the windows that connected pages show. Thread-safe."""

    def __init__(self, stream: Stream, redaction: SpanRedaction) -> None:
        self._stream, self._redaction = stream, redaction
        self._changed = threading.Condition()
        self._pages: dict[Window, int] = {}
        self._verdicts: dict[Window, tuple[int, bytes]] = {}
        self._version = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verdict", daemon=True)

    def start(self) -> None:
        """Start the thread that computes the verdicts."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, window: Window) -> None:
        """Count a page that shows this window from now on."""
        with self._changed:
            self._pages[window] = self._pages.get(window, 0) + 1
            self._changed.notify_all()

    def remove(self, window: Window) -> None:
        """Count a page less: it is gone."""
        with self._changed:
            self._pages[window] -= 1
            if not self._pages[window]:
                del self._pages[window]
                self._verdicts.pop(window, None)

    def newer(self, window: Window, version: int) -> tuple[int, bytes] | None:
        """Return the verdict of a window as JSON, with its version; None if it is not newer."""
        with self._changed:
            verdict = self._verdicts.get(window)
        return verdict if verdict is not None and verdict[0] > version else None

    def _run(self) -> None:
        number = -1
        judged: set[Window] = set()
        while not self._stop.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._pages or self._stop.is_set())
                windows = set(self._pages)
            if self._stream.last == number and windows == judged and self._is_unchanged(number, windows):
                continue
            number, judged = self._stream.last, windows
            start_s = time.thread_time()
            for window in windows:
                verdict = self._verdict(window)
                with self._changed:
                    if window in self._pages and self._verdicts.get(window, (0, b""))[1] != verdict:
                        self._version += 1
                        self._verdicts[window] = (self._version, verdict)
            wait_s = min(max(LEAST_S, SHARE * (time.thread_time() - start_s)), MOST_S)
            self._pause(wait_s, judged)

    def _is_unchanged(self, number: int, windows: set[Window]) -> bool:
        """Wait a little for a row, and return whether neither the rows nor the windows of the pages changed."""
        self._stream.after(number, LEAST_S)
        with self._changed:
            are_same = windows == set(self._pages)
        return self._stream.last == number and are_same and not self._stop.is_set()

    def _pause(self, limit_s: float, windows: set[Window]) -> None:
        """Wait until the limit, or until a page shows another window."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or not self._pages.keys() <= windows, limit_s)

    def _verdict(self, window: Window) -> bytes:
        stream = self._stream
        breakdowns = stream.breakdowns(stream.range_of(*window))
        if not breakdowns:
            return b'{"requests":0}'
        report = report_of(breakdowns, stream.find, owners=stream.options.owners.settle(breakdowns))
        return msgspec.json.encode(
            {
                "requests": report.totals.requests,
                "paragraphs": [
                    self._redaction.text(flat(paragraph)) for paragraph in paragraphs(report, STYLE)[:MOST_PARAGRAPHS]
                ],
                "shows": self._shows(report),
                "slow": _ids(report, report.groups.slow),
                "timeouts": [flat(timeout_sentence(group, report, STYLE)) for group in timeout_groups(report)],
            }
        )

    def _shows(self, report: Report) -> list[dict[str, object]]:
        """Return what a page can show of each cause: its name, its requests, and its example."""
        return [
            {
                "name": self._redaction.text(" and ".join([edge.component.label for edge, _ in group.edges])),
                "ids": _ids(report, group.members),
                "example": report.breakdowns.trace_id(group.example),
            }
            for group in report.groups.groups
        ]
