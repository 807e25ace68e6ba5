"""What a page asks for beside its rows: a request, the whole report, a comparison, and the kept traces as a file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec

from lambda_latency.latency import against, report_of, timeout_of
from lambda_latency.page import build_page, page_values, spans_line
from lambda_latency.text import Style, against_sentence, flat, sentence
from lambda_latency.trace import Reader, dump_line
from lambda_latency.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.latency import Part
    from lambda_latency.live.running_verdict import Window
    from lambda_latency.live.stream import Stream

STYLE = Style(thin=False)


class Reporting:
    """Answers from what is kept. `command` reports on the same traces from a file."""

    def __init__(self, stream: Stream, command: str) -> None:
        self._stream, self._command = stream, command
        self._one = threading.Lock()  # a report of 5,000 requests takes seconds

    def request(self, trace_id: str) -> bytes | None:
        """A request as JSON: its spans as the report's page has them, its timeout, its log; None if it is forgotten."""
        trace = self._stream.find([trace_id]).get(trace_id)
        if trace is None:
            return None
        owners = self._stream.terms.owners
        numbers: dict[Part, int] = {}
        line = spans_line(trace, lambda part: numbers.setdefault(part, len(numbers)), owners)
        timeout = timeout_of(trace, owners)
        logs, left_out = self._stream.logs.of(trace_id)
        return msgspec.json.encode(
            {
                "id": trace_id,
                "line": line,
                "parts": [[part.label, part.bucket] for part in numbers],
                "limit_ns": timeout.limit_ns if timeout is not None else 0,
                "running": timeout.running if timeout is not None else "",
                "frames": [
                    [f"{one.file}:{one.line}", one.function, one.text, one.own] for one in timeout.frames
                ] if timeout is not None else [],
                "logs": logs,
                "left_out": left_out,
            }
        )  # fmt: skip

    def page(self, window: Window) -> str | None:
        """The report's page on a window; None without a request."""
        stream = self._stream
        with self._one:
            some, _ = stream.accounts(stream.range_of(*window))
            if not some:
                return None
            owners = stream.terms.owners.settle(some)
            report = report_of(some, stream.find, owners=owners, spans=stream.spans, sources=["live"])
            values, spans = page_values(report, stream.find, command=self._command, version=VERSION)
            return build_page(values, spans, flat(sentence(report, STYLE)))

    def compared(self, window: Window, mark: int) -> bytes:
        """What became slower or faster since a mark, as JSON with a sentence."""
        stream = self._stream
        before, _ = stream.accounts(stream.range_of(0, window.after, mark))
        after, _ = stream.accounts(stream.range_of(0, mark))
        if not before or not after:
            missing = "before" if not before else "after"
            return msgspec.json.encode(
                {"sentence": f"No request {missing} the change is kept: there is nothing to compare."}
            )
        stream.terms.owners.settle(before, after)
        found = against(after, before, ["before the change"])
        told = {"sentence": flat(against_sentence(found, STYLE)), "before": len(before), "after": len(after)}
        return msgspec.json.encode(told)

    def saved(self, window: Window) -> Iterator[bytes]:
        """The traces of a window as lines that `lambda-latency report` reads."""
        stream = self._stream
        for data, ids, all_of_it in stream.lines(stream.range_of(*window)):
            if all_of_it:
                yield data.rstrip(b"\n") + b"\n"
            else:
                yield dump_line(Reader().spans(data, lambda _: None, ids)).encode()
