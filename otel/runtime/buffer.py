"""Ended spans wait here for delivery; bounded, for a handler that makes many must not run out of memory by them."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Buffer"]


class Buffer(SpanProcessor):
    """The SDK's end of the pipe. Without a thread or a timer: the runtime says when to deliver."""

    def __init__(self, size: int) -> None:
        self._spans: deque[ReadableSpan] = deque(maxlen=size)
        self._dropped = 0
        self._lock = Lock()  # handlers end spans on threads of their own

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span; when full, the oldest makes room."""
        with self._lock:
            self._dropped += len(self._spans) == self._spans.maxlen
            self._spans.append(span)

    def drain(self) -> tuple[list[ReadableSpan], int]:
        """Take out all that waits, and the number of spans dropped since the last time."""
        with self._lock:
            taken = list(self._spans), self._dropped
            self._spans.clear()
            self._dropped = 0
        return taken
