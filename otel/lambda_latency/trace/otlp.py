"""Export requests of OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

A request is decoded at once where all of it fits the types. Where something in it does not, or where it is large, its
spans are decoded one by one, and those that cannot be read are told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field

from lambda_latency.trace.anyvalue import read_value
from lambda_latency.trace.attributes import EMPTY, Attributes
from lambda_latency.trace.dialects import canonical_span, resource_spans
from lambda_latency.trace.documents import AT_ONCE, LARGE
from lambda_latency.trace.ids import NO_SPAN, checked
from lambda_latency.trace.mistakes import reason_of
from lambda_latency.trace.otlp_writer import HAS_REMOTE, IS_REMOTE
from lambda_latency.trace.platform import READ_NAMES
from lambda_latency.trace.row import ATTEMPT, DELAY, Row, Rows, settled, window_of
from lambda_latency.trace.shape import Shape, told_codes
from lambda_latency.trace.span import Event, Link, Scope, Span, SpanKind, Status
from lambda_latency.trace.table import About, Group, ShapeTable

__all__ = ["OtlpReader"]

LAST_INSTANT = 2**63 - 1

Problem = Callable[[str], object]


class Pair(Struct, gc=False):
    key: str
    value: Raw = Raw(b"{}")


class RawStatus(Struct, frozen=True, gc=False):
    code: int | str | None = 0
    message: str | None = ""


class RawEvent(Struct, gc=False):
    time_ns: int = field(name="timeUnixNano", default=0)
    name: str | None = ""
    attributes: list[Pair] | None = None


class RawLink(Struct, gc=False):
    trace_id: str | None = field(name="traceId", default="")
    span_id: str | None = field(name="spanId", default="")
    attributes: list[Pair] | None = None


class RawSpan(Struct, gc=False, kw_only=True):
    """A span, its fields in the order in which collectors write them: each is found where it is looked for first."""

    trace_id: Annotated[str, Meta(min_length=32, max_length=32)] = field(name="traceId")
    span_id: Annotated[str, Meta(min_length=16, max_length=16)] = field(name="spanId")
    parent_id: Annotated[str, Meta(max_length=16)] | None = field(name="parentSpanId", default="")
    flags: int | None = 0
    name: str | None = ""
    kind: int | str | None = 0
    start_ns: Annotated[int, Meta(ge=1, le=LAST_INSTANT)] = field(name="startTimeUnixNano")
    end_ns: Annotated[int, Meta(ge=0, le=LAST_INSTANT)] | None = field(name="endTimeUnixNano", default=0)
    attributes: list[Pair] | None = None
    events: list[RawEvent] | None = None
    links: list[RawLink] | None = None
    status: RawStatus | None = None


class RawScope(Struct, gc=False):
    name: str | None = ""
    version: str | None = ""
    attributes: list[Pair] | None = None


class RawResource(Struct, gc=False):
    attributes: list[Pair] | None = None


class Text(Struct, gc=False, forbid_unknown_fields=True):
    """The commonest AnyValue."""

    text: str = field(name="stringValue")


class SpanId(Struct, gc=False):
    """Of a span the id of its trace alone."""

    trace_id: str = field(name="traceId")


SpanType = TypeVar("SpanType")


class ScopeSpans(Struct, Generic[SpanType], gc=False, forbid_unknown_fields=True):
    scope: Raw = Raw(b"null")
    spans: list[SpanType] | None = None
    schema: Raw = field(name="schemaUrl", default=Raw(b"null"))


class ResourceSpans(Struct, Generic[SpanType], gc=False, forbid_unknown_fields=True):
    """What it does not know may hold spans, as other writers name them: then all is looked at one by one."""

    resource: Raw = Raw(b"null")
    scope_spans: list[ScopeSpans[SpanType]] | None = field(name="scopeSpans", default=None)
    schema: Raw = field(name="schemaUrl", default=Raw(b"null"))


class Request(Struct, Generic[SpanType], gc=False, forbid_unknown_fields=True):
    resource_spans: list[ResourceSpans[SpanType]] = field(name="resourceSpans")


_decode = msgspec.json.Decoder(Request[RawSpan], strict=False).decode
_decode_id = msgspec.json.Decoder(SpanId).decode
_decode_large = msgspec.json.Decoder(Request[Raw]).decode
_decode_span = msgspec.json.Decoder(RawSpan, strict=False).decode
_decode_resource = msgspec.json.Decoder(RawResource | None).decode
_decode_scope = msgspec.json.Decoder(RawScope | None).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw] | None).decode
_decode_any = msgspec.json.Decoder().decode
_decode_text = msgspec.json.Decoder(Text).decode

UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, RecursionError)
NULL = Raw(b"null")
SNAKE = "trace_id"  # in a span whose members are named as in protobuf's own language
KINDS: dict[object, SpanKind] = {}
for _kind in SpanKind:
    _name = _kind.name
    KINDS |= dict.fromkeys((_kind.value, str(_kind.value), f"SPAN_KIND_{_name}", _name, _name.lower()), _kind)
STATUSES: dict[object, Status] = {}
for _status in Status:
    _name = _status.name
    _spelled = (_status.value, str(_status.value), f"STATUS_CODE_{_name}", _name, _name.title())
    STATUSES |= dict.fromkeys(_spelled, _status)
UNSET = RawStatus()
NOTHING: tuple[frozenset[str], None] = (frozenset(), None)


class OtlpReader:
    """Export requests as rows, or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(_value)

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of some requests, of each by trace id; None where something in them cannot be read."""
        found: list[Rows] = []
        try:
            self._add(_whole(documents, found))
        except UNREADABLE:
            return None
        return settled(found)

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a request by trace id. What cannot be read is left out, and `problem` hears why."""
        found: Rows = defaultdict(list)
        self._add((found, *batch) for batch in _piecewise(document, problem))
        return found

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a request, or those of the wanted traces. What cannot be read is left out, and told."""
        if wanted is not None:
            try:
                yield from list(_wanted(document, wanted))
                return
            except UNREADABLE:
                pass
        for raw_resource, raw_scope, spans in _piecewise(document, problem):
            resource, scope = _resource(raw_resource), _scope(raw_scope)
            for span in spans:
                if wanted is None or span.trace_id in wanted:
                    yield _span(span, resource, scope)

    def _add(self, batches: Iterable[tuple[Rows, Raw, Raw, Sequence[RawSpan]]]) -> None:
        """Add the rows of spans to those of their documents."""
        table, read = self._table, self._values.get
        no_id, read_names, remote_bits = NO_SPAN, READ_NAMES, HAS_REMOTE | IS_REMOTE
        for found, resource, scope, spans in batches:
            written = (bytes(resource), bytes(scope))
            group = table.written.get(written) or self._group(resource, scope)
            shapes = group.shapes
            for span in spans:  # the hot loop: it calls nothing of ours for a span like one before
                name, status, parent_id = span.name or "", span.status or UNSET, span.parent_id or ""
                if parent_id == no_id:
                    parent_id = ""
                remote = (span.flags or 0) & remote_bits if parent_id else 0
                codes, attempts = _told(span, status) if span.events or status.message else NOTHING
                numbers = []
                for pair in span.attributes or ():
                    values = read(pair.key)
                    if values is not None:
                        numbers.append(values[bytes(pair.value)])
                numbers.sort()
                route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
                read_name = name if name in read_names else ""
                key = (span.kind, status.code, remote, codes, attempts is None, read_name, *numbers)
                shape = shapes.get(key) or shapes.get((name, key)) or self._find(group, key, span, codes, attempts)
                if name == shape.name:
                    name = shape.name  # one text for all of them
                found[span.trace_id].append(
                    Row(span.span_id, parent_id, span.start_ns, span.end_ns or 0, shape, name, attempts, route)
                )

    def _group(self, resource: Raw, scope: Raw) -> Group:
        group = self._table.group(_scope(scope).name, _resource(resource))
        self._table.written[bytes(resource), bytes(scope)] = group
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
        numbers = [values[pair.key][bytes(pair.value)] for pair in span.attributes or () if pair.key in values]
        kind, status, remote = _kind_of(span), _status_of(span), _remote_of(span)
        about = About(span.name or "", group.scope, kind, status, remote, codes, attempts is not None)
        return self._table.find(group, key, numbers, about)


def _told(span: RawSpan, status: RawStatus) -> tuple[frozenset[str], tuple[int, int] | None]:
    """The error codes, and the window between the attempts, that a span's events and its message tell."""
    exceptions: list[Attributes] = []
    attempts: list[tuple[int, object]] = []
    for event in span.events or ():
        if event.name == "exception":
            exceptions.append(_attributes(event.attributes))
        elif event.name == ATTEMPT:
            attempts.append((event.time_ns, _attributes(event.attributes).get(DELAY)))
    return told_codes(status.message or "", exceptions), window_of(attempts) if attempts else None


