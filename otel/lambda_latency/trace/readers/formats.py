"""Reads documents of any format as rows or as spans. The content of a document decides which format it has.

A new format needs one module and one row in `FORMATS`. A reader is built for the first document of its format.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.problem import NO_TRACES
from lambda_latency.trace.model.row import Rows
from lambda_latency.trace.model.span import Span
from lambda_latency.trace.readers.bare import bare_resources, is_bare, is_list_of_bare
from lambda_latency.trace.readers.cloudwatch import cloudwatch_resources, is_answer, is_record
from lambda_latency.trace.readers.console import go_resources, is_go, is_python, python_resources
from lambda_latency.trace.readers.dialects import resource_spans, speaks_otlp
from lambda_latency.trace.readers.documents import LARGE, split
from lambda_latency.trace.readers.mistakes import kind_of, reason_of
from lambda_latency.trace.readers.otlp import OtlpReader, ToOtlp, TranscodedReader
from lambda_latency.trace.readers.printed import is_printed, printed_resources
from lambda_latency.trace.readers.protobuf import is_binary, protobuf_resources
from lambda_latency.trace.readers.stores.rows import inner_document, is_stored, is_table, stored_resources
from lambda_latency.trace.readers.stores.skywalking import is_skywalking, skywalking_resources
from lambda_latency.trace.readers.table import ShapeTable
from lambda_latency.trace.readers.zipkin import is_zipkin, zipkin_resources

__all__ = ["FORMATS", "KNOWN", "Known", "Reader", "spans_of"]

KNOWN = (
    "OTLP (JSON and protobuf, Tempo's and Jaeger's v3 too), Jaeger JSON (data, spans), X-Ray (Traces, Segments, "
    "segment documents), Zipkin (v1, v2), CloudWatch's aws/spans, spans that Python's and Go's SDK print, bare spans "
    "(ids and times)"
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


# Members of Elastic APM's documents of transactions and spans, nested or with dotted names.
ELASTIC = ("processor", "processor.event", "transaction", "transaction.id", "span.id", "trace.id")
# Formats that are recognized but cannot be read, each with the advice for it.
NAMED: tuple[tuple[Callable[[Members], bool], str], ...] = (
    (
        lambda members: "TraceSummaries" in members,
        "X-Ray summaries hold no segments: fetch their ids with `aws xray batch-get-traces --trace-ids`",
    ),
    (
        lambda members: members.keys() >= {"trace_id", "id", "name"} and "start_time" not in members,
        "a segment of X-Ray without a start_time: give its document as X-Ray stores it",
    ),
    (
        lambda members: "traceEvents" in members,
        "Chrome trace events: they have no trace ids; export OTLP from what wrote them",
    ),
    (
        lambda members: members.keys() >= {"trace_id", "span_id", "service", "start"},
        "Datadog's spans: send them to a collector with the receiver `datadog` (DD_TRACE_AGENT_URL) that writes a file",
    ),
    (
        lambda members: "traceId" in members and "durationInNanos" in members,
        "OpenSearch's documents of spans (Data Prepper): write OTLP with the collector that sends them there",
    ),
    (
        lambda members: not members.keys().isdisjoint(("operationName", "operation_name")),
        "spans of Jaeger's model, as in Kafka and Cassandra: ask Jaeger for /api/traces/ID",
    ),
    (
        lambda members: "process" in members and "spans" in members,
        "Jaeger's Thrift batches as JSON: ask Jaeger for /api/traces/ID",
    ),
    (
        lambda members: "common" in members and "spans" in members,
        "New Relic's spans: send them by OTLP to a collector that writes a file",
    ),
    (
        lambda members: members.keys() >= {"event_id", "contexts"} or "sent_at" in members or _is_sentry(members),
        "Sentry's events: send the spans by OTLP to a collector that writes a file",
    ),
    (
        lambda members: "@timestamp" in members and not members.keys().isdisjoint(ELASTIC),
        "Elastic APM's documents: send them by OTLP to a collector that writes a file",
    ),
    (
        lambda members: [*members] == ["metadata"] or any(_is(members, key, b"{") for key in ("transaction", "span")),
        "Elastic APM's events: send them by OTLP to a collector that writes a file",
    ),
    (lambda members: _is(members, "hits", b"{"), "the answer of a search (Elasticsearch) that found nothing"),
    (
        lambda members: _is(members, "result", b"["),
        "the answer of a query (SigNoz): export the rows of its table from ClickHouse",
    ),
    (
        lambda members: "rootTraceName" in members or _is_search(members),
        "the answer of a search (Tempo): it names traces without their spans; ask for /api/traces/ID",
    ),
    (
        lambda members: not members.keys().isdisjoint(("spanContext", "_spanContext")),
        "spans of JavaScript's SDK as JSON: write OTLP (OTEL_TRACES_EXPORTER=otlp) to a collector's file",
    ),
    (
        lambda members: members.keys() >= {"context", "start"},
        "spans that PHP's console exporter prints: write OTLP (OTEL_TRACES_EXPORTER=otlp) to a collector's file",
    ),
    (
        lambda members: (
            "status" in members and _is(members, "data", b"{") and b'"resultType"' in bytes(members["data"])
        ),
        "the answer of a query of logs or metrics (Loki, Prometheus): ask Tempo or Jaeger for /api/traces/ID",
    ),
    (lambda members: not members.keys().isdisjoint(("resourceLogs", "resourceMetrics", "ScopeMetrics")), NO_TRACES),
    (
        lambda members: "observations" in members,
        "Langfuse's observations: send the spans by OTLP to a collector that writes a file",
    ),
)


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
        inner = inner_document(members, text)
        if inner is not None:
            yield from self._several(inner, problem)
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
                one, form = todo.pop(), None
                first = one.lstrip()[:1]
                try:
                    if first == b"[":
                        items = _decode_list(one)
                        form = self._format_of_list(items)
                        if form is None:
                            todo += map(bytes, reversed(items))
                    elif first == b"{":
                        members = _decode_members(one)
                        inner = inner_document(members, one)
                        if inner is not None:
                            todo.append(inner)
                        else:
                            form = self._format_of(members, problem)
                    else:
                        problem(f"no trace: known are {KNOWN}, got {kind_of(_decode_any(one))}")
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
        known = (what for fits, what in NAMED if fits(members))
        problem(next(known, f"no trace: known are {KNOWN}, got {seen}"))
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


def _is_sentry(members: Members) -> bool:
    """Whether this is a transaction of Sentry: spans with times in seconds beside a trace in `contexts`."""
    return "spans" in members and "start_timestamp" in members


def _is_search(members: Members) -> bool:
    """Whether this is Tempo's list of traces: each has a `traceID`, and no spans."""
    return _is(members, "traces", b"[") and any(
        b'"traceID"' in bytes(one) for one in _decode_list(members["traces"])[:1]
    )


