"""Documents of every format as rows, or as spans: their content decides which format it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Protocol

import msgspec
from msgspec import Raw

from lambda_latency.trace.documents import LARGE, split
from lambda_latency.trace.jaeger import JaegerReader
from lambda_latency.trace.otlp import OtlpReader
from lambda_latency.trace.row import Rows
from lambda_latency.trace.span import Span
from lambda_latency.trace.table import ShapeTable
from lambda_latency.trace.xray import XRayReader

__all__ = ["KNOWN", "Reader", "spans_of"]

KNOWN = "OTLP/JSON (resourceSpans), Jaeger JSON (data, spans), X-Ray (Traces, Segments, segment documents)"
SUMMARIES = "X-Ray summaries hold no segments: fetch their ids with `aws xray batch-get-traces --trace-ids`"

Problem = Callable[[str], object]

_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_any = msgspec.json.Decoder().decode


class Format(Protocol):
    """A format of documents."""

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of each document; None where one is of another format, or something in it cannot be read."""

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a document of this format. What cannot be read is left out, and `problem` hears why."""

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None) -> Iterator[Span]:
        """As `rows`, the spans; with `wanted` only those of these traces."""


class Reader:
    """Collects the rows of documents; `traces` are those by trace id, for whoever takes them."""

    def __init__(self) -> None:
        self.traces: Rows = defaultdict(list)
        self._table = ShapeTable()
        self._otlp, self._jaeger = OtlpReader(self._table), JaegerReader(self._table)
        self._xray = XRayReader(self._table)
        self._last: Format = self._otlp

    def read(self, documents: Sequence[bytes], problem: Callable[[int, str], object]) -> list[Collection[str]]:
        """Add the rows of some documents; the answer are the ids of the traces of each.

        `problem` hears the place of a document among them, and what could not be read in it.
        """
        self._table.forget()
        found = self._last.whole(documents) if len(documents[0]) <= LARGE else None
        if found is None:
            found = [self._read_one(one, partial(problem, at)) for at, one in enumerate(documents)]
        traces = self.traces
        for rows in found:
            for trace_id, some in rows.items():
                traces[trace_id] += some
        return [rows.keys() for rows in found]

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or those of the wanted traces."""
        for one, form in self._documents(document, problem):
            yield from form.spans(one, problem, wanted)

    def _read_one(self, document: bytes, problem: Problem) -> Rows:
        whole = self._last.whole([document]) if len(document) <= LARGE else None
        if whole is not None:
            return whole[0]
        found: Rows = defaultdict(list)
        for one, form in self._documents(document, problem):
            self._last = form
            whole = form.whole([one])
            for trace_id, some in (form.rows(one, problem) if whole is None else whole[0]).items():
                found[trace_id] += some
        return found

    def _documents(self, text: bytes, problem: Problem) -> Iterator[tuple[bytes, Format]]:
        """The documents in a text with their formats: one, those behind each other, and those in lists."""
        try:
            members = _decode_members(text)
        except (msgspec.DecodeError, RecursionError):
            yield from self._several(text, problem)
            return
        form = self._format_of(members, problem)
        if form is not None:
            yield text, form

    def _several(self, text: bytes, problem: Problem) -> Iterator[tuple[bytes, Format]]:
        for document, reason in split(text):
            if reason is not None:
                problem(reason)
            todo = [document] if reason is None else []
            while todo:
                one = todo.pop()
                if one.lstrip()[:1] == b"[":
                    todo += map(bytes, reversed(_decode_list(one)))
                elif one.lstrip()[:1] == b"{":
                    form = self._format_of(_decode_members(one), problem)
                    if form is not None:
                        yield one, form
                else:
                    problem(f"no trace: known are {KNOWN}, got {type(_decode_any(one)).__name__}")

    def _format_of(self, members: dict[str, Raw], problem: Problem) -> Format | None:
        if "resourceSpans" in members:
            return self._otlp
        if any(_is(members, key, b"[") for key in ("Traces", "Segments")) or _is(members, "Document", b'"'):
            return self._xray
        if "start_time" in members and "id" in members:
            return self._xray
        if _is(members, "spans", b"[") or _is(members, "data", b"["):
            return self._jaeger
        seen = ", ".join(members)[:60] or "an empty object"
        problem(SUMMARIES if "TraceSummaries" in members else f"no trace: known are {KNOWN}, got {seen}")
        return None


def spans_of(document: bytes, problem: Problem) -> Iterator[Span]:
    """The spans of one document of any format; `problem` hears of what cannot be read."""
    return Reader().spans(document, problem)


def _is(members: dict[str, Raw], key: str, begin: bytes) -> bool:
    return key in members and bytes(members[key])[:1] == begin
