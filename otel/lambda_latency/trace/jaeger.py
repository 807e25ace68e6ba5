"""Jaeger's JSON, as its UI saves it and its query API answers: `{"data": [{"traceID": ..., "spans": [...]}]}`.

Times are microseconds; ids may have lost their leading zeros; what OpenTelemetry calls kind, status and scope are tags
(https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.attributes import Attributes, freeze
from lambda_latency.trace.documents import AT_ONCE, LARGE
from lambda_latency.trace.ids import checked
from lambda_latency.trace.keys import FOLLOWS
from lambda_latency.trace.mistakes import reason_of
from lambda_latency.trace.platform import READ_NAMES
from lambda_latency.trace.row import ATTEMPT, DELAY, Row, Rows, settled, window_of
from lambda_latency.trace.shape import Shape, told_codes
from lambda_latency.trace.span import Event, Link, Scope, Span, SpanKind, Status
from lambda_latency.trace.table import About, Group, ShapeTable

__all__ = ["JaegerReader"]

LAST_INSTANT = 2**62 // 1000  # microseconds: a start and a duration together fit into 63 bits of nanoseconds
SCOPE_NAME = ("otel.scope.name", "otel.library.name")
SCOPE_VERSION = ("otel.scope.version", "otel.library.version")
MESSAGE = "otel.status_description"
# Tags that are no attributes of a span, and of these those that decide on its shape.
TOLD = frozenset(("span.kind", "otel.status_code", "error", MESSAGE, *SCOPE_NAME))
NO_ATTRIBUTES = TOLD | {*SCOPE_VERSION}
HEX = "0123456789abcdefABCDEF"
FOLLOWS_FROM = "FOLLOWS_FROM"  # a reference to a span that does not wait

Problem = Callable[[str], object]


class Tag(Struct, gc=False):
    key: str
    value: Raw = Raw(b"null")


class Log(Struct, gc=False):
    timestamp: int | float = 0
    fields: list[Tag] | None = None


class Reference(Struct, gc=False):
    kind: str = field(name="refType", default="")
    trace_id: str = field(name="traceID", default="")
    span_id: str = field(name="spanID", default="")


class Process(Struct, gc=False):
    service: str | None = field(name="serviceName", default="")
    tags: list[Tag] | None = None


class RawSpan(Struct, gc=False):
    trace_id: str = field(name="traceID")
    span_id: str = field(name="spanID")
    start: int | float = field(name="startTime")
    duration: int | float
    name: str | None = field(name="operationName", default="")
    references: list[Reference] | None = None
    parent_id: str | None = field(name="parentSpanID", default="")
    tags: list[Tag] | None = None
    logs: list[Log] | None = None
    process_id: str | None = field(name="processID", default="")
    process: Process | None = None


class SpanId(Struct, gc=False):
    """Of a span the id of its trace alone."""

    trace_id: str = field(name="traceID")


class TraceIds(Struct, gc=False):
    spans: list[SpanId]


class RawTrace(Struct, gc=False):
    spans: list[RawSpan]
    processes: dict[str, Process] | None = None


class Members(Struct, gc=False):
    """What an answer or a trace consists of, each decoded by itself."""

    data: list[Raw] | None = None
    spans: list[Raw] | None = None
    processes: Raw = Raw(b"null")


class Batch(NamedTuple):
    """Spans of one trace and the processes that recorded them."""

    processes: Mapping[str, Process]
    spans: Sequence[RawSpan]


_decode_trace = msgspec.json.Decoder(RawTrace).decode
_decode_span = msgspec.json.Decoder(RawSpan).decode
_decode_ids = msgspec.json.Decoder(TraceIds).decode
_decode_parts = msgspec.json.Decoder(Members).decode
_decode_processes = msgspec.json.Decoder(dict[str, Process] | None).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_any = msgspec.json.Decoder().decode

UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, RecursionError)
KINDS = {kind.name.lower(): kind for kind in SpanKind}
NOBODY = Process()
NO_CODES: frozenset[str] = frozenset()
NOTHING: tuple[frozenset[str], None] = (NO_CODES, None)


class JaegerReader:
    """Answers of Jaeger's query API, and traces of them, as rows or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(_value, {**dict.fromkeys(TOLD, _value), MESSAGE: _codes})

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of some answers, of each by trace id; None where something in them cannot be read."""
        try:
            return settled([self._read(_whole(document)) for document in documents])
        except UNREADABLE:
            return None

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of an answer by trace id. What cannot be read is left out, and `problem` hears why."""
        found = settled([self._read(_piecewise(document, problem))])
        return found[0] if found is not None else {}

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of an answer, or those of the wanted traces. What cannot be read is left out, and told."""
        if wanted is not None:
            try:
                yield from list(_wanted(document, wanted))
                return
            except UNREADABLE:
                pass
        for batch in _piecewise(document, problem):
            for span in batch.spans:
                if wanted is None or span.trace_id in wanted:
                    yield _span(span, _process(span, batch.processes))

    def _read(self, batches: Iterable[Batch]) -> Rows:
        table, read, read_names = self._table, self._values.get, READ_NAMES
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for processes, spans in batches:
            groups = {name: self._group(process) for name, process in processes.items()}
            for span in spans:
                own, name = span.process, span.name or ""
                group = groups.get(span.process_id or "") if own is None else None
                if group is None:
                    group = self._group(_process(span, processes))
                trace_id, span_id, (parent_id, follows) = span.trace_id, span.span_id, _parent(span)
                if len(trace_id) < 32:
                    trace_id = _padded(trace_id, 32)
                if len(span_id) < 16 or len(parent_id) < 16:
                    span_id, parent_id = _padded(span_id, 16), _padded(parent_id, 16)
                codes, attempts = _told(span.logs) if span.logs else NOTHING
                numbers = []
                for tag in span.tags or ():
                    values = read(tag.key)
                    if values is not None:
                        numbers.append(values[bytes(tag.value)])
                if follows:
                    numbers.append(table.number(FOLLOWS, FOLLOWS_FROM))
                numbers.sort()
                route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
                key = (codes, attempts is None, name if name in read_names else "", *numbers)
                shapes = group.shapes
                shape = shapes.get(key) or shapes.get((name, key)) or self._find(group, key, span, codes, attempts)
                if name == shape.name:
                    name = shape.name  # one text for all of them
                start = _ns(span.start)
                end = start + _ns(span.duration)
                found[trace_id].append(Row(span_id, parent_id, start, end, shape, name, attempts, route))
        return found

    def _group(self, process: Process) -> Group:
        written = msgspec.json.encode(process)
        group = self._table.written.get(written)
        if group is None:
            group = self._table.written[written] = self._table.group("", _resource(process))
        return group

    def _find(
        self,
        group: Group,
        key: tuple[Any, ...],
        span: RawSpan,
        codes: frozenset[str],
        attempts: tuple[int, int] | None,
    ) -> Shape:
        values = self._values
        numbers = [values[tag.key][bytes(tag.value)] for tag in span.tags or () if tag.key in values]
        if _parent(span)[1]:
            numbers.append(self._table.number(FOLLOWS, FOLLOWS_FROM))
        tags: dict[str, Any] = self._table.facts(numbers)
        codes |= tags.get(MESSAGE) or NO_CODES
        about = About(
            span.name or "", _first(tags, SCOPE_NAME), _kind(tags), _status(tags), None, codes, attempts is not None
        )
        return self._table.find(group, key, numbers, about)


def _value(written: bytes | Raw) -> Any:
    """A value; None for what is none, such as a number that is too large: the span is worth more than that."""
    try:
        return freeze(_decode_any(written))
    except (msgspec.ValidationError, UnicodeError):
        return None


def _codes(message: bytes) -> frozenset[str]:
    return told_codes(str(_decode_any(message)), ())


def _whole(document: bytes, wanted: Collection[str] | None = None) -> Iterator[Batch]:
    """The spans of an answer that fits the types, or of those of its traces that have spans of the wanted ones.

    Those of a large trace come a few at a time.
    """
    answer = _decode_parts(document)
    for trace in [document] if answer.data is None or answer.spans is not None else answer.data:
        if wanted is not None and _ids_in(trace).isdisjoint(wanted):
            continue
        if memoryview(trace).nbytes <= LARGE:
            one = _decode_trace(trace)
            yield Batch(one.processes or {}, one.spans)
            continue
        parts = _decode_parts(trace)
        if parts.spans is None:
            raise ValueError("a Jaeger trace must have a list of spans")
        processes = _decode_processes(parts.processes) or {}
        for first in range(0, len(parts.spans), AT_ONCE):
            yield Batch(processes, list(map(_decode_span, parts.spans[first : first + AT_ONCE])))


def _piecewise(document: bytes, problem: Problem) -> Iterator[Batch]:
    members = _decode_members(document)
    try:
        traces = _decode_list(members["data"]) if "spans" not in members else [document]
    except msgspec.MsgspecError as error:
        problem(f"data must be a list of Jaeger traces: {reason_of(error)}")
        return
    for trace in traces:
        try:
            members = _decode_members(trace)
            spans = _decode_list(members["spans"])
        except UNREADABLE:
            problem("a Jaeger trace must have a list of spans")
            continue
        try:
            processes = _decode_processes(members.get("processes", Raw(b"null"))) or {}
        except UNREADABLE as error:
            problem(f"not the processes of a Jaeger trace: {reason_of(error)}")
            processes = {}
        for first in range(0, len(spans), AT_ONCE):
            some = [_one(raw, problem) for raw in spans[first : first + AT_ONCE]]
            yield Batch(processes, [span for span in some if span is not None])


def _one(raw: Raw, problem: Problem) -> RawSpan | None:
    """One span; None, and `problem` hears why, where it cannot be read."""
    try:
        span = _decode_span(raw)
        return _with_ids(span)
    except UNREADABLE as error:
        problem(f"not a Jaeger span: {reason_of(error)}")
        return None


def _with_ids(span: RawSpan) -> RawSpan:
    """The same, ids complete and in lower case. Raises `ValueError` where one is none, or a time is none."""
    span.trace_id = checked(_padded(span.trace_id, 32), "traceID", 32)
    span.span_id = checked(_padded(span.span_id, 16), "spanID", 16)
    _ns(span.start), _ns(span.duration)
    parent_id, _ = _parent(span)
    if parent_id:
        checked(_padded(parent_id, 16), "the parent's spanID", 16)
    return span


def _wanted(document: bytes, wanted: Collection[str]) -> Iterator[Span]:
    """The spans of some traces, of an answer that fits the types."""
    for batch in _whole(document, wanted):
        for span in batch.spans:
            if _padded(span.trace_id, 32).lower() in wanted:
                yield _span(_with_ids(span), _process(span, batch.processes))


def _ids_in(trace: bytes | Raw) -> set[str]:
    return {_padded(span.trace_id, 32).lower() for span in _decode_ids(trace).spans}


def _span(raw: RawSpan, process: Process) -> Span:
    tags = _values_of(raw.tags)
    start, (parent, follows) = _ns(raw.start), _parent(raw)
    parent_id = _padded(parent, 16).lower()
    attributes = {key: value for key, value in tags.items() if key not in NO_ATTRIBUTES}
    return Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_id=parent_id or None,
        name=raw.name or "",
        kind=_kind(tags),
        start_ns=start,
        end_ns=start + _ns(raw.duration),
        status=_status(tags),
        status_message=str(tags.get(MESSAGE) or ""),
        attributes={**attributes, FOLLOWS: FOLLOWS_FROM} if follows else attributes,
        events=[_event(log) for log in raw.logs or ()],
        links=tuple(_links(raw, parent_id)),
        resource=_resource(process),
        scope=Scope(_first(tags, SCOPE_NAME), _first(tags, SCOPE_VERSION)),
    )


def _parent(span: RawSpan) -> tuple[str, bool]:
    """The id of the parent, and whether that does not wait for the span.

    It is the first CHILD_OF of the same trace, else the first FOLLOWS_FROM; the other references are links.
    """
    references: Sequence[Reference] = span.references or ()
    if len(references) != 1 or references[0].trace_id != span.trace_id:
        trace_id = _padded(span.trace_id, 32).lower()
        inside = [one for one in references if _padded(one.trace_id, 32).lower() == trace_id]
        references = [one for one in inside if one.kind == "CHILD_OF"] or inside
    return (references[0].span_id, references[0].kind == FOLLOWS_FROM) if references else (span.parent_id or "", False)


def _links(span: RawSpan, parent_id: str) -> Iterator[Link]:
    left = parent_id
    for one in span.references or ():
        found = Link(_padded(one.trace_id, 32).lower(), _padded(one.span_id, 16).lower())
        if (found.trace_id, found.span_id) == (span.trace_id, left):
            left = ""  # it is the parent
        else:
            yield found


def _told(logs: Iterable[Log]) -> tuple[frozenset[str], tuple[int, int] | None]:
    """The error codes, and the window between the attempts, that a span's logs tell."""
    events = [_event(log) for log in logs]
    attempts = [(one.time_ns, one.attributes.get(DELAY)) for one in events if one.name == ATTEMPT]
    codes = told_codes("", (one.attributes for one in events if one.name == "exception"))
    return codes, window_of(attempts) if attempts else None


