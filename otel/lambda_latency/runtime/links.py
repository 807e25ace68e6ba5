"""Who sent the records of an event: the tracing headers on SQS, SNS and EventBridge messages, as links of our span.

A batch has many senders and an invocation one parent, so they are links. X-Ray puts the header into the message's
`AWSTraceHeader`; EventBridge calls it `trace-header`.
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Link, SpanContext

from lambda_latency.runtime.propagation import remote_parent

__all__ = ["links"]

MOST = 128  # OpenTelemetry's own limit for a span


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
