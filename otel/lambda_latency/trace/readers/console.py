"""Reads spans that the console exporters of Python (`ConsoleSpanExporter`) and of Go (`stdouttrace`) printed.

Phoenix, which stores the spans of agents, exports them with the names of Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import canonical_span
from lambda_latency.trace.readers.instants import time_ns
from lambda_latency.trace.readers.otlp import Problem, grouped

_decode = msgspec.json.Decoder().decode


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


def is_go(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a span that Go printed."""
    return "SpanContext" in members and "StartTime" in members


def go_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The span that Go printed, as the resources of OTLP/JSON.

    The list is empty, and `problem` is called with the reason, if the span cannot be read.
    """
    printed = _decode(document)
    try:
        parent, status = printed.get("Parent") or {}, printed.get("Status") or {}
        scope = printed.get("InstrumentationScope") or printed.get("InstrumentationLibrary") or {}
        if str(printed["StartTime"]).startswith("0001-"):
            raise ValueError("it was printed without its times (WithoutTimestamps)")
        span = {
            "traceId": printed["SpanContext"]["TraceID"],
            "spanId": printed["SpanContext"]["SpanID"],
            "parentSpanId": str(parent.get("SpanID") or "").strip("0") and parent["SpanID"],
            "name": printed.get("Name"),
            "kind": printed.get("SpanKind"),
            "startTimeUnixNano": time_ns(printed["StartTime"]),
            "endTimeUnixNano": time_ns(printed["EndTime"]) if printed.get("EndTime") else 0,
            "status": {"code": status.get("Code"), "message": status.get("Description")},
            "attributes": _of_go(printed.get("Attributes")),
            "events": [
                {
                    "name": event["Name"],
                    "timeUnixNano": time_ns(event["Time"]),
                    "attributes": _of_go(event.get("Attributes")),
                }
                for event in printed.get("Events") or ()
            ],
            "links": [
                {"traceId": link["SpanContext"]["TraceID"], "spanId": link["SpanContext"]["SpanID"]}
                for link in printed.get("Links") or ()
            ],
        }
        resource = {"attributes": write_attributes(_of_go(printed.get("Resource")))}
        return grouped([(resource, str(scope.get("Name") or ""), canonical_span(span))])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem(f"not a span of Go's stdouttrace: {_why(error)}")
        return []


def _of_go(pairs: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {pair["Key"]: pair["Value"]["Value"] for pair in pairs or ()}


def _why(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
