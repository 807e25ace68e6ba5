"""Encodes spans as OTLP protobuf, without the protobuf package: that costs a cold start more than the X-Ray SDK.

Each span is encoded once and kept as bytes: its size is known, and a failed delivery is repeated without encoding.
Field numbers: https://github.com/open-telemetry/opentelemetry-proto. A test compares the bytes with the package's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.copies import attributes_of
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext

__all__ = ["Encoded", "Encoder", "batches", "parents_first", "request"]

Head = tuple[bytes, bytes]
"""The bytes before and after the parts of a message."""

FIXED64 = Struct("<Q").pack
DOUBLE = Struct("<d").pack
SMALL = [bytes((number,)) for number in range(128)]

LOCAL, REMOTE = Struct("<I").pack(0x100), Struct("<I").pack(0x300)
"""The flags of a context: it is known whether it is remote; it is remote."""
SHORT = 128  # longest text whose encoding is cached, in characters
STAYS_WITHIN = 200  # what a span that is too large keeps: characters of a text, and four times its attributes

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
    """An encoded span with the heads of its resource and its scope.

    `size` is the bytes of a request with this span alone, including room for the length fields.
    """

    __slots__ = ("resource", "scope", "size", "span")

    def __init__(self, resource: Head, scope: Head, span: bytes) -> None:
        self.resource = resource
        self.scope = scope
        self.span = span
        self.size = len(span) + len(scope[0]) + len(scope[1]) + len(resource[0]) + 30


class Encoder:
    """Encodes spans. Caches the encoding of resources and scopes."""

    def __init__(self) -> None:
        self._resource: Resource | None = None
        self._resource_head: Head = (b"", b"")
        self._scope_heads: dict[InstrumentationScope | None, Head] = {}
        self._said = False

    def encode(self, span: ReadableSpan, limit: int) -> Encoded:
        """One span in at most `limit` bytes. A larger one loses its events and links, and most of its long texts."""
        if span.resource is not self._resource:
            self._resource = span.resource
            body = b"".join([field(b"\x0a", pair(*item)) for item in span.resource.attributes.items()])
            self._resource_head = (field(b"\x0a", body), text(b"\x1a", span.resource.schema_url))
        scope = span.instrumentation_scope
        head = self._scope_heads.get(scope)
        if head is None:
            head = self._scope_heads[scope] = scope_head(scope)
        whole = Encoded(self._resource_head, head, encoded_span(span))
        if whole.size <= limit:
            return whole
        if not self._said:
            self._said = True
            warn(f"the span {span.name[:STAYS_WITHIN]!r} has {whole.size} bytes, and {limit} can be sent at once; "
                 "it goes without its events and long texts, as all others that large will")  # fmt: skip
        return Encoded(self._resource_head, head, encoded_span(span, cut=True))


def batches(encoder: Encoder, spans: Iterable[ReadableSpan], largest: int) -> Iterator[list[Encoded]]:
    """The spans in their order, in as few batches of at most `largest` bytes as possible."""
    batch: list[Encoded] = []
    room = largest
    for span in spans:
        one = encoder.encode(span, largest)
        if one.size > room:
            yield batch
            batch, room = [], largest
        batch.append(one)
        room -= one.size
    if batch:
        yield batch


def parents_first(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """The spans by start. They arrive by end; if only some of those were delivered, their parents would be missing."""
    latest_first = spans[::-1]  # of two with the same start, the outer one ends later
    return sorted(latest_first, key=lambda span: span.start_time or 0)


def request(spans: Iterable[Encoded]) -> bytes:
    """An export request, in which spans are grouped by resource and scope."""
    resources: dict[Head, dict[Head, list[bytes]]] = {}
    for one in spans:
        resources.setdefault(one.resource, {}).setdefault(one.scope, []).append(field(b"\x12", one.span))
    parts = []
    for (resource, resource_end), scopes in resources.items():
        inner = [field(b"\x12", head + b"".join(encoded) + end) for (head, end), encoded in scopes.items()]
        parts.append(field(b"\x0a", resource + b"".join(inner) + resource_end))
    return b"".join(parts)


def scope_head(scope: InstrumentationScope | None) -> Head:
    """The head of the message ScopeSpans."""
    if scope is None:
        return field(b"\x0a", b""), b""
    body = text(b"\x0a", scope.name) + text(b"\x12", scope.version) + attributes(b"\x1a", scope.attributes)
    return field(b"\x0a", body), text(b"\x1a", scope.schema_url)


def encoded_span(span: ReadableSpan, *, cut: bool = False) -> bytes:
    """The message Span; with `cut` only as much of it as always fits."""
    context, parent, status = span.get_span_context(), span.parent, span.status
    assert context is not None
    values = attributes_of(span)
    name, description, events, links = span.name, status.description, span.events, span.links
    lost = (span.dropped_attributes, span.dropped_events, span.dropped_links)
    if cut:
        kept = {
            key[:STAYS_WITHIN]: value[:STAYS_WITHIN] if isinstance(value, str) else value
            for key, value in list(values.items())[: STAYS_WITHIN // 4]
            if isinstance(value, str | bool | int | float)
        }
        lost = (lost[0] + len(values) - len(kept), lost[1] + len(events), lost[2] + len(links))
        values, events, links = kept, (), ()
        name, description = name[:STAYS_WITHIN], (description or "")[:STAYS_WITHIN]
    code, state, start, end = status.status_code.value, context.trace_state, span.start_time, span.end_time
    return b"".join([
        b"\x0a\x10", context.trace_id.to_bytes(16, "big"),
        b"\x12\x08", context.span_id.to_bytes(8, "big"),
        text(b"\x1a", ",".join([f"{key}={value}" for key, value in state.items()])) if state else b"",
        b"\x22\x08" + parent.span_id.to_bytes(8, "big") if parent is not None else b"",
        known_text(b"\x2a", name),
        b"\x30", SMALL[span.kind.value + 1],
        b"\x39" + FIXED64(start) if start else b"",
        b"\x41" + FIXED64(end) if end else b"",
        attributes(b"\x4a", annotated(values)),
        b"\x50" + varint(lost[0]) if lost[0] else b"",
        *[field(b"\x5a", encoded_event(event)) for event in events],
        b"\x60" + varint(lost[1]) if lost[1] else b"",
        *[field(b"\x6a", encoded_link(link)) for link in links],
        b"\x70" + varint(lost[2]) if lost[2] else b"",
        field(b"\x7a", text(b"\x12", description) + (b"\x18" + SMALL[code] if code else b""))
        if code or description else b"\x7a\x00",
        b"\x85\x01", flags(parent),
    ])  # fmt: skip


def annotated(values: dict[str, Any]) -> dict[str, Any]:
    """A span's attributes and the list of those that X-Ray indexes, after those that the function itself named."""
    indexed = indexed_of(tuple(values))
    named = values.get(ANNOTATIONS)
    if isinstance(named, tuple | list):
        indexed = (*named, *(key for key in indexed if key not in named))
    if indexed:
        values[ANNOTATIONS] = indexed
    return values