def _event(log: Log) -> Event:
    fields = _values_of(log.fields)
    name = str(fields.pop("event", "") or fields.pop("name", ""))
    return Event(name, _ns(log.timestamp), fields)


def _process(span: RawSpan, processes: Mapping[str, Process]) -> Process:
    return span.process or processes.get(span.process_id or "") or NOBODY


def _resource(process: Process) -> Attributes:
    return Attributes({**_values_of(process.tags), "service.name": process.service or ""})


def _values_of(tags: Iterable[Tag] | None) -> dict[str, Any]:
    return {tag.key: _value(tag.value) for tag in tags or ()}


def _kind(tags: Mapping[str, Any]) -> SpanKind:
    return KINDS.get(str(tags.get("span.kind", "")).lower(), SpanKind.INTERNAL)


def _status(tags: Mapping[str, Any]) -> Status:
    if tags.get("otel.status_code") == "ERROR" or tags.get("error") in (True, "true"):
        return Status.ERROR
    return Status.OK if tags.get("otel.status_code") == "OK" else Status.UNSET


def _first(tags: Mapping[str, Any], keys: Iterable[str]) -> str:
    return next((str(tags[key]) for key in keys if tags.get(key)), "")


def _padded(text: str, length: int) -> str:
    """An id with the zeros that it may have lost."""
    return text.zfill(length) if 0 < len(text) < length and not text.strip(HEX) else text


def _ns(microseconds: float) -> int:
    if not 0 <= microseconds < LAST_INSTANT:
        raise ValueError(f"times must be microseconds since 1970, got {microseconds!r:.60}")
    return round(microseconds * 1000)
