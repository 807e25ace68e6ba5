"""All ways by which spans leave: after a response, on the way in a long invocation, and shortly before a deadline."""

from __future__ import annotations

import math
import sys
from importlib import import_module
from threading import Lock
from time import time, time_ns
from typing import TYPE_CHECKING

from lambda_latency.runtime.completion import complete
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.recorder import about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from lambda_latency.runtime.buffer import Buffer
    from lambda_latency.runtime.deadline import Running
    from lambda_latency.runtime.recorder import Recorder
    from lambda_latency.runtime.redaction import Redaction
    from lambda_latency.runtime.settings import Settings
    from lambda_latency.runtime.sinks import Sink, Urgent

__all__ = ["Outbox"]

SWITCH_S = 0.0001  # at Python's own 5 ms each of our system calls would cost that, while the handler computes
HELD_S = 0.05
EVERY_S = 2.0
NEEDED_THEN = ("lambda_latency.runtime.alarm", "lambda_latency.runtime.urgent")


class Outbox:
    """What has ended and what is open, and who takes it. One delivery at a time."""

    def __init__(
        self,
        buffer: Buffer[ReadableSpan],
        recorder: Recorder,
        redaction: Redaction,
        sink: Sink,
        urgent: Urgent | None,
        settings: Settings,
    ) -> None:
        self._buffer = buffer
        self._recorder = recorder
        self._redaction = redaction
        self._sink = sink
        self._urgent = urgent or self._without_hurry
        self._settings = settings
        # A delivery on the way must be over when it is time for the last one.
        self._bound_s = max(settings.first_flush_ms, settings.flush_ms) / 1000
        self._seen: Running | None = None
        self._delivering = Lock()
        self._told: set[int] = set()  # open spans of this invocation that have left already
        self._next = self._half = math.inf  # when to look again: at what has ended, at what is open

    def shutdown(self) -> None:
        """Let the sink go."""
        self._sink.shutdown()

    def disconnect(self) -> None:
        """Let the sink close its connection, if it has one: the next delivery opens another."""
        close = getattr(self._sink, "disconnect", None)
        if close is not None:
            close()

    def after_response(self, *, held: bool) -> None:
        """Deliver what has ended. `held`: the response waits for it, so it must not wait for a delivery under way."""
        if not self._delivering.acquire(timeout=HELD_S if held else -1):
            return
        try:
            self._leave(whole=False)
        finally:
            self._delivering.release()

    def on_the_way(self, running: Running, left_s: float) -> float:
        """Deliver what has ended in a long invocation, and what is open above it, lest a kill leave orphans.

        Called by the watch, with the seconds that are left until the alarm; returns in how many to call again.
        """
        if self._seen is None:
            for name in NEEDED_THEN:  # now that an invocation takes long: there may be no time for it later
                import_module(name)
        if self._seen is None or self._seen.span is not running.span:
            self._seen = running
            self._told.clear()
            self._next = running.begun + EVERY_S
            half = running.begun + (running.deadline - running.begun) / 2
            self._half = half if self._settings.half_time else math.inf
        now = time()
        if now >= self._half:
            self._half = math.inf
            self._told.clear()
            with self._delivering:
                self._leave(whole=True)
        elif now >= self._next:
            self._next = now + EVERY_S
            if len(self._buffer) and left_s > self._bound_s:
                with self._delivering:
                    self._leave(whole=True)
        return min(self._next, self._half) - time()

    def _leave(self, *, whole: bool) -> None:
        """What has ended leaves, and what is open above it, lest a kill leave orphans; or all that is open."""
        # First looked at, then drained: what ends in between is in both, and goes as ended.
        spans = [span for span, _ in self._recorder.open_spans() if identity(span) not in self._told]
        ended = self._ended()
        above = self._above(ended, spans, whole=whole) if spans else []
        self._sink.export(self._ready([*above, *ended]))

    def _above(self, ended: Sequence[ReadableSpan], spans: Sequence[Span], *, whole: bool) -> list[ReadableSpan]:
        from lambda_latency.runtime.alarm import provisional

        done = {identity(span) for span in ended}
        parents = {span.parent.span_id for span in ended if span.parent is not None}
        now_ns = time_ns()
        above = []
        for span in reversed(spans):  # what is above another span began before it
            if identity(span) not in done and (whole or identity(span) in parents):
                above.append(provisional(span, now_ns, {}))
                if span.parent is not None:
                    parents.add(span.parent.span_id)
        self._told.update(map(identity, above))
        return above[::-1]

    def at_deadline(self, running: Running) -> None:
        """Deliver what has ended and what is open, now: the process will be killed. Called by the watch."""
        usual = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        try:
            self._tell(running)
        finally:
            sys.setswitchinterval(usual)

    def _tell(self, running: Running) -> None:
        from lambda_latency.runtime.alarm import at_deadline

        # In this order, as in `_leave`.
        spans = self._recorder.open_spans()
        if running.span_id not in {identity(span) for span, _ in spans}:
            return  # it has just made it
        told = at_deadline(running, spans, time_ns(), self._settings.value_length)
        with self._delivering:
            ended = self._ended()
            done = {identity(span) for span in ended}
            leaving = [*(span for span in told if identity(span) not in done), *ended]
            if not self._urgent(self._ready(leaving), running.deadline - time()):
                for span in ended:
                    self._buffer.add(span, about(span))

    def _ready(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        complete(spans)
        return self._redaction.clean(spans)

    def _ended(self) -> list[ReadableSpan]:
        spans, dropped = self._buffer.drain()
        if dropped:
            warn(f"{dropped} spans were dropped in one invocation; "
                 "LAMBDA_LATENCY_BUFFERED_SPANS and LAMBDA_LATENCY_BUFFERED_KB are the limits")  # fmt: skip
        return spans

    def _without_hurry(self, spans: Sequence[ReadableSpan], _seconds: float, /) -> bool:
        self._sink.export(spans)
        return True


def identity(span: ReadableSpan) -> int:
    """The span's own id."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id
