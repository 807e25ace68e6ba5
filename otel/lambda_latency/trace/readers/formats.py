"""Reads documents of any format as rows or as spans. The content of a document decides which format it has.

A new format needs one module and one row in `FORMATS`. A reader is built for the first document of its format.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.problem import BY_COLLECTOR, NO_TRACES
from lambda_latency.trace.model.row import Rows
from lambda_latency.trace.model.span import Span
from lambda_latency.trace.readers.bare import bare_resources, is_bare, is_list_of_bare
from lambda_latency.trace.readers.cloudwatch import cloudwatch_resources, is_answer, is_record
from lambda_latency.trace.readers.console import go_resources, is_go, is_python, python_resources
from lambda_latency.trace.readers.dialects import resource_spans, speaks_otlp
from lambda_latency.trace.readers.documents import LARGE, split
from lambda_latency.trace.readers.mistakes import kind_of, reason_of
from lambda_latency.trace.readers.otlp import ConvertedReader, OtlpReader, ToOtlp, TranscodedReader
from lambda_latency.trace.readers.printed import is_printed, printed_resources
from lambda_latency.trace.readers.protobuf import is_binary, protobuf_resources
from lambda_latency.trace.readers.table import ShapeTable
from lambda_latency.trace.readers.zipkin import is_zipkin, zipkin_resources

KNOWN = (
    "known are OTLP (JSON and protobuf, Tempo's and Jaeger's v3 too), Jaeger JSON (data, spans), X-Ray (Traces, "
    "Segments, segment documents), Zipkin v2, CloudWatch's aws/spans, spans that Python's and Go's SDK print, bare "
    f"spans (ids and times); {BY_COLLECTOR}"
)

UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)

Problem = Callable[[str], object]
Members = Mapping[str, Raw]

_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_any = msgspec.json.Decoder().decode


class Format(Protocol):
    """The reader of one format."""

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of each document by trace id; None if one has another format or a part that cannot be read."""

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None) -> Iterator[Span]:
        """The spans of a document, or only those of the `wanted` traces. `problem` is called as in `rows`."""


class Known(NamedTuple):
    """A format: its name, the test that recognizes an object by its members, and what builds its reader."""

    name: str
    fits: Callable[[Members], bool]
    reader: Callable[[ShapeTable, OtlpReader], Format]
    lists: bool = False  # whether a list of such objects is one document


# What to do with a document of a known format that holds no spans, by a member of it.
SPANLESS = {
    "TraceSummaries": "X-Ray summaries hold no segments: fetch their ids with `aws xray batch-get-traces --trace-ids`",
    **dict.fromkeys(("resourceLogs", "resourceMetrics", "ScopeMetrics"), NO_TRACES),
}


