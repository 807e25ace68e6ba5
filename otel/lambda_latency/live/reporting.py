"""Answers a page's requests: the verdict, a request's spans, a comparison, the retained traces as a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from typing import NamedTuple

import msgspec

from lambda_latency.latency import Breakdowns, Component, Report, against, report_of, timeout_of
from lambda_latency.live.stream import Stream
from lambda_latency.page import SpanRedaction, build_page, page_values, redacted, spans_line
from lambda_latency.text import (
    Style,
    against_sentence,
    decision_values,
    first_sentence,
    flat,
    owner,
    timeout_values,
)
from lambda_latency.trace import Reader, dump_line
from lambda_latency.version import VERSION

STYLE = Style(thin=False)
LEAST_S = 1.0  # between two verdicts
SHARE = 700  # times the processor time of a verdict, until it is computed again
MOST_S = 90.0


class Reporting:
    """Answers from the retained traces. `command` reports on the same traces from a file."""

    def __init__(self, stream: Stream, command: str, redaction: SpanRedaction) -> None:
        self._stream, self._command, self._redaction = stream, command, redaction
        self._reporting = threading.Lock()  # a report of 5,000 requests takes seconds
        self._verdicts: dict[Window, tuple[float, int, bytes]] = {}  # the newest, for tabs that ask at once

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
        answer = {
            "line": line,
            "parts": [[self._redaction.text(part.label), part.category, owner(part)] for part in numbers],
            "timeout": redacted(timeout_values(timeout), self._redaction) if timeout is not None else None,
            "logs": logs,
            "left_out": left_out,
        }
        return msgspec.json.encode(answer)

    def page(self, window: Window) -> str | None:
        """Return the report's page on a window as a file; None without a request."""
        stream = self._stream
        with self._reporting:
            breakdowns = stream.breakdowns(stream.range_of(*window))
            if not breakdowns:
                return None
            report = self._report(breakdowns)
            return build_page(*self._values(report), flat(first_sentence(report, STYLE)))

    def verdict(self, window: Window) -> bytes:
        """Return the report on a window as JSON, without the spans of most requests: `report`, the `lines` of spans,
        the number of the `last` row, and `wait_ms`, after which a page may ask for a newer one.
        """
        stream = self._stream
        with self._reporting:
            made_s, last, verdict = self._verdicts.get(window, (0.0, -1, b""))
            if last == stream.last and time.monotonic() - made_s < MOST_S:
                return verdict
            start_s, last = time.thread_time(), stream.last
            report = self._report(stream.breakdowns(stream.range_of(*window)))
            values, lines = self._values(report, is_live=True)
            wait_s = min(max(LEAST_S, SHARE * (time.thread_time() - start_s)), MOST_S)
            verdict = msgspec.json.encode(
                {"last": last, "wait_ms": round(1_000 * wait_s), "report": values, "lines": lines}
            )
            self._verdicts = {window: (time.monotonic(), last, verdict)}
        return verdict

    def _report(self, breakdowns: Breakdowns) -> Report:
        stream = self._stream
        owners = stream.options.owners.settle(breakdowns)
        return report_of(breakdowns, stream.find, owners=owners, spans=stream.spans, sources=["live"])

    def _values(self, report: Report, *, is_live: bool = False) -> tuple[dict[str, object], list[str]]:
        return page_values(
            report,
            self._stream.find,
            command=self._command,
            version=VERSION,
            redaction=self._redaction,
            is_live=is_live,
        )

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


class Window(NamedTuple):
    """The requests of the last `minutes` (0: all that are retained) whose row has a number above `above`."""

    minutes: int = 15
    above: int = 0
