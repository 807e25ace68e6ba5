"""Copies of spans with changes: an ended span does not accept attributes.

A call's span gets those that X-Ray's exporters read and the instrumentations leave out: peer, region, table. They are
derived from its own attributes, after the response.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Status


def identity(span: ReadableSpan) -> int:
    """Return the span id of a span."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def ended_at(span: ReadableSpan, end_ns: int, more: Mapping[str, Any], status: Status) -> ReadableSpan:
    """Return a copy that ends at `end_ns` with a status. One that has ended meanwhile keeps its end and status."""
    values = {**attributes_of(span), **more}
    if span.end_time is not None:
        return copied(span, values)
    return copied(span, values, status=status, end_time=max(end_ns, span.start_time or 0))


def moved(span: ReadableSpan, trace_id: int, root: SpanContext) -> ReadableSpan:
    """Return a copy of the span in another trace. A span without a parent gets `root` as its parent."""
    parent = root if span.parent is None else in_trace(span.parent, trace_id)
    context = span.get_span_context()
    assert context is not None
    return copied(span, attributes_of(span), context=in_trace(context, trace_id), parent=parent)


def in_trace(context: SpanContext, trace_id: int) -> SpanContext:
    """Return a sampled context with the same span id in another trace."""
    return SpanContext(trace_id, context.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """Return a new dictionary of the attributes. The SDK's mapping takes a lock for each iteration."""
    attributes: Any = span.attributes
    return {} if attributes is None else attributes.copy()


FIELDS = ("name", "context", "parent", "resource", "events", "links", "kind", "status", "start_time", "end_time",
          "instrumentation_scope")  # fmt: skip


def copied(span: ReadableSpan, attributes: Mapping[str, Any], **instead: Any) -> ReadableSpan:
    """Return a copy with other attributes and, by keyword, other fields. The counts of dropped items stay."""
    for name in FIELDS:
        if name not in instead:
            instead[name] = getattr(span, name)
    for name, dropped in (("events", span.dropped_events), ("links", span.dropped_links)):
        if dropped:
            instead[name] = BoundedList.from_seq(len(instead[name]) or 1, instead[name])
            instead[name].dropped = dropped
    return ReadableSpan(attributes=bounded(attributes, span.dropped_attributes), **instead)


def bounded(values: Mapping[str, Any], dropped: int) -> Mapping[str, Any]:
    """Return the attributes; if some were dropped, as a mapping with their number."""
    if not dropped:
        return values
    attributes = BoundedAttributes(attributes=values)
    attributes.dropped = dropped
    return attributes


UPSTREAM = "opentelemetry.instrumentation."
# Python 3.11 searches for a member of an enumeration each time
CLIENT = SpanKind.CLIENT
PORTS = {"http": 80, "https": 443}


def completed(span: ReadableSpan, values: dict[str, Any]) -> dict[str, Any]:
    """Return the span's attributes, which are `values`, with the derived ones if it is a call of an instrumentation."""
    scope = span.instrumentation_scope
    if span.kind is CLIENT and scope is not None and scope.name.startswith(UPSTREAM):
        try:
            values.update(call(values))
        except Exception as error:  # noqa: BLE001 - the span is sent as it is
            warn(f"completing a call's span failed ({type(error).__name__}: {error}); the request goes on")
    return values


def call(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the derived attributes of a call: peer; for a call to AWS, region and table."""
    more: dict[str, Any] = {}
    url = attributes.get("http.url")
    if isinstance(url, str):
        more.update(peer_of(url))
    region = attributes.get("cloud.region")
    if region is not None:
        more["aws.region"] = region
    tables = attributes.get("aws.dynamodb.table_names")
    if tables is not None and len(tables) == 1:
        more["aws.table_name"] = tables[0]
    return more


def peer_of(url: str) -> dict[str, str | int]:
    """Return host and port of a URL, under the key that names X-Ray's node and under the semantic convention's keys."""
    scheme, _, location = url.partition("://")
    authority = location.partition("/")[0].partition("?")[0].partition("#")[0]
    return known_peer(scheme, authority.rpartition("@")[2])


@lru_cache(maxsize=64)  # a function calls few different hosts
def known_peer(scheme: str, authority: str) -> dict[str, str | int]:
    """As `peer_of`, of a scheme and `host:port`; empty if that is not valid."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its text is not logged: the invalid port may be a secret
        return {}
    if not host:
        return {}
    return {"peer.service": host, "net.peer.name": host, "net.peer.port": port or PORTS.get(parts.scheme, 0)}
