"""Reads spans that Python's `ConsoleSpanExporter` printed.

Phoenix, which stores the spans of agents, exports them with the names of Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import canonical_span
from lambda_latency.trace.readers.instants import time_ns
from lambda_latency.trace.readers.otlp import Problem, grouped

__all__ = ["is_python", "python_resources"]

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


def _why(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
