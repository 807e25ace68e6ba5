"""One export request of OTLP/JSON, read into spans and written from them.

Ids are hex and 64-bit integers are text, as https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding has it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lambda_latency.trace.anyvalue import read_attributes, read_int, write_attributes
from lambda_latency.trace.attributes import EMPTY, Attributes
from lambda_latency.trace.span import Event, Link, Scope, Span, SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["dump_line", "spans_of", "to_otlp"]

HAS_REMOTE = 0x100  # SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
IS_REMOTE = 0x200  # SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
LAST_INSTANT = 2**64
HEX = re.compile(r"[0-9a-f]+\Z")


def spans_of(document: object, problem: Callable[[str], object]) -> Iterator[Span]:
    """The spans of one ExportTraceServiceRequest; a span that cannot be read is told to `problem` and left out."""
    if not isinstance(document, dict) or not isinstance(document.get("resourceSpans"), list):
        seen = ", ".join(map(str, document)) if isinstance(document, dict) else type(document).__name__
        problem(f"no OTLP/JSON document: resourceSpans expected, got {_short(seen) or 'an empty object'}")
        return
    for resource_spans in document["resourceSpans"]:
        try:
            group = _object(resource_spans, "resourceSpans")
            resource = _attributes_in(group.get("resource"))
            scopes = _list(group, "scopeSpans")
        except ValueError as error:
            problem(str(error))
            continue
        for scope_spans in scopes:
            try:
                members = _object(scope_spans, "scopeSpans")
                scope = _scope(members.get("scope"))
                spans = _list(members, "spans")
            except ValueError as error:
                problem(str(error))
                continue
            for raw in spans:
                try:
                    yield _span(_object(raw, "spans"), resource, scope)
                except ValueError as error:
                    problem(str(error))
                except RecursionError:
                    problem("a span's attributes are nested too deeply")


def to_otlp(spans: Iterable[Span]) -> dict[str, object]:
    """Spans as one ExportTraceServiceRequest, grouped by resource and scope in the order of their first span."""
    groups: dict[Attributes, dict[Scope, list[Span]]] = {}
    for span in spans:
        resource = span.resource if isinstance(span.resource, Attributes) else Attributes(span.resource)
        groups.setdefault(resource, {}).setdefault(span.scope, []).append(span)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": write_attributes(resource)},
                "scopeSpans": [
                    {"scope": _write_scope(scope), "spans": [_write_span(span) for span in members]}
                    for scope, members in scopes.items()
                ],
            }
            for resource, scopes in groups.items()
        ]
    }


def dump_line(spans: Iterable[Span]) -> str:
    """Spans as one line of a `traces.jsonl`, its end included."""
    return json.dumps(to_otlp(spans), separators=(",", ":")) + "\n"


def _span(raw: dict[str, Any], resource: Attributes, scope: Scope) -> Span:
    parent_id = _parent(raw.get("parentSpanId"))
    flags = read_int(raw.get("flags") or 0, "flags")
    known = parent_id is not None and flags & HAS_REMOTE
    status = raw.get("status")
    status = status if isinstance(status, dict) else {}
    return Span(
        trace_id=_id(raw.get("traceId"), "traceId", 32),
        span_id=_id(raw.get("spanId"), "spanId", 16),
        parent_id=parent_id,
        parent_remote=bool(flags & IS_REMOTE) if known else None,
        name=str(raw.get("name", "")),
        kind=_kind(raw.get("kind")),
        start_ns=_start(raw.get("startTimeUnixNano")),
        end_ns=_time(raw.get("endTimeUnixNano"), "endTimeUnixNano"),
        status=_status(status.get("code")),
        status_message=str(status.get("message") or ""),
        attributes=Attributes(read_attributes(raw.get("attributes"))),
        events=tuple(_event(event) for event in _list(raw, "events")),
        links=tuple(_link(link) for link in _list(raw, "links")),
        resource=resource,
        scope=scope,
    )


def _event(raw: object) -> Event:
    event = _object(raw, "events")
    at = _time(event.get("timeUnixNano"), "timeUnixNano") or 0
    return Event(str(event.get("name", "")), at, Attributes(read_attributes(event.get("attributes"))))


def _link(raw: object) -> Link:
    link = _object(raw, "links")
    trace_id, span_id = _id(link.get("traceId"), "traceId", 32), _id(link.get("spanId"), "spanId", 16)
    return Link(trace_id, span_id, Attributes(read_attributes(link.get("attributes"))))


def _scope(raw: object) -> Scope:
    if raw is None:
        return Scope()
    scope = _object(raw, "scope")
    return Scope(str(scope.get("name", "")), str(scope.get("version", "")), _attributes_in(scope))


def _attributes_in(raw: object) -> Attributes:
    found = read_attributes(_object(raw, "resource").get("attributes")) if raw is not None else {}
    return Attributes(found) if found else EMPTY


def _parent(value: object) -> str | None:
    # An absent parent is written as nothing, as an empty text or, by some exporters, as zeros.
    if value is None or value == "" or value == "0" * 16:
        return None
    return _id(value, "parentSpanId", 16)


def _id(value: object, name: str, length: int) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if len(text) == length and HEX.match(text) and text.strip("0"):
        return text
    hint = ""
    if isinstance(value, str) and len(value) == {32: 24, 16: 12}[length] and value.endswith("="):
        hint = " (base64, as protobuf's json_format writes it; OTLP/JSON has hex)"
    raise ValueError(f"{name} must be {length} hex digits, got {_short(repr(value))}{hint}")


def _start(value: object) -> int:
    start = _time(value, "startTimeUnixNano")
    if start is None:
        raise ValueError("startTimeUnixNano is missing: a span without a start has no place in time")
    return start


def _time(value: object, name: str) -> int | None:
    if value is None or value == "":
        return None
    at = read_int(value, name)
    if not 0 <= at < LAST_INSTANT:
        raise ValueError(f"{name} must be nanoseconds since 1970, got {_short(repr(value))}")
    return at or None


def _kind(value: object) -> SpanKind:
    for kind in SpanKind:
        if value in (kind.value, f"SPAN_KIND_{kind.name}"):
            return kind
    return SpanKind.INTERNAL  # unspecified: the specification lets it be taken for internal


def _status(value: object) -> Status:
    for status in Status:
        if value in (status.value, f"STATUS_CODE_{status.name}"):
            return status
    return Status.UNSET


def _object(raw: object, name: str) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    raise ValueError(f"{name} must hold objects, got {type(raw).__name__}")


def _list(raw: dict[str, Any], name: str) -> list[object]:
    value = raw.get(name)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise ValueError(f"{name} must be a list, got {type(value).__name__}")


def _write_span(span: Span) -> dict[str, object]:
    raw: dict[str, object] = {"traceId": span.trace_id, "spanId": span.span_id}
    if span.parent_id is not None:
        raw["parentSpanId"] = span.parent_id
        if span.parent_remote is not None:
            raw["flags"] = HAS_REMOTE | (IS_REMOTE if span.parent_remote else 0)
    raw |= {"name": span.name, "kind": span.kind.value, "startTimeUnixNano": str(span.start_ns)}
    if span.end_ns is not None:
        raw["endTimeUnixNano"] = str(span.end_ns)
    if span.attributes:
        raw["attributes"] = write_attributes(span.attributes)
    if span.events:
        raw["events"] = [_with_attributes({"timeUnixNano": str(e.time_ns), "name": e.name}, e) for e in span.events]
    if span.links:
        raw["links"] = [_with_attributes({"traceId": k.trace_id, "spanId": k.span_id}, k) for k in span.links]
    status: dict[str, object] = {}
    if span.status is not Status.UNSET:
        status["code"] = span.status.value
    if span.status_message:
        status["message"] = span.status_message
    raw["status"] = status
    return raw


def _write_scope(scope: Scope) -> dict[str, object]:
    return _with_attributes({"name": scope.name, "version": scope.version}, scope)


def _with_attributes(raw: dict[str, object], value: Event | Link | Scope) -> dict[str, object]:
    return raw | {"attributes": write_attributes(value.attributes)} if value.attributes else raw


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