class Reader:
    """Collects the rows of documents in `traces`, by trace id. The caller may take entries out."""

    def __init__(self) -> None:
        self.traces: Rows = defaultdict(list)
        self._table = ShapeTable()
        self._otlp = OtlpReader(self._table)
        self._readers: dict[str, Format] = {}
        self._last: Format = self._otlp

    def read(self, documents: Sequence[bytes], problem: Callable[[int, str], object]) -> list[Collection[str]]:
        """Add the rows of some documents to `traces` and return the trace ids of each document.

        `problem` is called with the index of a document and the reason for each part that is left out.
        """
        self._table.forget()
        found = self._last.whole(documents) if len(documents[0]) <= LARGE else None
        if found is None:
            found = [self._read_one(document, partial(problem, at)) for at, document in enumerate(documents)]
        traces = self.traces
        for rows in found:
            for trace_id, added in rows.items():
                traces[trace_id] += added
        return [rows.keys() for rows in found]

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of the `wanted` traces.

        `problem` is called with the reason for each part that is left out.
        """
        for part, form in self._documents(document, problem):
            try:
                yield from form.spans(part, problem, wanted)
            except UNREADABLE as error:
                problem(f"not read: {reason_of(error)}")

    def _read_one(self, document: bytes, problem: Problem) -> Rows:
        whole = self._last.whole([document]) if len(document) <= LARGE else None
        if whole is not None:
            return whole[0]
        found: Rows = defaultdict(list)
        for part, form in self._documents(document, problem):
            self._last = form
            whole = form.whole([part])
            try:
                rows = form.rows(part, problem) if whole is None else whole[0]
            except UNREADABLE as error:
                problem(f"not read: {reason_of(error)}")
                continue
            for trace_id, added in rows.items():
                found[trace_id] += added
        return found

    def _documents(self, text: bytes, problem: Problem) -> Iterator[tuple[bytes, Format]]:
        """The documents of a text with their readers: one, several in a row, or the items of lists."""
        if is_binary(text):
            yield text, self._reader(FORMATS[-1])
            return
        try:
            members = _decode_members(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            yield from self._several(text, problem)
            return
        try:
            form = self._format_of(members, problem)
        except UNREADABLE as error:
            problem(f"not read: {reason_of(error)}")
            return
        if form is not None:
            yield text, form

    def _several(self, text: bytes, problem: Problem) -> Iterator[tuple[bytes, Format]]:
        for document, reason in split(text):
            if reason is not None:
                problem(reason)
            todo = [document] if reason is None else []
            while todo:
                one, form = todo.pop(), None
                first = one.lstrip()[:1]
                try:
                    if first == b"[":
                        items = _decode_list(one)
                        form = self._format_of_list(items)
                        if form is None:
                            todo += map(bytes, reversed(items))
                    elif first == b"{":
                        form = self._format_of(_decode_members(one), problem)
                    else:
                        problem(f"no trace: got {kind_of(_decode_any(one))}; {KNOWN}")
                except UNREADABLE as error:
                    problem(f"not read: {reason_of(error)}")
                if form is not None:
                    yield one, form

    def _format_of_list(self, items: Sequence[Raw]) -> Format | None:
        """The reader of a list that is one document; None if its items are documents."""
        if not items or bytes(items[0]).lstrip()[:1] != b"{":
            return None
        members = _decode_members(items[0])
        return next((self._reader(one) for one in FORMATS if one.lists and one.fits(members)), None)

    def _format_of(self, members: Members, problem: Problem) -> Format | None:
        for one in FORMATS:
            if one.fits(members):
                return self._reader(one)
        seen = ", ".join(members)[:60] or "an empty object"
        advice = (SPANLESS[member] for member in members if member in SPANLESS)
        problem(next(advice, f"no trace: got {seen}; {KNOWN}"))
        return None

    def _reader(self, known: Known) -> Format:
        if known.name not in self._readers:
            self._readers[known.name] = known.reader(self._table, self._otlp)
        return self._readers[known.name]


def spans_of(document: bytes, problem: Problem) -> Iterator[Span]:
    """The spans of one document of any format. `problem` is called with the reason for each part that is left out."""
    return Reader().spans(document, problem)


def _is(members: Members, key: str, begin: bytes) -> bool:
    return key in members and memoryview(members[key])[:1].tobytes() == begin  # bytes(member) would copy a large member


def _is_xray(members: Members) -> bool:
    if any(_is(members, key, b"[") for key in ("Traces", "Segments")) or _is(members, "Document", b'"'):
        return True
    return "start_time" in members and "id" in members and members.keys().isdisjoint(("span_id", "context"))


def _is_jaeger(members: Members) -> bool:
    return _begins_with(members, "spans", ("traceID",)) or _begins_with(members, "data", ("spans", "traceID"))


def _begins_with(members: Members, key: str, names: Sequence[str]) -> bool:
    """Whether a member is a list without an object that can be read, or its first such object has one of the names."""
    if not _is(members, key, b"["):
        return False
    for item in _decode_list(members[key]):
        with suppress(*UNREADABLE):
            return not _decode_members(item).keys().isdisjoint(names)
    return True


def _is_dialect(members: Members) -> bool:
    inner = next((bytes(members[key]) for key in ("trace", "result", "data") if _is(members, key, b"{")), b"{}")
    return speaks_otlp(members) or speaks_otlp(_decode_members(inner))


def _dialect(document: bytes, problem: Problem) -> Iterable[dict[str, Any]]:
    return resource_spans(_decode_any(document), problem)


def _otlp(_: ShapeTable, otlp: OtlpReader) -> Format:
    return otlp


def _xray(table: ShapeTable, _: OtlpReader) -> Format:
    from lambda_latency.trace.readers.xray import XRayReader  # imported for files that need it, as Jaeger's

    return XRayReader(table)


def _jaeger(_: ShapeTable, otlp: OtlpReader) -> Format:
    from lambda_latency.trace.readers.jaeger import jaeger_batches

    return ConvertedReader(otlp, jaeger_batches)


def _by_way_of_otlp(resources: ToOtlp) -> Callable[[ShapeTable, OtlpReader], Format]:
    return lambda _, otlp: TranscodedReader(otlp, resources)


# The formats, of which the first that fits reads a document.
FORMATS: tuple[Known, ...] = (
    Known("OTLP", lambda members: "resourceSpans" in members, _otlp),
    Known("X-Ray", _is_xray, _xray),
    Known("a list of bare spans", is_list_of_bare, _by_way_of_otlp(bare_resources)),
    Known("Jaeger", _is_jaeger, _jaeger),
    Known("OTLP of other writers", _is_dialect, _by_way_of_otlp(_dialect)),
    Known("Python's console", is_python, _by_way_of_otlp(python_resources)),
    Known("Go's console", is_go, _by_way_of_otlp(go_resources)),
    Known("a function's log", is_printed, _by_way_of_otlp(printed_resources)),
    Known("Zipkin", is_zipkin, _by_way_of_otlp(zipkin_resources), lists=True),
    Known("CloudWatch", is_record, _by_way_of_otlp(cloudwatch_resources)),
    Known("bare spans", is_bare, _by_way_of_otlp(bare_resources)),
    Known("an answer of CloudWatch", is_answer, _by_way_of_otlp(cloudwatch_resources)),
    Known("OTLP as protobuf", lambda _: False, _by_way_of_otlp(protobuf_resources)),
)
