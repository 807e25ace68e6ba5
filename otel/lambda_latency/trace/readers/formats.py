"""Reads documents of any format as compact spans or as spans. The content of a document decides which format it has.

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

from lambda_latency.trace.model.compact_span import CompactTraces
from lambda_latency.trace.model.problem import BY_COLLECTOR, NO_TRACES
from lambda_latency.trace.model.span import AttributedSpan, Span
from lambda_latency.trace.readers.cloudwatch import (
    bare_resources,
    cloudwatch_resources,
    is_answer,
    is_bare,
    is_list_of_bare,
    is_record,
)
from lambda_latency.trace.readers.console import go_resources, is_go, is_python, python_resources
from lambda_latency.trace.readers.dialects import OnProblem, resource_spans, speaks_otlp
from lambda_latency.trace.readers.documents import LARGE, is_hollow, split
from lambda_latency.trace.readers.mistakes import kind_of, reason_of
from lambda_latency.trace.readers.otlp import ConvertedReader, OtlpReader, ToOtlp, TranscodedReader
from lambda_latency.trace.readers.otlp_message import decode_any, decode_list, decode_members
from lambda_latency.trace.readers.protobuf import is_binary, is_printed, printed_resources, protobuf_resources
from lambda_latency.trace.readers.table import ShapeTable
from lambda_latency.trace.readers.zipkin import is_zipkin, zipkin_resources

KNOWN = (
    "known are OTLP (JSON and protobuf, Tempo's and Jaeger's v3 too), Jaeger JSON (data, spans), X-Ray (Traces, "
    "Segments, segment documents), Zipkin v2, CloudWatch's aws/spans, spans that Python's and Go's SDK print, bare "
    f"spans (ids and times); {BY_COLLECTOR}"
)

UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)

Members = Mapping[str, Raw]


class FormatReader(Protocol):
    """The reader of one format."""

    def whole(self, documents: Sequence[bytes]) -> list[CompactTraces] | None:
        """The rows of each document by trace id; None if one has another format or a part that cannot be read."""

    def rows(self, document: bytes, problem: OnProblem) -> CompactTraces:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""

    def spans(self, document: bytes, problem: OnProblem, trace_ids: Collection[str] | None) -> Iterator[Span]:
        """The spans of a document, or only those of these `trace_ids`. `problem` is called as in `rows`."""


class Format(NamedTuple):
    """A format: its name, the test that recognizes an object by its members, and what builds its reader."""

    name: str
    fits: Callable[[Members], bool]
    reader: Callable[[ShapeTable, OtlpReader], FormatReader]
    lists: bool = False  # whether a list of such objects is one document


# What to do with a document of a known format that holds no spans, by a member of it.
SPANLESS = {
    "TraceSummaries": "X-Ray summaries hold no segments: fetch their ids with `aws xray batch-get-traces --trace-ids`",
    **dict.fromkeys(("resourceLogs", "resourceMetrics", "ScopeMetrics"), NO_TRACES),
}


class Reader:
    """Collects the rows of documents in `traces`, by trace id. The caller may take entries out."""

    def __init__(self) -> None:
        self.traces: CompactTraces = defaultdict(list)
        self._table = ShapeTable()
        self._otlp = OtlpReader(self._table)
        self._readers: dict[str, FormatReader] = {}
        self._last: FormatReader = self._otlp

    @property
    def has_executions(self) -> bool:
        """Whether a span of a durable execution was read, which may have spans in several traces."""
        return self._table.has_executions

    def read(self, documents: Sequence[bytes], problem: Callable[[int, str], object]) -> list[Collection[str]]:
        """Add the rows of some documents to `traces` and return the trace ids of each document.

        `problem` is called with the index of a document and the reason for each part that is left out.
        """
        self._table.forget()
        by_document = self._last.whole(documents) if len(documents[0]) <= LARGE else None
        if by_document is None:
            by_document = [self._read_one(text, partial(problem, index)) for index, text in enumerate(documents)]
        traces = self.traces
        for compact_spans in by_document:
            for trace_id, added in compact_spans.items():
                traces[trace_id] += added
        return [compact_spans.keys() for compact_spans in by_document]

    def spans(self, document: bytes, problem: OnProblem, trace_ids: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of these `trace_ids`."""
        for part, form in self._documents(document, problem):
            try:
                yield from form.spans(part, problem, trace_ids)
            except UNREADABLE as error:
                problem(f"not read: {reason_of(error)}")

    def attributed(
        self, document: bytes, trace_ids: Collection[str], names: Callable[[str], bool]
    ) -> Iterable[Span | AttributedSpan]:
        """The spans of traces, with at least their attributes of some `names`. What is large may be hollow."""
        spans = self._otlp.attributed(document, trace_ids, names) if len(document) <= LARGE else None
        return self.spans(document, lambda _: None, trace_ids) if spans is None else spans

    def _read_one(self, document: bytes, problem: OnProblem) -> CompactTraces:
        whole = self._last.whole([document]) if len(document) <= LARGE else None
        if whole is not None:
            return whole[0]
        traces: CompactTraces = defaultdict(list)
        for part, form in self._documents(document, problem):
            self._last = form
            whole = form.whole([part])
            try:
                compact_spans = form.rows(part, problem) if whole is None else whole[0]
            except UNREADABLE as error:
                problem(f"not read: {reason_of(error)}")
                continue
            for trace_id, added in compact_spans.items():
                traces[trace_id] += added
        return traces

    def _documents(self, text: bytes, problem: OnProblem) -> Iterator[tuple[bytes, FormatReader]]:
        """The documents of a text with their readers: one, several in a row, or the items of lists."""
        if is_binary(text):
            yield text, self._reader(FORMATS[-1])
            return
        if is_hollow(text):
            problem("not read: lists and values without content, more than traces have")
            return
        try:
            members = decode_members(text)
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

    def _several(self, text: bytes, problem: OnProblem) -> Iterator[tuple[bytes, FormatReader]]:
        for document, reason in split(text):
            if reason is not None:
                problem(reason)
            todo = [document] if reason is None else []
            while todo:
                part, form = todo.pop(), None
                begin = part.lstrip()[:1]
                try:
                    if begin == b"[":
                        members = decode_list(part)
                        form = self._format_of_list(members)
                        if form is None:
                            todo += map(bytes, reversed(members))
                    elif begin == b"{":
                        form = self._format_of(decode_members(part), problem)
                    else:
                        problem(f"no trace: got {kind_of(decode_any(part))}; {KNOWN}")
                except UNREADABLE as error:
                    problem(f"not read: {reason_of(error)}")
                if form is not None:
                    yield part, form

    def _format_of_list(self, objects: Sequence[Raw]) -> FormatReader | None:
        """The reader of a list that is one document; None if its items are documents."""
        if not objects or bytes(objects[0]).lstrip()[:1] != b"{":
            return None
        members = decode_members(objects[0])
        return next((self._reader(form) for form in FORMATS if form.lists and form.fits(members)), None)

    def _format_of(self, members: Members, problem: OnProblem) -> FormatReader | None:
        for form in FORMATS:
            if form.fits(members):
                return self._reader(form)
        names = ", ".join(members)[:60] or "an empty object"
        advice = (SPANLESS[member] for member in members if member in SPANLESS)
        problem(next(advice, f"no trace: got {names}; {KNOWN}"))
        return None

    def _reader(self, form: Format) -> FormatReader:
        if form.name not in self._readers:
            self._readers[form.name] = form.reader(self._table, self._otlp)
        return self._readers[form.name]


