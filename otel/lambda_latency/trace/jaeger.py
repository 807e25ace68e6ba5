"""Jaeger's JSON, as its UI saves it and its query API answers: `{"data": [{"traceID": ..., "spans": [...]}]}`.

Times are microseconds; ids may have lost their leading zeros; what OpenTelemetry calls kind, status and scope are tags
(https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.trace.attributes import Attributes
from lambda_latency.trace.span import Event, Link, Scope, Span, SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["spans_of"]

KINDS = {kind.name.lower(): kind for kind in SpanKind}
SCOPE_NAME = ("otel.scope.name", "otel.library.name")
SCOPE_VERSION = ("otel.scope.version", "otel.library.version")
OURS = ("span.kind", "otel.status_code", "otel.status_description", "error", *SCOPE_NAME, *SCOPE_VERSION)


def spans_of(document: dict[str, Any], problem: Callable[[str], object]) -> Iterator[Span]:
    """The spans of one answer, or of one trace in it; what cannot be read is told to `problem` and left out."""
    for trace in document.get("data", [document]):
        if not isinstance(trace, dict) or not isinstance(trace.get("spans"), list):
            problem(f"a Jaeger trace must have spans, got {type(trace).__name__}")
            continue
        processes = trace.get("processes")
        processes = processes if isinstance(processes, dict) else {}
        for raw in trace["spans"]:
            try:
                yield _span(raw, processes)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                problem(f"not a Jaeger span: {error}")


def _span(raw: dict[str, Any], processes: dict[str, Any]) -> Span:
    tags = _tags(raw.get("tags"))
    process = raw.get("process") or processes.get(raw.get("processID", "")) or {}
    start = _ns(raw.get("startTime"), "startTime")
    trace_id = _id(raw.get("traceID"), 32)
    parent, links = _references(raw, trace_id)
    resource = {**_tags(process.get("tags")), "service.name": process.get("serviceName", "")}
    return Span(
        trace_id=trace_id,
        span_id=_id(raw.get("spanID"), 16),
        parent_id=parent,
        name=str(raw.get("operationName", "")),
        kind=KINDS.get(str(tags.get("span.kind", "")).lower(), SpanKind.INTERNAL),
        start_ns=start,
        end_ns=start + _ns(raw.get("duration"), "duration"),
        status=_status(tags),
        status_message=str(tags.get("otel.status_description", "")),
        attributes={key: value for key, value in tags.items() if key not in OURS},
        events=tuple(_event(log) for log in raw.get("logs") or ()),
        links=links,
        resource=Attributes(resource),
        scope=Scope(_first(tags, SCOPE_NAME), _first(tags, SCOPE_VERSION)),
    )


def _references(raw: dict[str, Any], trace_id: str) -> tuple[str | None, tuple[Link, ...]]:
    """The parent: the first CHILD_OF of this trace, else the first FOLLOWS_FROM; the others are links."""
    found = [(str(one.get("refType")), _id(one.get("traceID"), 32), _id(one.get("spanID"), 16)) for one in _list(raw)]
    inside = sorted((one for one in found if one[1] == trace_id), key=lambda one: one[0] != "CHILD_OF")
    parent = inside[0] if inside else None
    if parent is None and raw.get("parentSpanID"):
        return _id(raw["parentSpanID"], 16), ()
    links = tuple(Link(trace, span) for kind, trace, span in found if (kind, trace, span) != parent)
    return parent[2] if parent is not None else None, links


def _list(raw: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in raw.get("references") or () if isinstance(one, dict)]


def _event(log: dict[str, Any]) -> Event:
    fields = _tags(log.get("fields"))
    name = str(fields.pop("event", "") or fields.pop("name", ""))
    return Event(name, _ns(log.get("timestamp"), "timestamp"), fields)


def _tags(raw: object) -> dict[str, Any]:
    if not isinstance(raw, list):
        return {}
    return {str(tag["key"]): tag.get("value") for tag in raw if isinstance(tag, dict) and "key" in tag}


def _status(tags: dict[str, Any]) -> Status:
    if tags.get("otel.status_code") == "ERROR" or tags.get("error") in (True, "true"):
        return Status.ERROR
    return Status.OK if tags.get("otel.status_code") == "OK" else Status.UNSET


def _first(tags: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((str(tags[key]) for key in keys if tags.get(key)), "")


def _id(value: object, length: int) -> str:
    text = str(value).lower()
    if isinstance(value, str) and 0 < len(text) <= length and set(text) <= set("0123456789abcdef") and text.strip("0"):
        return text.zfill(length)
    raise ValueError(f"an id must be up to {length} hex digits, got {value!r:.60}")


def _ns(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**54:
        raise ValueError(f"{name} must be microseconds, got {value!r:.60}")
    return round(value * 1000)
