"""What the console exporters of OpenTelemetry's SDKs print: Python's `ConsoleSpanExporter`, and Go's `stdouttrace`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lambda_latency.trace.anyvalue import write_attributes
from lambda_latency.trace.dialects import canonical_span
from lambda_latency.trace.instants import instant_ns
from lambda_latency.trace.transcoded import Problem, grouped

__all__ = ["go_resources", "is_go", "is_python", "python_resources"]

_decode = msgspec.json.Decoder().decode
ZERO = "0001-01-01T00:00:00Z"  # Go's time that was never set


def is_python(members: Mapping[str, object]) -> bool:
    """Whether an object's members are those of a span that Python printed."""
    return "context" in members and ("start_time" in members or "parent_id" in members)


def python_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The span that Python printed."""
    told = _decode(document)
    try:
        resource = told.get("resource") or {}
        attributes = resource.get("attributes") if isinstance(resource, dict) else {}
        status = told.get("status") or {}
        span = {
            "traceId": told["context"]["trace_id"],
            "spanId": told["context"]["span_id"],
            "parentSpanId": told.get("parent_id"),
            "name": told.get("name"),
            "kind": told.get("kind"),
            "startTimeUnixNano": instant_ns(told["start_time"]),
            "endTimeUnixNano": instant_ns(told["end_time"]) if told.get("end_time") else 0,
            "status": {"code": status.get("status_code"), "message": status.get("description")},
            "attributes": told.get("attributes"),
            "events": [
                {"name": one["name"], "timeUnixNano": instant_ns(one["timestamp"]), "attributes": one.get("attributes")}
                for one in told.get("events") or ()
            ],
            "links": [
                {"traceId": one["context"]["trace_id"], "spanId": one["context"]["span_id"]}
                for one in told.get("links") or ()
            ],
        }
        return grouped([({"attributes": write_attributes(attributes or {})}, "", canonical_span(span))])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem(f"not a span of Python's console exporter: {_why(error)}")
        return []


def is_go(members: Mapping[str, object]) -> bool:
    """Whether an object's members are those of a span that Go printed."""
    return "SpanContext" in members


def go_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The span that Go printed."""
    told = _decode(document)
    try:
        parent = told.get("Parent") or {}
        status = told.get("Status") or {}
        scope = told.get("InstrumentationScope") or told.get("InstrumentationLibrary") or {}
        span = {
            "traceId": told["SpanContext"]["TraceID"],
            "spanId": told["SpanContext"]["SpanID"],
            "parentSpanId": _id(parent.get("SpanID")),
            "flags": 0x300 if parent.get("Remote") else 0,
            "name": told.get("Name"),
            "kind": told.get("SpanKind"),
            "startTimeUnixNano": instant_ns(told["StartTime"]),
            "endTimeUnixNano": instant_ns(told["EndTime"]) if told.get("EndTime") not in (None, ZERO) else 0,
            "status": {"code": status.get("Code"), "message": status.get("Description")},
            "attributes": _pairs(told.get("Attributes")),
            "events": [
                {
                    "name": one.get("Name"),
                    "timeUnixNano": instant_ns(one.get("Time")),
                    "attributes": _pairs(one.get("Attributes")),
                }
                for one in told.get("Events") or ()
            ],
            "links": [
                {"traceId": one["SpanContext"]["TraceID"], "spanId": one["SpanContext"]["SpanID"]}
                for one in told.get("Links") or ()
            ],
        }
        resource = {"attributes": write_attributes(_pairs(told.get("Resource")))}
        return grouped([(resource, str(scope.get("Name") or ""), canonical_span(span))])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem(f"not a span of Go's stdouttrace: {_why(error)}")
        return []


def _id(text: Any) -> Any:
    return text if isinstance(text, str) and text.strip("0") else None


def _pairs(told: Any) -> dict[str, Any]:
    return {str(one["Key"]): one["Value"].get("Value") for one in told or ()}


def _why(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