def spans_of(document: bytes, problem: OnProblem) -> Iterator[Span]:
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
    for member in decode_list(members[key]):
        with suppress(*UNREADABLE):
            return not decode_members(member).keys().isdisjoint(names)
    return True


def _is_dialect(members: Members) -> bool:
    inner = next((bytes(members[key]) for key in ("trace", "result", "data") if _is(members, key, b"{")), b"{}")
    return speaks_otlp(members) or speaks_otlp(decode_members(inner))


def _dialect(document: bytes, problem: OnProblem) -> Iterable[dict[str, Any]]:
    return resource_spans(decode_any(document), problem)


def _xray(table: ShapeTable, _: OtlpReader) -> FormatReader:
    from lambda_latency.trace.readers.xray import XRayReader  # imported for files that need it, as Jaeger's

    return XRayReader(table)


def _jaeger(_: ShapeTable, otlp: OtlpReader) -> FormatReader:
    from lambda_latency.trace.readers.jaeger import jaeger_batches

    return ConvertedReader(otlp, jaeger_batches)


def _by_way_of_otlp(resources: ToOtlp) -> Callable[[ShapeTable, OtlpReader], FormatReader]:
    return lambda _, otlp: TranscodedReader(otlp, resources)


# The formats, of which the first that fits reads a document.
FORMATS: tuple[Format, ...] = (
    Format("OTLP", lambda members: "resourceSpans" in members, lambda _, otlp: otlp),
    Format("X-Ray", _is_xray, _xray),
    Format("a list of bare spans", is_list_of_bare, _by_way_of_otlp(bare_resources)),
    Format("Jaeger", _is_jaeger, _jaeger),
    Format("OTLP of other writers", _is_dialect, _by_way_of_otlp(_dialect)),
    Format("Python's console", is_python, _by_way_of_otlp(python_resources)),
    Format("Go's console", is_go, _by_way_of_otlp(go_resources)),
    Format("a function's log", is_printed, _by_way_of_otlp(printed_resources)),
    Format("Zipkin", is_zipkin, _by_way_of_otlp(zipkin_resources), lists=True),
    Format("CloudWatch", is_record, _by_way_of_otlp(cloudwatch_resources)),
    Format("bare spans", is_bare, _by_way_of_otlp(bare_resources)),
    Format("an answer of CloudWatch", is_answer, _by_way_of_otlp(cloudwatch_resources)),
    Format("OTLP as protobuf", lambda _: False, _by_way_of_otlp(protobuf_resources)),
)
