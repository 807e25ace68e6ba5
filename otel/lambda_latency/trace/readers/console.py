"""Reads spans that console exporters printed: Python's and PHP's `ConsoleSpanExporter`, and Go's `stdouttrace`.

Phoenix, which stores the spans of agents, exports them with the names of Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import canonical_span
from lambda_latency.trace.readers.instants import instant_ns, time_ns
from lambda_latency.trace.readers.transcoded import Problem, grouped

__all__ = ["go_resources", "is_go", "is_php", "is_python", "php_resources", "python_resources"]

_decode = msgspec.json.Decoder().decode
ZERO = "0001-01-01T00:00:00Z"  # Go's zero time
GO_CODES: Mapping[Any, int] = {1: 2, 2: 1}  # Go's numbers of Error and Ok: those of OTLP


def is_python(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a span that Python printed."""
    return "context" in members and ("start_time" in members or "parent_id" in members)


def python_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The span that Python printed, as the resources of OTLP/JSON.

    The list is empty, and `problem` is called with the reason, if the span cannot be read.
    """
    printed = _decode(document)
    try:
        resource = printed.get("resource") or {}
        attributes = resource.get("attributes") if isinstance(resource, dict) else {}
        status = printed.get("status") or printed
        kind = {"openinference.span.kind": printed["span_kind"]} if printed.get("span_kind") else {}
        span = {
            "traceId": printed["context"]["trace_id"],
            "spanId": printed["context"]["span_id"],
            "parentSpanId": printed.get("parent_id"),
            "name": printed.get("name"),
            "kind": printed.get("kind"),
            "startTimeUnixNano": time_ns(printed["start_time"]),
            "endTimeUnixNano": time_ns(printed["end_time"]) if printed.get("end_time") else 0,
            "status": {"code": status.get("status_code"), "message": status.get("description")},
            "attributes": {**kind, **(printed.get("attributes") or {})},
            "events": [
                {
                    "name": event["name"],
                    "timeUnixNano": time_ns(event["timestamp"]),
                    "attributes": event.get("attributes"),
                }
                for event in printed.get("events") or ()
            ],
            "links": [
                {"traceId": link["context"]["trace_id"], "spanId": link["context"]["span_id"]}
                for link in printed.get("links") or ()
            ],
        }
        return grouped([({"attributes": write_attributes(attributes or {})}, "", canonical_span(span))])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem(f"not a span of Python's console exporter: {_why(error)}")
        return []


def is_php(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a span that PHP printed."""
    return "context" in members and "start" in members


def php_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The span that PHP printed, as the resources of OTLP/JSON.

    The list is empty, and `problem` is called with the reason, if the span cannot be read.
    """
    printed = _decode(document)
    try:
        status = printed.get("status") or {}
        span = {
            "traceId": printed["context"]["trace_id"],
            "spanId": printed["context"]["span_id"],
            "parentSpanId": printed.get("parent_span_id"),
            "name": printed.get("name"),
            "kind": str(printed.get("kind")).removeprefix("KIND_"),
            "startTimeUnixNano": printed["start"],
            "endTimeUnixNano": printed.get("end") or 0,
            "status": {"code": status.get("code"), "message": status.get("description")},
            "attributes": printed.get("attributes") or {},  # PHP prints an empty object as a list
            "events": [
                {
                    "name": event["name"],
                    "timeUnixNano": event["timestamp"],
                    "attributes": event.get("attributes") or {},
                }
                for event in printed.get("events") or ()
            ],
            "links": [
                {"traceId": link["context"]["trace_id"], "spanId": link["context"]["span_id"]}
                for link in printed.get("links") or ()
            ],
        }
        resource = {"attributes": write_attributes(printed.get("resource") or {})}
        return grouped([(resource, "", canonical_span(span))])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem(f"not a span of PHP's console exporter: {_why(error)}")
        return []


def is_go(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a span that Go printed."""
    return "SpanContext" in members


def go_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The span that Go printed, as the resources of OTLP/JSON.

    The list is empty, and `problem` is called with the reason, if the span cannot be read.
    """
    printed = _decode(document)
    try:
        parent = printed.get("Parent") or {}
        status = printed.get("Status") or {}
        scope = printed.get("InstrumentationScope") or printed.get("InstrumentationLibrary") or {}
        span = {
            "traceId": printed["SpanContext"]["TraceID"],
            "spanId": printed["SpanContext"]["SpanID"],
            "parentSpanId": _id(parent.get("SpanID")),
            "flags": 0x300 if parent.get("Remote") else 0,
            "name": printed.get("Name"),
            "kind": printed.get("SpanKind"),
            "startTimeUnixNano": instant_ns(printed["StartTime"]),
            "endTimeUnixNano": instant_ns(printed["EndTime"]) if printed.get("EndTime") not in (None, ZERO) else 0,
            "status": {
                "code": GO_CODES.get(status.get("Code"), status.get("Code")),
                "message": status.get("Description"),
            },
            "attributes": _pairs(printed.get("Attributes")),
            "events": [
                {
                    "name": event.get("Name"),
                    "timeUnixNano": instant_ns(event.get("Time")),
                    "attributes": _pairs(event.get("Attributes")),
                }
                for event in printed.get("Events") or ()
            ],
            "links": [
                {"traceId": link["SpanContext"]["TraceID"], "spanId": link["SpanContext"]["SpanID"]}
                for link in printed.get("Links") or ()
            ],
        }
        resource = {"attributes": write_attributes(_pairs(printed.get("Resource")))}
        return grouped([(resource, str(scope.get("Name") or ""), canonical_span(span))])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem(f"not a span of Go's stdouttrace: {_why(error)}")
        return []


def _id(text: Any) -> Any:
    return text if isinstance(text, str) and text.strip("0") else None


def _pairs(pairs: Any) -> dict[str, Any]:
    return {str(pair["Key"]): pair["Value"].get("Value") for pair in pairs or ()}


def _why(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