@lru_cache(maxsize=128)
def indexed_of(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that X-Ray indexes."""
    return tuple(filter(INDEXED.__contains__, keys))


def encoded_event(event: Event) -> bytes:
    """The message Span.Event."""
    stamp = b"\x09" + FIXED64(event.timestamp) if event.timestamp else b""
    lost = event.dropped_attributes
    body = stamp + text(b"\x12", event.name) + attributes(b"\x1a", event.attributes)
    return body + (b"\x20" + varint(lost) if lost else b"")


def encoded_link(link: Link) -> bytes:
    """The message Span.Link."""
    to, lost = link.context, link.dropped_attributes
    ids = b"\x0a\x10" + to.trace_id.to_bytes(16, "big") + b"\x12\x08" + to.span_id.to_bytes(8, "big")
    rest = attributes(b"\x22", link.attributes) + (b"\x28" + varint(lost) if lost else b"")
    return ids + rest + b"\x35" + flags(to)


def flags(context: SpanContext | None) -> bytes:
    """The flags of a parent or a link: whether it is in another process."""
    return REMOTE if context is not None and context.is_remote else LOCAL


def attributes(tag: bytes, values: Mapping[str, Any] | None) -> bytes:
    """A repeated field of KeyValue."""
    found = []
    for key, value in values.items() if values else ():
        kind = type(value)
        alone = value[0] if kind is tuple and len(value) == 1 else value  # for example the table of a call
        if kind is int or kind is bool or (type(alone) is str and len(alone) <= SHORT) or key == ANNOTATIONS:
            found.append(known_pair(tag, key, value))
        else:
            found.append(field(tag, pair(key, value)))
    return b"".join(found)


@lru_cache(maxsize=512, typed=True)
def known_pair(tag: bytes, key: str, value: str | int | tuple[str, ...]) -> bytes:
    """A cached KeyValue: most attributes are the same in each invocation."""
    return field(tag, pair(key, value))


def pair(key: str, value: object) -> bytes:
    """The message KeyValue."""
    return text(b"\x0a", key) + field(b"\x12", any_value(value))


def any_value(value: object) -> bytes:
    """The message AnyValue. Its field tells the type, so zero and the empty text are written too."""
    if value is None:
        return b""
    if isinstance(value, str):
        return field(b"\x0a", value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return b"\x18" + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    if isinstance(value, float):
        return b"\x21" + DOUBLE(value)
    if isinstance(value, bytes):
        return field(b"\x3a", value)
    if isinstance(value, Sequence):
        return field(b"\x2a", b"".join([field(b"\x0a", any_value(one)) for one in value]))
    if isinstance(value, Mapping):
        return field(b"\x32", b"".join([field(b"\x0a", pair(str(key), one)) for key, one in value.items()]))
    return any_value(str(value))


def text(tag: bytes, value: str | None) -> bytes:
    """A text field; nothing for an empty text. A lone surrogate, which UTF-8 cannot encode, becomes a question mark."""
    return field(tag, value.encode("utf-8", "replace")) if value else b""


known_text = lru_cache(maxsize=128)(text)


def field(tag: bytes, body: bytes) -> bytes:
    """A field with its length."""
    size = len(body)
    return tag + (SMALL[size] if size < 128 else varint(size)) + body


def varint(number: int) -> bytes:
    """A varint: seven bits per byte, lowest bits first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)