def _is_xray(members: Members) -> bool:
    if any(_is(members, key, b"[") for key in ("Traces", "Segments")) or _is(members, "Document", b'"'):
        return True
    return "start_time" in members and "id" in members and members.keys().isdisjoint(("span_id", "context"))


def _is_jaeger(members: Members) -> bool:
    others = ("common", "process", "contexts", "start_timestamp")
    return (_is(members, "spans", b"[") and members.keys().isdisjoint(others)) or _is(members, "data", b"[")


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


def _jaeger(table: ShapeTable, _: OtlpReader) -> Format:
    from lambda_latency.trace.readers.jaeger import JaegerReader

    return JaegerReader(table)


def _by_way_of_otlp(resources: ToOtlp) -> Callable[[ShapeTable, OtlpReader], Format]:
    return lambda _, otlp: TranscodedReader(otlp, resources)


# The formats, of which the first that fits reads a document.
FORMATS: tuple[Known, ...] = (
    Known("OTLP", lambda members: "resourceSpans" in members, _otlp),
    Known("X-Ray", _is_xray, _xray),
    Known("an answer of ClickHouse", is_table, _by_way_of_otlp(stored_resources)),
    Known("rows of a store", is_stored, _by_way_of_otlp(stored_resources), lists=True),
    Known("SkyWalking", is_skywalking, _by_way_of_otlp(skywalking_resources)),
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
