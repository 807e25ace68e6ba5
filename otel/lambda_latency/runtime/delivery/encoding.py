"""Encodes spans as OTLP protobuf, without the protobuf package: that costs a cold start more than the X-Ray SDK.

Each span is encoded once and kept as bytes: its size is known, and a failed delivery is repeated without encoding.
Field numbers: https://github.com/open-telemetry/opentelemetry-proto. A test compares the bytes with the package's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from struct import Struct
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, StatusCode

from lambda_latency.runtime.copies import attributes_of, completed
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, Status

    from lambda_latency.runtime.redact import Redaction

Head = tuple[bytes, bytes]
"""The bytes before and after the parts of a message."""
Parts = tuple[bytes, bytes, bytes, bytes]
"""The fields of a span with texts: its name, its attributes, its events, its links."""

FIXED64 = Struct("<Q").pack
IDS, PARENT, TIMES = Struct(">2sQQ2sQ").pack, Struct(">2sQ").pack, Struct("<BQBQ").pack  # tags and fields
LOWEST_64 = 0xFFFF_FFFF_FFFF_FFFF
DOUBLE = Struct("<d").pack
TWO_BYTES = Struct("<BB").pack
SMALL = [bytes((number,)) for number in range(128)]

UNSET = StatusCode.UNSET
CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
NO_STATUS = b"\x7a\x00"  # the empty message Status, which most spans have
LOCAL, REMOTE = Struct("<I").pack(0x100), Struct("<I").pack(0x300)
"""The flags of a context: it is known whether it is remote; it is remote."""
SHORT = 128  # longest text whose encoding is cached, in characters
MOST_KNOWN, MOST_SETS, MOST_SCOPES = 1024, 128, 128  # attributes, sets of them and scopes in the caches
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
        self.resource, self.scope, self.span = resource, scope, span
        self.size = len(span) + len(scope[0]) + len(scope[1]) + len(resource[0]) + 30


class Encoder:
    """Encodes spans and redacts each of their parts on the way: names, values and messages leave in no other way.

    A part that an earlier invocation had too is read from a cache, with its redaction: most are the same each time.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._resource: tuple[Resource | None, Head] = None, (b"", b"")
        self._said = self._said_cut = False
        self._known_pairs: dict[tuple[str, type, object], bytes] = {}
        self._known_sets: dict[tuple[object, ...], bytes] = {}
        self._known_texts = lru_cache(maxsize=256)(self._redacted)
        self._known_scopes: dict[int, tuple[InstrumentationScope | None, Head]] = {}  # by identity: a hash takes longer

    def encode(self, spans: Iterable[ReadableSpan], limit: int, seconds: float = inf) -> Iterator[Encoded]:
        """Each span in at most `limit` bytes. A larger one loses its events and links, and most of its long texts.

        Texts that are long lose their end when the redaction has taken `seconds` or its own limit of time.
        """
        begun = False
        for span in spans:
            if not begun and self._redaction.renewed():
                self._forget()
            if not begun:
                self._redaction.limit_time(seconds)
            begun = True
            resource, scope = self._head(span.resource), self._scope_of(span.instrumentation_scope)
            whole = Encoded(resource, scope, self._whole(span, scope))
            yield whole if whole.size <= limit else Encoded(resource, scope, self._cut(span, whole.size, limit))
        if begun and self._redaction.has_cut and not self._said_cut:
            self._said_cut = True
            warn("the redaction of a delivery's spans took too long: its long texts were cut, and have the mark [cut]")

    def _forget(self) -> None:
        """Empty the caches: other values are secret now."""
        self._resource = None, (b"", b"")
        self._known_pairs.clear()
        self._known_sets.clear()
        self._known_texts.cache_clear()
        self._known_scopes.clear()

    def _head(self, resource: Resource) -> Head:
        """The head of the message ResourceSpans."""
        if self._resource[0] is not resource:
            body = self._attributes(b"\x0a", resource.attributes)
            self._resource = resource, (field(b"\x0a", body), text(b"\x1a", resource.schema_url))
        return self._resource[1]

    def _scope_of(self, scope: InstrumentationScope | None) -> Head:
        known, head = self._known_scopes.get(id(scope), (self, (b"", b"")))
        if known is scope:
            return head
        if len(self._known_scopes) == MOST_SCOPES:
            self._known_scopes.clear()
        self._known_scopes[id(scope)] = scope, self._scope(scope)
        return self._known_scopes[id(scope)][1]

    def _scope(self, scope: InstrumentationScope | None) -> Head:
        """The head of the message ScopeSpans."""
        if scope is None:
            return field(b"\x0a", b""), b""
        body = text(b"\x0a", scope.name) + text(b"\x12", scope.version) + self._attributes(b"\x1a", scope.attributes)
        return field(b"\x0a", body), text(b"\x1a", scope.schema_url)

    def _whole(self, span: ReadableSpan, scope: Head) -> bytes:
        """The message Span."""
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
        """As much of the message Span as always fits."""
        redaction, values = self._redaction, completed(span, attributes_of(span))
        message = span.status.description or ""
        name = redaction.text(span.name)[:STAYS_WITHIN]
        if not self._said:
            self._said = True
            warn(f"the span {name!r} has {size} bytes, and {limit} can be sent at once; "
                 "it goes without its events and long texts, as all others that large will")  # fmt: skip
        kept = {}
        for key, value in list(values.items())[: STAYS_WITHIN // 4]:
            found = redaction.value(key, value)
            if isinstance(found, str | bool | int | float):
                kept[key[:STAYS_WITHIN]] = found[:STAYS_WITHIN] if isinstance(found, str) else found
        indexed = self._annotations(kept)
        attributes = b"".join([field(b"\x4a", pair(*item)) for item in kept.items()])
        lost = (
            span.dropped_attributes + len(values) - len(kept),
            span.dropped_events + len(span.events),
            span.dropped_links + len(span.links),
        )
        parts = text(b"\x2a", name), attributes + indexed, b"", b""
        return encoded_span(span, parts, span.status, redaction.message(message)[:STAYS_WITHIN], lost)

    def _event(self, event: Event) -> bytes:
        """A repeated field of the message Span.Event."""
        stamp = b"\x09" + FIXED64(event.timestamp) if event.timestamp else b""
        lost = event.dropped_attributes
        body = stamp + self._name(b"\x12", event.name) + self._attributes(b"\x1a", event.attributes)
        return field(b"\x5a", body + (b"\x20" + varint(lost) if lost else b""))

    def _link(self, link: Link) -> bytes:
        """A repeated field of the message Span.Link."""
        to, lost = link.context, link.dropped_attributes
        ids = b"\x0a\x10" + to.trace_id.to_bytes(16, "big") + b"\x12\x08" + to.span_id.to_bytes(8, "big")
        rest = self._attributes(b"\x22", link.attributes) + (b"\x28" + varint(lost) if lost else b"")
        return field(b"\x6a", ids + rest + b"\x35" + flags(to))

    def _attributes(self, tag: bytes, values: Mapping[str, Any] | None) -> bytes:
        """A repeated field of KeyValue."""
        known, found = self._known_pairs, []
        for key, value in values.items() if values else ():
            try:
                found.append(known[key, type(value), value])
            except (KeyError, TypeError):  # new, or a value that cannot be a key
                found.append(self._pair(key, value))
        return tag + tag.join(found) if found else b""

    def _completed(self, span: ReadableSpan, scope: Head) -> bytes:
        """The attributes of a span with the derived ones. Most calls have the attributes of an earlier one."""
        kind, given = span.kind, span.attributes or {}
        if kind is SERVER:  # has the id of its request
            return self._with_annotations(completed(span, attributes_of(span)))
        values = given.values()
        known = scope, kind is CLIENT, tuple(given), tuple(values), tuple(map(type, values))
        try:
            return self._known_sets[known]
        except (KeyError, TypeError):  # new, or a value that cannot be a key
            is_kept = all(map(is_short, values))
        found = self._with_annotations(completed(span, attributes_of(span)))
        if is_kept:
            if len(self._known_sets) == MOST_SETS:
                self._known_sets.clear()
            self._known_sets[known] = found
        return found

    def _with_annotations(self, values: dict[str, Any]) -> bytes:
        indexed = self._annotations(values)
        return self._attributes(b"\x4a", values) + indexed

    def _annotations(self, values: dict[str, Any]) -> bytes:
        """The list of those of `values` that X-Ray indexes, after those that the function named. Removes the latter."""
        given = values.pop(ANNOTATIONS, None)
        if given is None:
            return annotations_of(tuple(values))
        named, indexed = self._redaction.value(ANNOTATIONS, given), [key for key in values if key in INDEXED]
        if isinstance(named, tuple):
            named = (*named, *[key for key in indexed if key not in named])
        return field(b"\x4a", pair(ANNOTATIONS, named if isinstance(named, tuple) or not indexed else indexed))

    def _pair(self, key: str, value: object) -> bytes:
        """A redacted KeyValue with its length. Cached if it is short, and of a type whose equal values are the same."""
        found = field(b"", pair(key, self._redaction.value(key, value)))
        if is_short(value):
            if len(self._known_pairs) == MOST_KNOWN:
                self._known_pairs.clear()
            self._known_pairs[key, type(value), value] = found
        return found

    def _name(self, tag: bytes, name: str) -> bytes:
        return self._known_texts(tag, name) if len(name) <= SHORT else self._redacted(tag, name)

    def _redacted(self, tag: bytes, given: str) -> bytes:
        return text(tag, self._redaction.text(given))


def batches(spans: Iterable[Encoded], largest: int) -> Iterator[list[Encoded]]:
    """The spans in their order, in as few batches of at most `largest` bytes as possible."""
    batch: list[Encoded] = []
    room = largest
    for one in spans:
        if one.size > room:
            yield batch
            batch, room = [], largest
        batch.append(one)
        room -= one.size
    if batch:
        yield batch


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


def encoded_span(span: ReadableSpan, parts: Parts, status: Status, message: str, lost: tuple[int, int, int]) -> bytes:
    """The message Span. `message` is that of the status; `lost` counts the dropped attributes, events and links."""
    context, parent, code = span.get_span_context(), span.parent, status.status_code
    assert context is not None
    trace_id, span_id, _, _, state, _ = context  # a property for each would take longer
    name, attributes, events, links = parts
    return b"".join([
        IDS(b"\x0a\x10", trace_id >> 64, trace_id & LOWEST_64, b"\x12\x08", span_id),
        text(b"\x1a", ",".join([f"{key}={value}" for key, value in state.items()])) if state else b"",
        PARENT(b"\x22\x08", parent[1]) if parent is not None else b"",
        name,
        b"\x30", SMALL[span.kind._value_ + 1],  # `value` is Python code
        times(span.start_time or 0, span.end_time or 0),
        attributes,
        b"\x50" + varint(lost[0]) if lost[0] else b"",
        events,
        b"\x60" + varint(lost[1]) if lost[1] else b"",
        links,
        b"\x70" + varint(lost[2]) if lost[2] else b"",
        NO_STATUS if code is UNSET and not message
        else field(b"\x7a", text(b"\x12", message) + (b"\x18" + SMALL[code.value] if code is not UNSET else b"")),
        b"\x85\x01", flags(parent),
    ])  # fmt: skip


def times(start: int, end: int) -> bytes:
    """The start and the end of a span, as far as it has them."""
    if start and end:
        return TIMES(0x39, start, 0x41, end)
    return (b"\x39" + FIXED64(start) if start else b"") + (b"\x41" + FIXED64(end) if end else b"")


@lru_cache(maxsize=128)
def annotations_of(keys: tuple[str, ...]) -> bytes:
    """The attribute that lists those of the keys that X-Ray indexes; nothing if it indexes none."""
    indexed = [key for key in keys if key in INDEXED]
    return field(b"\x4a", pair(ANNOTATIONS, indexed)) if indexed else b""


def is_short(value: object) -> bool:
    """Whether a value is short, and of a type whose equal values are the same."""
    alone = value[0] if type(value) is tuple and len(value) == 1 else value  # for example the table of a call
    return (type(alone) is str and len(alone) <= SHORT) or type(value) in (int, bool)


def flags(context: SpanContext | None) -> bytes:
    """The flags of a parent or a link: whether it is in another process."""
    return REMOTE if context is not None and context[2] else LOCAL  # `is_remote` is Python code


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
        return b"\x18" + varint(value & LOWEST_64)
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


def field(tag: bytes, body: bytes) -> bytes:
    """A field with its length."""
    size = len(body)
    return tag + (SMALL[size] if size < 128 else varint(size)) + body


def varint(number: int) -> bytes:
    """A varint: seven bits per byte, lowest bits first."""
    if number < 16_384:  # the size of most spans
        return TWO_BYTES(number & 127 | 128, number >> 7) if number > 127 else SMALL[number]
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)
