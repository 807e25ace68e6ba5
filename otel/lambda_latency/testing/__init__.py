"""Span trees as tests: an expectation is a tree literal; a failure prints the tree with a sign at each difference.

Names are loaded on first use: pytest imports this package in every project where the kit is installed, and loading all
names would delay each run there by 0.45 s.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.testing.clock import Clock
    from lambda_latency.testing.events import api_event, dynamodb_event, eventbridge_event, sqs_event
    from lambda_latency.testing.expectation import Expectation, any_order, concurrent, event, span
    from lambda_latency.testing.expected import at_most, ms, remote
    from lambda_latency.testing.invoking import Invoke
    from lambda_latency.testing.kinds import CLIENT, CONSUMER, ERROR, INTERNAL, OK, PRODUCER, SERVER, UNSET
    from lambda_latency.testing.recording import Recording, recorded
    from lambda_latency.testing.snapshot import Snapshot, snapshot_of

__all__ = [
    "CLIENT",
    "CONSUMER",
    "ERROR",
    "INTERNAL",
    "OK",
    "PRODUCER",
    "SERVER",
    "UNSET",
    "Clock",
    "Expectation",
    "Invoke",
    "Recording",
    "Snapshot",
    "any_order",
    "api_event",
    "at_most",
    "concurrent",
    "dynamodb_event",
    "event",
    "eventbridge_event",
    "ms",
    "recorded",
    "remote",
    "snapshot_of",
    "span",
    "sqs_event",
]

MODULES = {
    "clock": ("Clock",),
    "events": ("api_event", "dynamodb_event", "eventbridge_event", "sqs_event"),
    "expectation": ("Expectation", "any_order", "concurrent", "event", "span"),
    "invoking": ("Invoke",),
    "expected": ("at_most", "ms", "remote"),
    "kinds": ("CLIENT", "CONSUMER", "ERROR", "INTERNAL", "OK", "PRODUCER", "SERVER", "UNSET"),
    "recording": ("Recording", "recorded"),
    "snapshot": ("Snapshot", "snapshot_of"),
}


def __getattr__(name: str) -> object:
    """A public name, from its module."""
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"lambda_latency.testing.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
