"""Explains an alarm from the traces of its window: the cause, its owner, and the remedy."""

from lambda_latency.alarm.event import Alarm, last_ring, read_event
from lambda_latency.alarm.evidence import Evidence, fetched
from lambda_latency.alarm.explanation import explain
from lambda_latency.alarm.message import Hyperlink, clock, message_of, page_of, plain_text
from lambda_latency.alarm.sinks import rendered

__all__ = [
    "Alarm",
    "Evidence",
    "Hyperlink",
    "clock",
    "explain",
    "fetched",
    "last_ring",
    "message_of",
    "page_of",
    "plain_text",
    "read_event",
    "rendered",
]
