"""The messages of Jaeger's JSON as types, and their conversion to spans.

Times are in microseconds. Ids may lack their leading zeros. OpenTelemetry's kind, status and scope are tags
(https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.attributes import Attributes, freeze
from lambda_latency.trace.model.keys import FOLLOWS
from lambda_latency.trace.model.span import Event, Link, Scope, Span, SpanKind, Status

__all__ = [
    "FOLLOWS_FROM",
    "MESSAGE",
    "SCOPE_NAME",
    "SHAPE_TAGS",
    "Log",
    "Process",
    "RawSpan",
    "decode_any",
    "event_of",
    "first_of",
    "kind_of",
    "nanoseconds",
    "padded",
    "parent_of",
    "process_of",
    "resource_of",
    "span_of",
    "status_of",
    "value_of",
]

LAST_INSTANT = 2**62 // 1000  # microseconds: a start and a duration together fit into 63 bits of nanoseconds
SCOPE_NAME = ("otel.scope.name", "otel.library.name")
SCOPE_VERSION = ("otel.scope.version", "otel.library.version")
MESSAGE = "otel.status_description"
# Tags that decide the shape of a span but are not attributes of it.
SHAPE_TAGS = frozenset(("span.kind", "otel.status_code", "error", MESSAGE, *SCOPE_NAME))
NO_ATTRIBUTES = SHAPE_TAGS | {*SCOPE_VERSION}  # all tags that are not attributes
HEX = "0123456789abcdefABCDEF"
FOLLOWS_FROM = "FOLLOWS_FROM"  # a reference to a parent that does not wait for the span


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


decode_any = msgspec.json.Decoder().decode
KINDS = {kind.name.lower(): kind for kind in SpanKind}
UNKNOWN_PROCESS = Process()


def value_of(written: bytes | Raw) -> Any:
    """The value of a tag; None if it is not valid, such as a number that is too large. The span is kept without it."""
    try:
        return freeze(decode_any(written))
    except (msgspec.ValidationError, UnicodeError):
        return None


def span_of(raw: RawSpan, process: Process) -> Span:
    """The span with all attributes, events and links. Raises `ValueError` for a time that is not valid."""
    tags = _values_of(raw.tags)
    start, (parent, follows) = nanoseconds(raw.start), parent_of(raw)
    parent_id = padded(parent, 16).lower()
    attributes = {key: value for key, value in tags.items() if key not in NO_ATTRIBUTES}
    return Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_id=parent_id or None,
        name=raw.name or "",
        kind=kind_of(tags),
        start_ns=start,
        end_ns=start + nanoseconds(raw.duration),
        status=status_of(tags),
        status_message=str(tags.get(MESSAGE) or ""),
        attributes={**attributes, FOLLOWS: FOLLOWS_FROM} if follows else attributes,
        events=[event_of(log) for log in raw.logs or ()],
        links=tuple(_links(raw, parent_id)),
        resource=resource_of(process),
        scope=Scope(first_of(tags, SCOPE_NAME), first_of(tags, SCOPE_VERSION)),
    )


def parent_of(span: RawSpan) -> tuple[str, bool]:
    """The id of the parent, empty for a root, and whether the parent does not wait for the span.

    The parent is the first CHILD_OF of the same trace, else the first reference of the same trace, else `parentSpanID`.
    Other references are links.
    """
    references: Sequence[Reference] = span.references or ()
    if len(references) != 1 or references[0].trace_id != span.trace_id:
        trace_id = padded(span.trace_id, 32).lower()
        inside = [reference for reference in references if padded(reference.trace_id, 32).lower() == trace_id]
        references = [reference for reference in inside if reference.kind == "CHILD_OF"] or inside
    return (references[0].span_id, references[0].kind == FOLLOWS_FROM) if references else (span.parent_id or "", False)


def _links(span: RawSpan, parent_id: str) -> Iterator[Link]:
    left = parent_id
    for reference in span.references or ():
        found = Link(padded(reference.trace_id, 32).lower(), padded(reference.span_id, 16).lower())
        if (found.trace_id, found.span_id) == (span.trace_id, left):
            left = ""  # this reference is the parent, not a link
        else:
            yield found


def event_of(log: Log) -> Event:
    """A log as an event. Raises `ValueError` for a time that is not valid."""
    fields = _values_of(log.fields)
    name = str(fields.pop("event", "") or fields.pop("name", ""))
    return Event(name, nanoseconds(log.timestamp), fields)


def process_of(span: RawSpan, processes: Mapping[str, Process]) -> Process:
    """The process that recorded a span: its own, else the one that its key names, else one without a name."""
    return span.process or processes.get(span.process_id or "") or UNKNOWN_PROCESS


def resource_of(process: Process) -> Attributes:
    """The attributes of the resource: the tags of a process and the name of its service."""
    return Attributes({**_values_of(process.tags), "service.name": process.service or ""})


def _values_of(tags: Iterable[Tag] | None) -> dict[str, Any]:
    return {tag.key: value_of(tag.value) for tag in tags or ()}


def kind_of(tags: Mapping[str, Any]) -> SpanKind:
    """The kind from a span's tags; INTERNAL if they do not name one."""
    return KINDS.get(str(tags.get("span.kind", "")).lower(), SpanKind.INTERNAL)


def status_of(tags: Mapping[str, Any]) -> Status:
    """The status from a span's tags."""
    if tags.get("otel.status_code") == "ERROR" or tags.get("error") in (True, "true"):
        return Status.ERROR
    return Status.OK if tags.get("otel.status_code") == "OK" else Status.UNSET


def first_of(tags: Mapping[str, Any], keys: Iterable[str]) -> str:
    """The first value under `keys` that is not empty, as text; an empty text if there is none."""
    return next((str(tags[key]) for key in keys if tags.get(key)), "")


def padded(text: str, length: int) -> str:
    """An id with its leading zeros: `length` digits. A text that is not hexadecimal is returned as it is."""
    return text.zfill(length) if 0 < len(text) < length and not text.strip(HEX) else text


def nanoseconds(microseconds: float) -> int:
    """Nanoseconds, rounded. Raises `ValueError` for a time that is negative or above `LAST_INSTANT`."""
    if not 0 <= microseconds < LAST_INSTANT:
        raise ValueError(f"times must be microseconds since 1970, got {microseconds!r:.60}")
    return round(microseconds * 1000)