def _whole(documents: Sequence[bytes], found: list[Rows]) -> Iterator[tuple[Rows, Raw, Raw, Sequence[RawSpan]]]:
    """The spans of some requests; `found` gets a place for the rows of each."""
    for document in documents:
        rows: Rows = defaultdict(list)
        found.append(rows)
        if len(document) > LARGE:
            yield from ((rows, *some) for some in _large(document))
            continue
        for group in _decode(document).resource_spans:
            for scope_spans in group.scope_spans or ():
                if scope_spans.spans:
                    yield rows, group.resource, scope_spans.scope, scope_spans.spans


def _large(document: bytes, wanted: Collection[str] | None = None) -> Iterator[tuple[Raw, Raw, Sequence[RawSpan]]]:
    """The spans of a request, or those of the wanted traces, a few at a time."""
    for group in _decode_large(document).resource_spans:
        for scope_spans in group.scope_spans or ():
            spans = scope_spans.spans or []
            if wanted is not None:
                spans = [span for span in spans if _decode_id(span).trace_id.lower() in wanted]
            for first in range(0, len(spans), AT_ONCE):
                some = list(map(_decode_span, spans[first : first + AT_ONCE]))
                yield group.resource, scope_spans.scope, some


def _is_as_specified(document: bytes) -> bool:
    """Whether all members of a request are named as the specification has them."""
    try:
        request = _decode_large(document)
        if f'"{SNAKE}"'.encode() not in document:
            return True
        scopes = [one for resource in request.resource_spans for one in resource.scope_spans or ()]
        return not any(SNAKE in _decode_members(span) for one in scopes for span in one.spans or ())
    except UNREADABLE:
        return False


