"""Reads Jaeger's JSON, as its UI and its query API write it: `{"data": [{"traceID": ..., "spans": [...]}]}`.

Each span is converted to a message of OTLP. Times are in microseconds, and ids may lack their leading zeros. The kind,
status and scope of OpenTelemetry are tags (https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.ids import checked
from lambda_latency.trace.model.keys import FOLLOWS
from lambda_latency.trace.model.span import SpanKind, Status
from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import OnProblem
from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.otlp import Batch
from lambda_latency.trace.readers.otlp_message import (
    UNREADABLE,
    KeyValue,
    RawEvent,
    RawLink,
    RawResource,
    RawScope,
    RawSpan,
    RawStatus,
    decode_any,
    decode_list,
    decode_members,
)

# microseconds: a start and a duration together fit into 63 bits of nanoseconds
LAST_INSTANT = 2**62 // 1000
SCOPE_NAME = ("otel.scope.name", "otel.library.name")
SCOPE_VERSION = ("otel.scope.version", "otel.library.version")
MESSAGE = "otel.status_description"
# The tags that hold a field of an OTLP span and are not attributes of it.
FIELDS = frozenset(("span.kind", "otel.status_code", "error", MESSAGE, *SCOPE_NAME, *SCOPE_VERSION))
# A reference to a parent that does not wait for the span
FOLLOWS_FROM = "FOLLOWS_FROM"
FOLLOWS_PAIR = KeyValue(FOLLOWS, Raw(b'{"stringValue":"FOLLOWS_FROM"}'))
KINDS = {kind.name.lower(): kind for kind in SpanKind}


class Tag(Struct, gc=False):
    key: str
    value: Raw = Raw(b"null")


class JaegerLog(Struct, gc=False):
    timestamp: int | float = 0
    fields: list[Tag] | None = None


class Reference(Struct, gc=False):
    kind: str = field(name="refType", default="")
    trace_id: str = field(name="traceID", default="")
    span_id: str = field(name="spanID", default="")


class Process(Struct, gc=False):
    service: str | None = field(name="serviceName", default="")
    tags: list[Tag] | None = None


class JaegerSpan(Struct, gc=False):
    trace_id: str = field(name="traceID")
    span_id: str = field(name="spanID")
    start: int | float = field(name="startTime")
    duration: int | float
    name: str | None = field(name="operationName", default="")
    references: list[Reference] | None = None
    parent_id: str | None = field(name="parentSpanID", default="")
    tags: list[Tag] | None = None
    logs: list[JaegerLog] | None = None
    process_id: str | None = field(name="processID", default="")
    process: Process | None = None


_decode_span = msgspec.json.Decoder(JaegerSpan).decode
_decode_processes = msgspec.json.Decoder(dict[str, Process] | None).decode
_encode = msgspec.json.Encoder().encode


def jaeger_batches(document: bytes, problem: OnProblem) -> Iterator[Batch]:
    """The spans of an answer of Jaeger's query API, or of a single trace from it, each with its resource and scope."""
    members = decode_members(document)
    try:
        traces = decode_list(members["data"]) if "spans" not in members else [document]
    except msgspec.MsgspecError as error:
        problem(f"data must be a list of Jaeger traces: {reason_of(error)}")
        return
    for trace in traces:
        try:
            members = decode_members(trace)
            spans = decode_list(members["spans"])
        except UNREADABLE:
            problem("a Jaeger trace must have a list of spans")
            continue
        resources = _resources_in(members, problem)
        for raw in spans:
            try:
                yield _converted(_decode_span(raw), resources)
            except UNREADABLE as error:
                problem(f"not a Jaeger span: {reason_of(error)}")


def _resources_in(trace: Mapping[str, Raw], problem: OnProblem) -> dict[str, Raw]:
    """The processes of a trace as resources, by the key by which spans name them; the empty key has no service."""
    try:
        processes = _decode_processes(trace.get("processes", Raw(b"null"))) or {}
    except UNREADABLE as error:
        problem(f"not the processes of a Jaeger trace: {reason_of(error)}")
        processes = {}
    return {"": _resource_of(Process())} | {key: _resource_of(process) for key, process in processes.items()}


def _resource_of(process: Process) -> Raw:
    service = KeyValue("service.name", _any_value(Raw(_encode(process.service or ""))))
    return Raw(_encode(RawResource([*_pairs(_by_key(process.tags)), service])))


