"""The callers of an invocation: the parent in an API's headers, and the senders of messages as links.

Headers are trusted only with LAMBDA_LATENCY_TRUST_HEADERS: any caller can write them, and so choose the trace, hide
requests or force their sampling. A batch of messages has many senders but an invocation has one parent, so senders are
links of the span. X-Ray's header is `AWSTraceHeader` of a message and `trace-header` of an event of EventBridge.
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Link, SpanContext, TraceFlags

from lambda_latency.runtime.propagation import parsed

MOST_LINKS = 128  # links of a span: OpenTelemetry's own limit
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def callers_parent(event: object) -> SpanContext | None:
    """Return the parent from `traceparent`, else `X-Amzn-Trace-Id`, of an API's event; None without a valid one."""
    headers: Any = event.get("headers") if isinstance(event, Mapping) else None
    if not isinstance(headers, Mapping):
        return None
    by_name = {key.lower(): value for key, value in headers.items() if isinstance(key, str) and isinstance(value, str)}
    match = TRACEPARENT.fullmatch(by_name.get("traceparent", "").strip())
    if match is not None:
        flags = TraceFlags(int(match[3], 16) & TraceFlags.SAMPLED)
        return SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=flags)
    return parsed(by_name.get("x-amzn-trace-id", ""))[0]


def links(event: object) -> list[Link]:
    """Return a link for each sender, in the order of the records. Records without a valid header have none."""
    if not isinstance(event, Mapping):
        return []
    records = event.get("Records")
    parents: dict[tuple[int, int], SpanContext] = {}
    for record in records if isinstance(records, list) else [event]:
        header = tracing_header(record) if isinstance(record, Mapping) else None
        parent = parsed(header)[0] if isinstance(header, str) else None
        if parent is not None:
            parents.setdefault((parent.trace_id, parent.span_id), parent)
        if len(parents) == MOST_LINKS:
            break
    return [Link(context) for context in parents.values()]


def tracing_header(record: Mapping[str, Any]) -> object:
    """Return the tracing header of a record of SQS or SNS, or of an event of EventBridge; None if there is none."""
    attributes = record.get("attributes")
    if record.get("eventSource") == "aws:sqs" and isinstance(attributes, Mapping):
        return attributes.get("AWSTraceHeader")
    notification = record.get("Sns")
    if record.get("EventSource") == "aws:sns" and isinstance(notification, Mapping):
        named = notification.get("MessageAttributes")
        attribute = named.get("AWSTraceHeader") if isinstance(named, Mapping) else None
        return attribute.get("Value") if isinstance(attribute, Mapping) else None
    return record.get("trace-header") if "detail-type" in record else None