def _as_specified(document: bytes, problem: Problem) -> bytes:
    """A request of another writer's as the specification has it; one that is as specified stays as it is."""
    if _is_as_specified(document):
        return document
    try:
        return msgspec.json.encode({"resourceSpans": list(resource_spans(_decode_any(document), problem))})
    except UNREADABLE as error:
        problem(f"not all of it can be read: {reason_of(error)}")
        return document


def _piecewise(document: bytes, problem: Problem) -> Iterator[tuple[Raw, Raw, Sequence[RawSpan]]]:
    for group in _items(_as_specified(document, problem), "resourceSpans", problem):
        for scope_spans in _items(group, "scopeSpans", problem):
            try:
                resource, scope = _member(group, "resource"), _member(scope_spans, "scope")
                _resource(resource), _scope(scope)
            except UNREADABLE as error:
                problem(f"not a resource and a scope: {reason_of(error)}")
                continue
            spans = _items(scope_spans, "spans", problem)
            for first in range(0, len(spans), AT_ONCE):
                some = [_one(raw, problem) for raw in spans[first : first + AT_ONCE]]
                yield resource, scope, [span for span in some if span is not None]


def _items(raw: bytes | Raw, key: str, problem: Problem) -> list[Raw]:
    """The objects in a list of an object; `problem` hears of what is no list and no object."""
    try:
        members = _decode_members(raw)
        found = _decode_list(members[key]) or [] if key in members else []
    except UNREADABLE as error:
        problem(f"{key} must be a list: {reason_of(error)}")
        return []
    for one in found:
        if not _is_object(one):
            problem(f"{key} must hold objects, got {bytes(one).decode(errors='replace')!s:.60}")
    return [one for one in found if _is_object(one)]


def _is_object(raw: Raw) -> bool:
    return memoryview(raw)[:1].tobytes() == b"{"  # as bytes a large one would be copied


def _member(raw: Raw, key: str) -> Raw:
    return _decode_members(raw).get(key, NULL)