def _converted(span: JaegerSpan, resources: Mapping[str, Raw]) -> Batch:
    """A span as a message of OTLP with its resource and scope. Raises `ValueError` for an id or a time."""
    tags = _by_key(span.tags)
    fields = {key: _value(tags[key]) for key in FIELDS & tags.keys()}
    attributes = _pairs({key: tags[key] for key in tags if key not in FIELDS})
    trace_id, span_id = checked(span.trace_id, "traceID", 32), checked(span.span_id, "spanID", 16)
    references = span.references or []
    for reference in references:
        reference.trace_id = _id_or_empty(reference.trace_id, "traceID", 32)
        reference.span_id = _id_or_empty(reference.span_id, "spanID", 16)
    parent = _parent_of(references, trace_id)
    if parent is not None and parent.kind == FOLLOWS_FROM:
        attributes.append(FOLLOWS_PAIR)
    start_ns = _nanoseconds(span.start)
    message = RawSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=_id_or_empty(span.parent_id, "parentSpanID", 16) if parent is None else parent.span_id,
        name=span.name,
        kind=KINDS.get(str(fields.get("span.kind")).lower(), SpanKind.INTERNAL).value,
        start_ns=start_ns,
        end_ns=start_ns + _nanoseconds(span.duration),
        attributes=attributes,
        events=[_event_of(log) for log in span.logs or ()],
        links=[RawLink(link.trace_id, link.span_id) for link in references if link is not parent],
        status=_status_of(fields),
    )
    scope = RawScope(_first_text(fields, SCOPE_NAME), _first_text(fields, SCOPE_VERSION))
    resource = resources.get(span.process_id or "", resources[""])
    return _resource_of(span.process) if span.process is not None else resource, Raw(_encode(scope)), [message]


def _parent_of(references: Iterable[Reference], trace_id: str) -> Reference | None:
    """The reference to the parent: the first CHILD_OF of the same trace, else the first reference of the same trace."""
    inside = [reference for reference in references if reference.trace_id == trace_id]
    children = (reference for reference in inside if reference.kind == "CHILD_OF")
    return next(children, inside[0] if inside else None)


def _status_of(fields: Mapping[str, object]) -> RawStatus:
    code = fields.get("otel.status_code")
    status = Status.OK if code == "OK" else Status.UNSET
    if code == "ERROR" or fields.get("error") in (True, "true"):
        status = Status.ERROR
    return RawStatus(status.value, str(fields.get(MESSAGE) or ""))


def _event_of(log: JaegerLog) -> RawEvent:
    """A log as an event, whose name is a field of the log. Raises `ValueError` for a time that is not valid."""
    fields = _by_key(log.fields)
    name = _value(fields.pop("event", None)) or _value(fields.pop("name", None))
    return RawEvent(_nanoseconds(log.timestamp), str(name or ""), _pairs(fields))


def _by_key(tags: Iterable[Tag] | None) -> dict[str, Raw]:
    """The encoded values of tags. If a key occurs twice, its last value counts."""
    return {tag.key: tag.value for tag in tags or ()}


def _pairs(tags: Mapping[str, Raw]) -> list[KeyValue]:
    return [KeyValue(key, _any_value(raw)) for key, raw in tags.items()]


def _any_value(raw: Raw) -> Raw:
    """The encoded AnyValue of an encoded value. Only lists and objects are decoded."""
    written = bytes(raw)
    begin = written[:1]
    if begin == b'"':
        return Raw(b'{"stringValue":%b}' % written)
    if begin in (b"t", b"f"):
        return Raw(b'{"boolValue":%b}' % written)
    if begin in (b"[", b"{"):
        return Raw(_encode(write_attributes({"": _value(raw)})[0]["value"]))
    if begin == b"n":
        return Raw(b"{}")
    is_whole = not any(mark in written for mark in (b".", b"e", b"E"))
    return Raw(b'{"%b":%b}' % (b"intValue" if is_whole else b"doubleValue", written))


def _value(raw: Raw | None) -> Any:
    """The decoded value; None if there is none, or if it is not valid, such as a number that is too large."""
    try:
        return None if raw is None else decode_any(raw)
    except (msgspec.ValidationError, UnicodeError):
        return None


def _first_text(fields: Mapping[str, object], keys: Iterable[str]) -> str:
    """The first value under `keys` that is not empty, as text; an empty text if there is none."""
    return next((str(fields[key]) for key in keys if fields.get(key)), "")


def _id_or_empty(text: str | None, name: str, length: int) -> str:
    return checked(text, name, length) if text and text.strip("0") else ""


def _nanoseconds(microseconds: float) -> int:
    """Nanoseconds, rounded. Raises `ValueError` for a time that is negative or above `LAST_INSTANT`."""
    if not 0 <= microseconds < LAST_INSTANT:
        raise ValueError(f"times must be microseconds since 1970, got {microseconds!r:.60}")
    return round(microseconds * 1000)
