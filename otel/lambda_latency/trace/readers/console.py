"""Reads spans that the console exporters of Python (`ConsoleSpanExporter`) and of Go (`stdouttrace`) printed.

Phoenix, which stores the spans of agents, exports them with the names of Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import OnProblem, canonical_span
from lambda_latency.trace.readers.instants import time_ns
from lambda_latency.trace.readers.otlp import Converted, converted
from lambda_latency.trace.readers.otlp_message import decode_any


def is_python(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a span that Python printed."""
    return "context" in members and ("start_time" in members or "parent_id" in members)


def python_resources(document: bytes, problem: OnProblem) -> list[dict[str, Any]]:
    """The span that Python printed, as the resources of OTLP/JSON; an empty list if it cannot be read."""
    return converted([decode_any(document)], _of_python, "a span of Python's console exporter", problem)


def _of_python(printed: Mapping[str, Any]) -> Converted:
    resource = printed.get("resource")
    attributes = resource.get("attributes") if isinstance(resource, dict) else None
    status = printed.get("status") or printed
    kind = {"openinference.span.kind": printed["span_kind"]} if printed.get("span_kind") else {}
    span = {
        **_ids_of_python(printed["context"]),
        "parentSpanId": printed.get("parent_id"),
        "name": printed.get("name"),
        "kind": printed.get("kind"),
        "startTimeUnixNano": time_ns(printed["start_time"]),
        "endTimeUnixNano": time_ns(printed["end_time"]) if printed.get("end_time") else 0,
        "status": {"code": status.get("status_code"), "message": status.get("description")},
        "attributes": {**kind, **(printed.get("attributes") or {})},
        "events": [_event(e["name"], e["timestamp"], e.get("attributes")) for e in _listed(printed, "events")],
        "links": [_ids_of_python(link["context"]) for link in _listed(printed, "links")],
    }
    return {"attributes": write_attributes(attributes or {})}, "", canonical_span(span)


def _ids_of_python(context: Mapping[str, Any]) -> dict[str, Any]:
    return {"traceId": context["trace_id"], "spanId": context["span_id"]}


def _listed(printed: Mapping[str, Any], key: str) -> Iterable[Any]:
    return printed.get(key) or ()


def _event(name: object, time: object, attributes: object) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": time_ns(time), "attributes": attributes}


def is_go(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a span that Go printed."""
    return "SpanContext" in members and "StartTime" in members


def go_resources(document: bytes, problem: OnProblem) -> list[dict[str, Any]]:
    """The span that Go printed, as the resources of OTLP/JSON; an empty list if it cannot be read."""
    return converted([decode_any(document)], _of_go, "a span of Go's stdouttrace", problem)


def _of_go(printed: Mapping[str, Any]) -> Converted:
    parent, status = printed.get("Parent") or {}, printed.get("Status") or {}
    scope = _scope_of_go(printed)
    if str(printed["StartTime"]).startswith("0001-"):
        raise ValueError("it was printed without its times (WithoutTimestamps)")
    span = {
        **_ids_of_go(printed["SpanContext"]),
        "parentSpanId": str(parent.get("SpanID") or "").strip("0") and parent["SpanID"],
        "name": printed.get("Name"),
        "kind": printed.get("SpanKind"),
        "startTimeUnixNano": time_ns(printed["StartTime"]),
        "endTimeUnixNano": time_ns(printed["EndTime"]) if printed.get("EndTime") else 0,
        "status": {"code": status.get("Code"), "message": status.get("Description")},
        "attributes": _values_of(printed.get("Attributes")),
        "events": [_event(e["Name"], e["Time"], _values_of(e.get("Attributes"))) for e in _listed(printed, "Events")],
        "links": [_ids_of_go(link["SpanContext"]) for link in _listed(printed, "Links")],
    }
    resource = {"attributes": write_attributes(_values_of(printed.get("Resource")))}
    return resource, str(scope.get("Name") or ""), canonical_span(span)


def _ids_of_go(context: Mapping[str, Any]) -> dict[str, Any]:
    return {"traceId": context["TraceID"], "spanId": context["SpanID"]}


def _scope_of_go(printed: Mapping[str, Any]) -> Mapping[str, Any]:
    return printed.get("InstrumentationScope") or printed.get("InstrumentationLibrary") or {}


def _values_of(pairs: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {pair["Key"]: pair["Value"]["Value"] for pair in pairs or ()}
