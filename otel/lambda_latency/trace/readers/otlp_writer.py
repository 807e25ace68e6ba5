"""Writes spans as OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

Ids are hex, and 64-bit integers are text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from lambda_latency.trace.model.attributes import Attributes
from lambda_latency.trace.model.span import Event, Link, Scope, Span, Status
from lambda_latency.trace.readers.anyvalue import write_attributes

HAS_REMOTE = 0x100  # SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
IS_REMOTE = 0x200  # SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
FLAGS: dict[bool | None, dict[str, object]] = {
    None: {},
    False: {"flags": HAS_REMOTE},
    True: {"flags": HAS_REMOTE | IS_REMOTE},
}


def to_otlp(spans: Iterable[Span]) -> dict[str, object]:
    """Spans as one ExportTraceServiceRequest, grouped by resource and scope in the order of their first span."""
    groups: dict[Attributes, dict[Scope, list[Span]]] = {}
    for span in spans:
        resource = span.resource if isinstance(span.resource, Attributes) else Attributes(span.resource)
        groups.setdefault(resource, {}).setdefault(span.scope, []).append(span)
    resource_spans: list[dict[str, object]] = []
    for resource, scopes in groups.items():
        scope_spans: list[dict[str, object]] = []
        for scope, members in scopes.items():
            written = _with_attributes({"name": scope.name, "version": scope.version}, scope)
            scope_spans.append({"scope": written, "spans": list(map(_write_span, members))})
        resource_spans.append({"resource": {"attributes": write_attributes(resource)}, "scopeSpans": scope_spans})
    return {"resourceSpans": resource_spans}


def dump_line(spans: Iterable[Span]) -> str:
    """Spans as one line of a `traces.jsonl`, with its newline."""
    return json.dumps(to_otlp(spans), separators=(",", ":")) + "\n"


def _write_span(span: Span) -> dict[str, object]:
    raw: dict[str, object] = {"traceId": span.trace_id, "spanId": span.span_id}
    if span.parent_id is not None:
        raw |= {"parentSpanId": span.parent_id, **FLAGS[span.parent_remote]}
    raw |= {"name": span.name, "kind": span.kind.value, "startTimeUnixNano": str(span.start_ns)}
    if span.end_ns is not None:
        raw["endTimeUnixNano"] = str(span.end_ns)
    if span.attributes:
        raw["attributes"] = write_attributes(span.attributes)
    if span.events:
        raw["events"] = [_with_attributes({"timeUnixNano": str(e.time_ns), "name": e.name}, e) for e in span.events]
    if span.links:
        raw["links"] = [_with_attributes({"traceId": k.trace_id, "spanId": k.span_id}, k) for k in span.links]
    code = {} if span.status is Status.UNSET else {"code": span.status.value}
    raw["status"] = {**code, **({"message": span.status_message} if span.status_message else {})}
    return raw


def _with_attributes(raw: dict[str, object], source: Event | Link | Scope) -> dict[str, object]:
    return raw | {"attributes": write_attributes(source.attributes)} if source.attributes else raw
