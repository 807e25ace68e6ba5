"""Who called: the parent that an API's caller names, and the senders of messages.

Any caller can write headers: who trusts them (LAMBDA_LATENCY_TRUST_HEADERS) lets callers choose the trace, hide their
requests and force their sampling. A batch of messages has many senders and an invocation one parent, so those are links
of our span. X-Ray puts the header into a message's `AWSTraceHeader`; EventBridge calls it `trace-header`.
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Link, SpanContext, TraceFlags

from lambda_latency.runtime.propagation import remote_parent

__all__ = ["callers_parent", "links"]

MOST = 128  # links of a span: OpenTelemetry's own limit
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def callers_parent(event: object) -> SpanContext | None:
    """`traceparent` before `X-Amzn-Trace-Id`, in an API's event; None where neither is whole."""
    headers: Any = event.get("headers") if isinstance(event, Mapping) else None
    if not isinstance(headers, Mapping):
        return None
    given = {key.lower(): value for key, value in headers.items() if isinstance(key, str) and isinstance(value, str)}
    match = TRACEPARENT.fullmatch(given.get("traceparent", "").strip())
    if match is not None:
        flags = TraceFlags(int(match[3], 16) & TraceFlags.SAMPLED)
        return SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=flags)
    return remote_parent(given.get("x-amzn-trace-id", ""))


def links(event: object) -> list[Link]:
    """One for each sender, in the order of the records; a header that says nothing makes none."""
    if not isinstance(event, Mapping):
        return []
    records = event.get("Records")
    found: dict[tuple[int, int], SpanContext] = {}
    for record in records if isinstance(records, list) else [event]:
        header = tracing_header(record) if isinstance(record, Mapping) else None
        parent = remote_parent(header) if isinstance(header, str) else None
        if parent is not None:
            found.setdefault((parent.trace_id, parent.span_id), parent)
        if len(found) == MOST:
            break
    return [Link(context) for context in found.values()]


def tracing_header(record: Mapping[str, Any]) -> object:
    """The header of a record of SQS or SNS, or of an event of EventBridge."""
    attributes = record.get("attributes")
    if record.get("eventSource") == "aws:sqs" and isinstance(attributes, Mapping):
        return attributes.get("AWSTraceHeader")
    notification = record.get("Sns")
    if record.get("EventSource") == "aws:sns" and isinstance(notification, Mapping):
        named = notification.get("MessageAttributes")
        one = named.get("AWSTraceHeader") if isinstance(named, Mapping) else None
        return one.get("Value") if isinstance(one, Mapping) else None
    return record.get("trace-header") if "detail-type" in record else None