def _one(raw: Raw, problem: Problem) -> RawSpan | None:
    """One span; None, and `problem` hears why, where it cannot be read."""
    try:
        try:
            span = _decode_span(raw)
        except UNREADABLE:
            span = _decode_span(_mended(raw))
        return _with_ids(span)
    except UNREADABLE as error:
        problem(f"not a span: {reason_of(error)}")
        return None


def _with_ids(span: RawSpan) -> RawSpan:
    """The same, ids in lower case. Raises `ValueError` where one is none."""
    span.trace_id = checked(span.trace_id, "traceId", 32)
    span.span_id = checked(span.span_id, "spanId", 16)
    if span.parent_id and span.parent_id != NO_SPAN:
        span.parent_id = checked(span.parent_id, "parentSpanId", 16)
    return span


def _wanted(document: bytes, wanted: Collection[str]) -> Iterator[Span]:
    """The spans of some traces, of a request that fits the types."""
    batches = _large(document, wanted) if len(document) > LARGE else (one[1:] for one in _whole([document], []))
    for raw_resource, raw_scope, spans in batches:
        found = [span for span in spans if span.trace_id.lower() in wanted]
        if found:
            resource, scope = _resource(raw_resource), _scope(raw_scope)
            yield from (_span(_with_ids(span), resource, scope) for span in found)


def _mended(raw: Raw) -> bytes:
    """A span without its empty values, which stand for nothing. Raises `ValueError` for what a span must have."""
    told = canonical_span(_decode_any(raw))
    checked(told.get("traceId"), "traceId", 32)
    checked(told.get("spanId"), "spanId", 16)
    if told.get("startTimeUnixNano") in (None, "", 0, "0"):
        raise ValueError("startTimeUnixNano is missing: a span without a start has no place in time")
    return msgspec.json.encode({key: value for key, value in told.items() if value not in (None, "")})


def _span(raw: RawSpan, resource: Attributes, scope: Scope) -> Span:
    return Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_id=_parent_of(raw) or None,
        parent_remote=_remote_of(raw),
        name=raw.name or "",
        kind=_kind_of(raw),
        start_ns=raw.start_ns,
        end_ns=raw.end_ns or None,
        status=_status_of(raw),
        status_message=raw.status.message or "" if raw.status is not None else "",
        attributes=_attributes(raw.attributes),
        events=[Event(one.name or "", one.time_ns, _attributes(one.attributes)) for one in raw.events or ()],
        links=[
            Link(one.trace_id.lower(), one.span_id.lower(), _attributes(one.attributes))
            for one in raw.links or ()
            if one.trace_id and one.span_id  # an empty link points to nothing
        ],
        resource=resource,
        scope=scope,
    )


def _parent_of(raw: RawSpan) -> str:
    return "" if raw.parent_id == NO_SPAN else raw.parent_id or ""


def _remote_of(raw: RawSpan) -> bool | None:
    flags = raw.flags or 0
    return bool(flags & IS_REMOTE) if flags & HAS_REMOTE and _parent_of(raw) else None


def _kind_of(raw: RawSpan) -> SpanKind:
    """Internal where it is not specified: the specification lets it be taken for that."""
    return KINDS.get(raw.kind, SpanKind.INTERNAL)


def _status_of(raw: RawSpan) -> Status:
    return Status.UNSET if raw.status is None else STATUSES.get(raw.status.code, Status.UNSET)


def _attributes(pairs: Iterable[Pair] | None) -> Attributes:
    """Attributes by key; of a key that stands twice the last one counts."""
    return Attributes({pair.key: _value(pair.value) for pair in pairs}) if pairs else EMPTY


def _value(written: Raw | bytes) -> object:
    """A value; None for what is none, such as a number that is too large: the span is worth more than that."""
    try:
        try:
            return _decode_text(written).text
        except msgspec.ValidationError:  # of another kind
            return read_value(_decode_any(written))
    except (msgspec.ValidationError, UnicodeError):
        return None


def _resource(raw: Raw) -> Attributes:
    resource = _decode_resource(raw)
    return _attributes(resource.attributes) if resource is not None else EMPTY


def _scope(raw: Raw) -> Scope:
    scope = _decode_scope(raw)
    return Scope() if scope is None else Scope(scope.name or "", scope.version or "", _attributes(scope.attributes))
