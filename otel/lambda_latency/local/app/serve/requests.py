"""Joins requests and events with their spans, to print each as it ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.trace import FUNCTION, Span, Trace

MOST = 10_000  # traces with ended invocations that are not printed yet
SPANS_WAIT_S = 2  # for the spans of one request after its response; longer only if an extension is slow


class Requests:
    """Joins the gateway's record of a request with its spans, and prints both when they are complete.

    A trace may have several events: the first of them gets the spans of all events that have ended.
    """

    def __init__(self, show: Callable[[Answered, Trace | None], None]) -> None:
        self._show = show
        self._changed = threading.Condition()
        self._spans: dict[str, list[Span]] = {}
        self._ended: dict[str, int] = {}  # invocations of a trace that are not printed yet
        self._closing = False
        self._answered: queue.SimpleQueue[Answered | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
        self._thread.start()

    def answered(self, request: Answered) -> None:
        self._answered.put(request)

    def spans(self, spans: list[Span]) -> None:
        with self._changed:
            for span in spans:
                self._spans.setdefault(span.trace_id, []).append(span)
                if span.origin == FUNCTION:
                    self._ended[span.trace_id] = self._ended.pop(span.trace_id, 0) + 1
            while len(self._ended) > MOST:
                del self._ended[next(iter(self._ended))]
            self._changed.notify_all()

    def close(self) -> None:
        """Print the answered requests with the spans received so far, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._answered.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (request := self._answered.get()) is not None:
            with self._changed:
                if request.sampled and request.reached_lambda:
                    self._changed.wait_for(lambda: self._closing or request.trace_id in self._ended, SPANS_WAIT_S)
                    left = self._ended.pop(request.trace_id, 1) - 1
                    if left:
                        self._ended[request.trace_id] = left
                spans = self._spans.pop(request.trace_id, [])
            self._show(request, Trace(spans) if spans else None)
