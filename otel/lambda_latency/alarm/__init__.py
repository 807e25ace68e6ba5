"""Explains an alarm from the traces of its window: the cause, its owner, and the remedy."""

from lambda_latency.alarm.chat import FORMATS, rendered
from lambda_latency.alarm.event import Alarm, read_change, read_event
from lambda_latency.alarm.evidence import Evidence, fetched
from lambda_latency.alarm.explanation import Explanation, explain
from lambda_latency.alarm.history import last_ring
from lambda_latency.alarm.message import Link, clock, message_of
from lambda_latency.alarm.pages import page_of
from lambda_latency.alarm.part import TEMPLATE, PartError, install_packages, part_template, write_function, write_part

__all__ = [
    "FORMATS",
    "TEMPLATE",
    "Alarm",
    "Evidence",
    "Explanation",
    "Link",
    "PartError",
    "clock",
    "explain",
    "fetched",
    "install_packages",
    "last_ring",
    "message_of",
    "page_of",
    "part_template",
    "read_change",
    "read_event",
    "rendered",
    "write_function",
    "write_part",
]
