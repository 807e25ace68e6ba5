"""Spans as OTLP's protobuf, written by hand: the protobuf package costs a cold start more than all of X-Ray's SDK.

Each span is encoded once and kept as bytes, so that its size is known and a delivery that failed is repeated without
encoding again. Field numbers: https://github.com/open-telemetry/opentelemetry-proto. A test holds what comes out
against the package, byte by byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.annotations import ANNOTATIONS, annotated
from lambda_latency.runtime.copies import attributes_of
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext

__all__ = ["Encoded", "Encoder", "parents_first", "request"]

Head = tuple[bytes, bytes]
"""What comes before and after the parts of a message."""

FIXED64 = Struct("<Q").pack
FIXED32 = Struct("<I").pack
DOUBLE = Struct("<d").pack

HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200
SHORT = 128  # characters of a text whose encoding is kept
STAYS_WITHIN = 200  # characters of a text, and attributes, that are left of a span which is too large


class Encoded:
    """A span, and the resource and the scope that it goes under."""

    __slots__ = ("resource", "scope", "span")

    def __init__(self, resource: Head, scope: Head, span: bytes) -> None:
        self.resource = resource
        self.scope = scope
        self.span = span

    @property
    def size(self) -> int:
        """Bytes on the wire, were it sent alone; room for the lengths of its messages included."""
        return len(self.span) + len(self.scope[0]) + len(self.scope[1]) + len(self.resource[0]) + 30


class Encoder:
    """Encodes spans and remembers what they have in common."""

    def __init__(self) -> None:
        self._resource: Resource | None = None
        self._resource_head: Head = (b"", b"")
        self._scope_heads: dict[InstrumentationScope | None, Head] = {}
        self._said = False

    def encode(self, span: ReadableSpan, limit: int) -> Encoded:
        """One span in at most `limit` bytes: one that is larger loses first its events, then the most of its texts."""
        whole = Encoded(self._resource_of(span), self._scope_of(span), encoded_span(span))
        if whole.size <= limit:
            return whole
        if not self._said:
            self._said = True
            warn(f"the span {span.name[:STAYS_WITHIN]!r} has {whole.size} bytes, and {limit} can be sent at once; "
                 "it goes without its events and long texts, as all others that large will")  # fmt: skip
        return Encoded(whole.resource, whole.scope, encoded_span(span, cut=True))

    def _resource_of(self, span: ReadableSpan) -> Head:
        if span.resource is not self._resource:
            self._resource = span.resource
            body = b"".join([field(b"\x0a", pair(*item)) for item in span.resource.attributes.items()])
            self._resource_head = (field(b"\x0a", body), text(b"\x1a", span.resource.schema_url))
        return self._resource_head

    def _scope_of(self, span: ReadableSpan) -> Head:
        scope = span.instrumentation_scope
        head = self._scope_heads.get(scope)
        if head is None:
            body = b""
            if scope is not None:
                body = text(b"\x0a", scope.name) + text(b"\x12", scope.version) + attributes(b"\x1a", scope.attributes)
            head = (field(b"\x0a", body), text(b"\x1a", scope.schema_url if scope is not None else None))
            self._scope_heads[scope] = head
        return head


def parents_first(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """In the order of their starts. They come as they ended: if only some were delivered, those would lack parents."""
    latest_first = spans[::-1]  # of two that start in the same instant the outer one ends later
    return sorted(latest_first, key=lambda span: span.start_time or 0)


def request(spans: Iterable[Encoded]) -> bytes:
    """An export request: spans of one resource and one scope go together."""
    resources: dict[Head, dict[Head, list[bytes]]] = {}
    for one in spans:
        resources.setdefault(one.resource, {}).setdefault(one.scope, []).append(field(b"\x12", one.span))
    parts = []
    for (resource, resource_end), scopes in resources.items():
        inner = [
            field(b"\x12", scope + b"".join(encoded) + scope_end) for (scope, scope_end), encoded in scopes.items()
        ]
        parts.append(field(b"\x0a", resource + b"".join(inner) + resource_end))
    return b"".join(parts)


def encoded_span(span: ReadableSpan, *, cut: bool = False) -> bytes:
    """The message Span. `cut`: as much of it as always fits."""
    context, parent, status = span.get_span_context(), span.parent, span.status
    assert context is not None
    values: Mapping[str, Any] = attributes_of(span)
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
    values = annotated(values)
    state = context.trace_state
    return b"".join([
        b"\x0a\x10", context.trace_id.to_bytes(16, "big"),
        b"\x12\x08", context.span_id.to_bytes(8, "big"),
        text(b"\x1a", ",".join([f"{key}={value}" for key, value in state.items()]) if state else None),
        b"\x22\x08" + parent.span_id.to_bytes(8, "big") if parent is not None else b"",
        text(b"\x2a", name),
        b"\x30", varint(span.kind.value + 1),
        b"\x39" + FIXED64(span.start_time) if span.start_time else b"",
        b"\x41" + FIXED64(span.end_time) if span.end_time else b"",
        attributes(b"\x4a", values),
        count(b"\x50", lost[0]),
        *[field(b"\x5a", encoded_event(event)) for event in events],
        count(b"\x60", lost[1]),
        *[field(b"\x6a", encoded_link(link)) for link in links],
        count(b"\x70", lost[2]),
        b"\x7a\x00" if status.is_unset and not description
        else field(b"\x7a", text(b"\x12", description) + count(b"\x18", status.status_code.value)),
        b"\x85\x01", FIXED32(flags(parent)),
    ])  # fmt: skip


def encoded_event(event: Event) -> bytes:
    """The message Span.Event."""
    stamp = b"\x09" + FIXED64(event.timestamp) if event.timestamp else b""
    body = stamp + text(b"\x12", event.name) + attributes(b"\x1a", event.attributes)
    return body + count(b"\x20", event.dropped_attributes)


def encoded_link(link: Link) -> bytes:
    """The message Span.Link."""
    ids = (
        b"\x0a\x10" + link.context.trace_id.to_bytes(16, "big") + b"\x12\x08" + link.context.span_id.to_bytes(8, "big")
    )
    rest = attributes(b"\x22", link.attributes) + count(b"\x28", link.dropped_attributes)
    return ids + rest + b"\x35" + FIXED32(flags(link.context))


def flags(context: SpanContext | None) -> int:
    """Whether a parent, or what is linked, lives in another process."""
    return HAS_IS_REMOTE | IS_REMOTE if context is not None and context.is_remote else HAS_IS_REMOTE


def attributes(tag: bytes, values: Mapping[str, Any] | None) -> bytes:
    """Repeated KeyValue."""
    if not values:
        return b""
    found = []
    for key, value in values.items():
        kind = type(value)
        if kind is int or kind is bool or (kind is str and len(value) <= SHORT) or key == ANNOTATIONS:
            found.append(known_pair(tag, key, value))
        else:
            found.append(field(tag, pair(key, value)))
    return b"".join(found)


@lru_cache(maxsize=512, typed=True)
def known_pair(tag: bytes, key: str, value: str | int | tuple[str, ...]) -> bytes:
    """A KeyValue as it was encoded before: most of what spans carry is the same in each invocation."""
    return field(tag, pair(key, value))


def pair(key: str, value: object) -> bytes:
    """The message KeyValue."""
    return text(b"\x0a", key) + field(b"\x12", any_value(value))


def any_value(value: object) -> bytes:
    """The message AnyValue. It says which type it has, so that zero and the empty text are written too."""
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
    """A text field; an empty one is left out. A lone surrogate, which UTF-8 cannot say, becomes a question mark."""
    return field(tag, value.encode("utf-8", "replace")) if value else b""


def count(tag: bytes, value: int) -> bytes:
    """A number field; zero is left out."""
    return tag + varint(value) if value else b""


def field(tag: bytes, body: bytes) -> bytes:
    """A field with its length."""
    return tag + varint(len(body)) + body


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    if number < 128:
        return bytes((number,))
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)
