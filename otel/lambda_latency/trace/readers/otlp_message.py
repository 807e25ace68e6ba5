"""The messages of OTLP/JSON as types, and their conversion to spans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field

from lambda_latency.trace.model.attributes import EMPTY, Attributes
from lambda_latency.trace.model.ids import NO_SPAN
from lambda_latency.trace.model.span import Event, Link, Scope, Span, SpanKind, Status
from lambda_latency.trace.readers.anyvalue import read_value
from lambda_latency.trace.readers.otlp_writer import HAS_REMOTE, IS_REMOTE

LAST_INSTANT = 2**63 - 1


class KeyValue(Struct, gc=False):
    key: str
    value: Raw = Raw(b"{}")


class RawStatus(Struct, frozen=True, gc=False):
    code: int | str | None = 0
    message: str | None = ""


class RawEvent(Struct, gc=False):
    time_ns: int = field(name="timeUnixNano", default=0)
    name: str | None = ""
    attributes: list[KeyValue] | None = None


class RawLink(Struct, gc=False):
    trace_id: str | None = field(name="traceId", default="")
    span_id: str | None = field(name="spanId", default="")
    attributes: list[KeyValue] | None = None


class RawSpan(Struct, gc=False, kw_only=True):
    """A span. Its fields have the order in which collectors write them: msgspec then finds each without a search."""

    trace_id: Annotated[str, Meta(min_length=32, max_length=32)] = field(name="traceId")
    span_id: Annotated[str, Meta(min_length=16, max_length=16)] = field(name="spanId")
    parent_id: Annotated[str, Meta(max_length=16)] | None = field(name="parentSpanId", default="")
    flags: int | None = 0
    name: str | None = ""
    kind: int | str | None = 0
    start_ns: Annotated[int, Meta(ge=1, le=LAST_INSTANT)] = field(name="startTimeUnixNano")
    end_ns: Annotated[int, Meta(ge=0, le=LAST_INSTANT)] | None = field(name="endTimeUnixNano", default=0)
    attributes: list[KeyValue] | None = None
    events: list[RawEvent] | None = None
    links: list[RawLink] | None = None
    status: RawStatus | None = None


class RawScope(Struct, gc=False):
    name: str | None = ""
    version: str | None = ""
    attributes: list[KeyValue] | None = None


class RawResource(Struct, gc=False):
    attributes: list[KeyValue] | None = None


class Text(Struct, gc=False, forbid_unknown_fields=True):
    """An AnyValue that is text, the most frequent kind."""

    text: str = field(name="stringValue")


SpanType = TypeVar("SpanType")


class ScopeSpans(Struct, Generic[SpanType], gc=False, forbid_unknown_fields=True):
    scope: Raw = Raw(b"null")
    spans: list[SpanType] | None = None
    schema: Raw = field(name="schemaUrl", default=Raw(b"null"))


class ResourceSpans(Struct, Generic[SpanType], gc=False, forbid_unknown_fields=True):
    """Unknown members are an error, because another writer may keep spans there: such a request is read piecewise."""

    resource: Raw = Raw(b"null")
    scope_spans: list[ScopeSpans[SpanType]] | None = field(name="scopeSpans", default=None)
    schema: Raw = field(name="schemaUrl", default=Raw(b"null"))


class ExportRequest(Struct, Generic[SpanType], gc=False, forbid_unknown_fields=True):
    resource_spans: list[ResourceSpans[SpanType]] = field(name="resourceSpans")


decode_large = msgspec.json.Decoder(ExportRequest[Raw]).decode
decode_span = msgspec.json.Decoder(RawSpan, strict=False).decode
_decode_resource = msgspec.json.Decoder(RawResource | None).decode
_decode_scope = msgspec.json.Decoder(RawScope | None).decode
decode_any = msgspec.json.Decoder().decode
decode_list = msgspec.json.Decoder(list[Raw]).decode
decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(Text).decode

UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, RecursionError)
KINDS: dict[object, SpanKind] = {
    spelling: kind
    for kind in SpanKind
    for spelling in (kind.value, str(kind.value), f"SPAN_KIND_{kind.name}", kind.name, kind.name.lower())
}
STATUSES: dict[object, Status] = {
    spelling: status
    for status in Status
    for spelling in (status.value, str(status.value), f"STATUS_CODE_{status.name}", status.name, status.name.title())
}


def span_of(raw: RawSpan, resource: Attributes, scope: Scope) -> Span:
    """The span with all attributes, events and links."""
    return Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_id=_parent_of(raw) or None,
        parent_remote=remote_of(raw),
        name=raw.name or "",
        kind=kind_of(raw),
        start_ns=raw.start_ns,
        end_ns=raw.end_ns or None,
        status=status_of(raw),
        status_message=raw.status.message or "" if raw.status is not None else "",
        attributes=attributes_of(raw.attributes),
        events=[Event(event.name or "", event.time_ns, attributes_of(event.attributes)) for event in raw.events or ()],
        links=_links_of(raw.links) if raw.links else (),
        resource=resource,
        scope=scope,
    )


def _links_of(links: Iterable[RawLink]) -> list[Link]:
    return [
        Link(link.trace_id.lower(), link.span_id.lower(), attributes_of(link.attributes))
        for link in links
        if link.trace_id and link.span_id  # an empty link points to nothing
    ]


def _parent_of(raw: RawSpan) -> str:
    return "" if raw.parent_id == NO_SPAN else raw.parent_id or ""


def remote_of(raw: RawSpan) -> bool | None:
    """Whether the parent is in another process; None if the span has no parent or its flags do not say."""
    flags = raw.flags or 0
    return bool(flags & IS_REMOTE) if flags & HAS_REMOTE and _parent_of(raw) else None


def kind_of(raw: RawSpan) -> SpanKind:
    """The kind; INTERNAL, as the specification allows, if it is missing or unknown."""
    return KINDS.get(raw.kind, SpanKind.INTERNAL)


def status_of(raw: RawSpan) -> Status:
    """The status; UNSET if it is missing or unknown."""
    return Status.UNSET if raw.status is None else STATUSES.get(raw.status.code, Status.UNSET)


def attributes_of(pairs: Iterable[KeyValue] | None) -> Attributes:
    """Attributes by key. If a key occurs twice, its last value counts."""
    return Attributes({pair.key: value_of(pair.value) for pair in pairs}) if pairs else EMPTY


def value_of(written: Raw | bytes) -> object:
    """The value of an attribute; None if it is not valid, such as a number that is too large. The span stays."""
    try:
        try:
            return _decode_text(written).text
        except msgspec.ValidationError:  # the AnyValue is not text
            return read_value(decode_any(written))
    except (msgspec.ValidationError, UnicodeError):
        return None


def resource_of(raw: Raw) -> Attributes:
    """The attributes of a resource. Raises an error of `UNREADABLE` if it is not one."""
    resource = _decode_resource(raw)
    return attributes_of(resource.attributes) if resource is not None else EMPTY


def scope_of(raw: Raw) -> Scope:
    """An instrumentation scope. Raises an error of `UNREADABLE` if it is not one."""
    scope = _decode_scope(raw)
    return Scope() if scope is None else Scope(scope.name or "", scope.version or "", attributes_of(scope.attributes))
