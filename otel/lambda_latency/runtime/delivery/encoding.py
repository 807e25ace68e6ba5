"""Encodes spans as OTLP protobuf, without the protobuf package: that costs a cold start more than the X-Ray SDK.

Each span is encoded once and waits as bytes: its size is known, and a failed delivery is repeated without encoding.
Field numbers: https://github.com/open-telemetry/opentelemetry-proto. A test compares the bytes with the package's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import inf
from struct import Struct
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from lambda_latency.redaction import Redaction
from lambda_latency.runtime.copies import attributes_of, completed
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.settings import SPARE, Settings

Head = tuple[bytes, bytes]
"""The bytes before and after the parts of a message."""
Parts = tuple[bytes, bytes, bytes, bytes]
"""The fields of a span with texts: its name, its attributes, its events, its links."""

FIXED64 = Struct("<Q").pack
IDS, PARENT, TIMES = Struct(">2sQQ2sQ").pack, Struct(">2sQ").pack, Struct("<BQBQ").pack  # tags and fields
LOWEST_64 = 0xFFFF_FFFF_FFFF_FFFF
DOUBLE = Struct("<d").pack

UNSET = StatusCode.UNSET
CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
NO_STATUS = b"\x7a\x00"  # the empty message Status, which most spans have
LOCAL, REMOTE = Struct("<I").pack(0x100), Struct("<I").pack(0x300)
"""The flags of a context: it is known whether it is remote; it is remote."""
SHORT = 128  # longest text whose encoding is cached, in characters
MOST_KNOWN, MOST_SETS, MOST_SCOPES = 1024, 128, 128  # attributes, sets of them and scopes in the caches
# What a span that is too large retains: characters of a text, and four times its attributes
STAYS_WITHIN = 200

# The attributes that become X-Ray annotations, for searches such as `annotation[http.route] = "/orders"`. Each span
# names them, because Lambda's daemon lacks the `indexed_attributes` of the collector's exporter. Plain values only:
# X-Ray drops an annotation that is a list.
ANNOTATIONS = "aws.xray.annotations"
INDEXED = frozenset((
    "http.route", "http.request.method", "http.response.status_code", "faas.coldstart", "faas.invocation_id",
    "aws.table_name", "rpc.method", "retry_attempts", "peer.service", "http.method", "http.status_code", "error.type",
    "lambda.timeout",
))  # fmt: skip


class Encoded:
    """An encoded span with its resource's and its scope's head. `size`: bytes of a request with this span alone."""

    __slots__ = ("resource", "scope", "size", "span")

    def __init__(self, resource: Head, scope: Head, span: bytes) -> None:
        self.resource, self.scope, self.span = resource, scope, span
        self.size = len(span) + len(scope[0]) + len(scope[1]) + len(resource[0]) + 30


def redaction_of(settings: Settings) -> Redaction:
    """Return the redaction of these settings."""
    return Redaction(settings.redacted, settings.value_length, spare=SPARE, source_lines=settings.source_lines)


class Encoder:
    """Encodes spans and redacts each of their parts on the way: names, values and messages leave in no other way.

    A part that an earlier invocation had too is read from a cache, with its redaction: most are the same each time.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._resource: tuple[Resource | None, Head] = None, (b"", b"")
        self._said = self._said_cut = False
        self._pairs: dict[tuple[str, type, object], bytes] = {}
        self._sets: dict[tuple[object, ...], bytes] = {}
        self._texts = lru_cache(maxsize=256)(self._redacted)
        self._scopes: dict[int, tuple[InstrumentationScope | None, Head]] = {}  # by identity: a hash takes longer

    def encode(self, spans: Iterable[ReadableSpan], limit: int, seconds: float = inf) -> Iterator[Encoded]:
        """Encode each span in at most `limit` bytes. A larger one loses its events, links, and most of its long texts.

        What the redaction has no time for, by `seconds` or its own limit, becomes `[unread]`.
        """
        started = False
        for span in spans:
            if not started and self._redaction.renewed():  # other values are secret now
                self._resource = None, (b"", b"")
                self._pairs.clear()
                self._sets.clear()
                self._texts.cache_clear()
                self._scopes.clear()
            if not started:
                self._redaction.limit_time(seconds)
            started = True
            resource, scope = self._head(span.resource), self._scope_of(span.instrumentation_scope)
            whole = Encoded(resource, scope, self._whole(span, scope))
            yield whole if whole.size <= limit else Encoded(resource, scope, self._cut(span, whole.size, limit))
        if started and self._redaction.has_cut and not self._said_cut:
            self._said_cut = True
            warn("the redaction of a delivery's spans took too long: what it did not read of their texts is [unread]")

    def _head(self, resource: Resource) -> Head:
        """Encode the head of the message ResourceSpans."""
        if self._resource[0] is not resource:
            body = self._attributes(b"\x0a", resource.attributes)
            self._resource = resource, (field(b"\x0a", body), text(b"\x1a", resource.schema_url))
        return self._resource[1]

    def _scope_of(self, scope: InstrumentationScope | None) -> Head:
        cached_scope, head = self._scopes.get(id(scope), (self, (b"", b"")))
        if cached_scope is scope:
            return head
        if len(self._scopes) == MOST_SCOPES:
            self._scopes.clear()
        self._scopes[id(scope)] = scope, self._scope(scope)
        return self._scopes[id(scope)][1]

    def _scope(self, scope: InstrumentationScope | None) -> Head:
        """Encode the head of the message ScopeSpans."""
        if scope is None:
            return field(b"\x0a", b""), b""
        body = text(b"\x0a", scope.name) + text(b"\x12", scope.version) + self._attributes(b"\x1a", scope.attributes)
        return field(b"\x0a", body), text(b"\x1a", scope.schema_url)

    def _whole(self, span: ReadableSpan, scope: Head) -> bytes:
        """Encode the message Span."""
        status, events, links = span.status, span.events, span.links
        message = status.description
        parts = (
            self._name(b"\x2a", span.name),
            self._completed(span, scope),
            b"".join(map(self._event, events)) if events else b"",
            b"".join(map(self._link, links)) if links else b"",
        )
        lost = span.dropped_attributes, span.dropped_events, span.dropped_links
        return encoded_span(span, parts, status, self._redaction.message(message) if message else "", lost)

    def _cut(self, span: ReadableSpan, size: int, limit: int) -> bytes:
        """Encode as much of the message Span as always fits."""
        redaction, values = self._redaction, completed(span, attributes_of(span))
        message = span.status.description or ""
        name = redaction.text(span.name)[:STAYS_WITHIN]
        if not self._said:
            self._said = True
            warn(
                f"the span {name!r} has {size} bytes, and {limit} can be sent at once; "
                "it goes without its events and long texts, as all others that large will"
            )
        short = {}
        for key, value in list(values.items())[: STAYS_WITHIN // 4]:
            redacted = redaction.value(key, value)
            if isinstance(redacted, str | bool | int | float):
                short[key[:STAYS_WITHIN]] = redacted[:STAYS_WITHIN] if isinstance(redacted, str) else redacted
        indexed = self._annotations(short)
        attributes = b"".join([field(b"\x4a", pair(key, value)) for key, value in short.items()])
        lost = (
            span.dropped_attributes + len(values) - len(short),
            span.dropped_events + len(span.events),
            span.dropped_links + len(span.links),
        )
        parts = text(b"\x2a", name), attributes + indexed, b"", b""
        return encoded_span(span, parts, span.status, redaction.message(message)[:STAYS_WITHIN], lost)

    def _event(self, event: Event) -> bytes:
        """Encode a repeated field of the message Span.Event."""
        stamp = b"\x09" + FIXED64(event.timestamp) if event.timestamp else b""
        lost = event.dropped_attributes
        body = stamp + self._name(b"\x12", event.name) + self._attributes(b"\x1a", event.attributes)
        return field(b"\x5a", body + (b"\x20" + varint(lost) if lost else b""))

    def _link(self, link: Link) -> bytes:
        """Encode a repeated field of the message Span.Link."""
        context, lost = link.context, link.dropped_attributes
        ids = b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big")
        attributes = self._attributes(b"\x22", link.attributes) + (b"\x28" + varint(lost) if lost else b"")
        return field(b"\x6a", ids + attributes + b"\x35" + flags(context))

    def _attributes(self, tag: bytes, values: Mapping[str, Any] | None) -> bytes:
        """Encode a repeated field of KeyValue."""
        cache, encoded = self._pairs, []
        for key, value in values.items() if values else ():
            try:
                encoded.append(cache[key, type(value), value])
            except (KeyError, TypeError):  # new, or a value that cannot be a key
                encoded.append(self._pair(key, value))
        return tag + tag.join(encoded) if encoded else b""

    def _completed(self, span: ReadableSpan, scope: Head) -> bytes:
        """Encode a span's attributes with the derived ones. Most calls have the attributes of an earlier one."""
        kind, attributes = span.kind, span.attributes or {}
        if kind is SERVER:  # has the id of its request
            return self._with_annotations(completed(span, attributes_of(span)))
        values = attributes.values()
        key = scope, kind is CLIENT, tuple(attributes), tuple(values), tuple(map(type, values))
        try:
            return self._sets[key]
        except (KeyError, TypeError):  # new, or a value that cannot be a key
            is_cacheable = all(map(is_short, values))
        encoded = self._with_annotations(completed(span, attributes_of(span)))
        if is_cacheable:
            if len(self._sets) == MOST_SETS:
                self._sets.clear()
            self._sets[key] = encoded
        return encoded

    def _with_annotations(self, values: dict[str, Any]) -> bytes:
        indexed = self._annotations(values)
        return self._attributes(b"\x4a", values) + indexed

    def _annotations(self, values: dict[str, Any]) -> bytes:
        """Encode the list of the `values` that X-Ray indexes, after those that the function named; removes these."""
        own_keys = values.pop(ANNOTATIONS, None)
        if own_keys is None:
            return annotations_of(tuple(values))
        named, indexed = self._redaction.value(ANNOTATIONS, own_keys), [key for key in values if key in INDEXED]
        if isinstance(named, tuple):
            named = (*named, *[key for key in indexed if key not in named])
        return field(b"\x4a", pair(ANNOTATIONS, named if isinstance(named, tuple) or not indexed else indexed))

    def _pair(self, key: str, value: object) -> bytes:
        """Encode a redacted KeyValue with its length. Cached if short and of a type whose equal values are the same."""
        encoded = field(b"", pair(key, self._redaction.value(key, value)))
        if is_short(value):
            if len(self._pairs) == MOST_KNOWN:
                self._pairs.clear()
            self._pairs[key, type(value), value] = encoded
        return encoded

    def _name(self, tag: bytes, name: str) -> bytes:
        return self._texts(tag, name) if len(name) <= SHORT else self._redacted(tag, name)

    def _redacted(self, tag: bytes, name: str) -> bytes:
        return text(tag, self._redaction.text(name))


def batches(spans: Iterable[Encoded], largest: int) -> Iterator[list[Encoded]]:
    """Return the spans in their order, in as few batches of at most `largest` bytes as possible."""
    batch: list[Encoded] = []
    room = largest
    for encoded in spans:
        if encoded.size > room:
            yield batch
            batch, room = [], largest
        batch.append(encoded)
        room -= encoded.size
    if batch:
        yield batch


def request(spans: Iterable[Encoded]) -> bytes:
    """Encode an export request, in which spans are grouped by resource and scope."""
    resources: dict[Head, dict[Head, list[bytes]]] = {}
    for encoded in spans:
        resources.setdefault(encoded.resource, {}).setdefault(encoded.scope, []).append(field(b"\x12", encoded.span))
    parts = []
    for (resource, resource_end), scopes in resources.items():
        inner = [field(b"\x12", head + b"".join(messages) + end) for (head, end), messages in scopes.items()]
        parts.append(field(b"\x0a", resource + b"".join(inner) + resource_end))
    return b"".join(parts)


def encoded_span(span: ReadableSpan, parts: Parts, status: Status, message: str, lost: tuple[int, int, int]) -> bytes:
    """Encode the message Span. `message` is the status's; `lost` counts dropped attributes, events and links."""
    context, parent, code = span.get_span_context(), span.parent, status.status_code
    assert context is not None
    trace_id, span_id, state = context.trace_id, context.span_id, context.trace_state
    name, attributes, events, links = parts
    return b"".join([
        IDS(b"\x0a\x10", trace_id >> 64, trace_id & LOWEST_64, b"\x12\x08", span_id),
        text(b"\x1a", ",".join([f"{key}={value}" for key, value in state.items()])) if state else b"",
        PARENT(b"\x22\x08", parent.span_id) if parent is not None else b"",
        name,
        b"\x30", varint(span.kind._value_ + 1),  # `value` is Python code
        times(span.start_time or 0, span.end_time or 0),
        attributes,
        b"\x50" + varint(lost[0]) if lost[0] else b"",
        events,
        b"\x60" + varint(lost[1]) if lost[1] else b"",
        links,
        b"\x70" + varint(lost[2]) if lost[2] else b"",
        NO_STATUS if code is UNSET and not message
        else field(b"\x7a", text(b"\x12", message) + (b"\x18" + varint(code.value) if code is not UNSET else b"")),
        b"\x85\x01", flags(parent),
    ])  # fmt: skip


def times(start: int, end: int) -> bytes:
    """Encode the start and the end of a span, as far as it has them."""
    if start and end:
        return TIMES(0x39, start, 0x41, end)
    return (b"\x39" + FIXED64(start) if start else b"") + (b"\x41" + FIXED64(end) if end else b"")


@lru_cache(maxsize=128)
def annotations_of(keys: tuple[str, ...]) -> bytes:
    """Encode the attribute that lists those of the keys that X-Ray indexes; nothing if it indexes none."""
    indexed = [key for key in keys if key in INDEXED]
    return field(b"\x4a", pair(ANNOTATIONS, indexed)) if indexed else b""


def is_short(value: object) -> bool:
    """Whether a value is short, and of a type whose equal values are the same."""
    alone = value[0] if type(value) is tuple and len(value) == 1 else value  # for example the table of a call
    return (type(alone) is str and len(alone) <= SHORT) or type(value) in (int, bool)


def flags(context: SpanContext | None) -> bytes:
    """Encode the flags of a parent or a link: whether it is in another process."""
    return REMOTE if context is not None and context.is_remote else LOCAL


def pair(key: str, value: object) -> bytes:
    """Encode the message KeyValue."""
    return text(b"\x0a", key) + field(b"\x12", any_value(value))


def any_value(value: object) -> bytes:
    """Encode the message AnyValue. Its field is that of the type, so zero and the empty text are written too."""
    if value is None:
        return b""
    if isinstance(value, str):
        return field(b"\x0a", value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return b"\x18" + varint(value & LOWEST_64)
    if isinstance(value, float):
        return b"\x21" + DOUBLE(value)
    if isinstance(value, bytes):
        return field(b"\x3a", value)
    if isinstance(value, Sequence):
        return field(b"\x2a", b"".join([field(b"\x0a", any_value(member)) for member in value]))
    if isinstance(value, Mapping):
        return field(b"\x32", b"".join([field(b"\x0a", pair(str(key), member)) for key, member in value.items()]))
    return any_value(str(value))


def text(tag: bytes, value: str | None) -> bytes:
    """Encode a text field; nothing for an empty text. A lone surrogate, which UTF-8 lacks, becomes a question mark."""
    return field(tag, value.encode("utf-8", "replace")) if value else b""


def field(tag: bytes, body: bytes) -> bytes:
    """Encode a field with its length."""
    return tag + varint(len(body)) + body


@lru_cache(maxsize=1024)  # most fields have a size that an earlier one had
def varint(number: int) -> bytes:
    """Encode a varint: seven bits per byte, lowest bits first."""
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
