"""All ways by which spans leave: after a response, on the way in a long invocation, and shortly before a deadline."""

from __future__ import annotations

import threading
from importlib import import_module
from time import time, time_ns
from typing import TYPE_CHECKING

from lambda_latency.runtime.copies import identity
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, TypeAlias

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.deadline import Running
    from lambda_latency.runtime.recorder import Recorder
    from lambda_latency.runtime.redaction import Redaction
    from lambda_latency.runtime.settings import Settings

    class Sink(Protocol):  # to make one costs more than importing a module
        """Where ended spans go. The SDK's exporters, the in-memory one among them, are sinks as they are."""

        def export(self, spans: Sequence[ReadableSpan], /) -> object:
            """Take spans; False says that some still wait for delivery. No spans: the time to deliver those."""

        def shutdown(self) -> None:
            """Let go of connections."""

    Urgent: TypeAlias = Callable[[Sequence[ReadableSpan], float], bool]
    """Delivers in so many seconds; False if the spans were not taken."""

__all__ = ["Outbox"]

SHORT_S = 0.05
EVERY_S = 2.0
# With so much of the time to the alarm left: the watch looks twice on the way to it, and what ends long before a
# deadline, as a first request often does after a second, should not pay for it.
REHEARSAL_SHARE = 0.75


class Outbox:
    """Takes what has ended from the buffer and gives it to the sink. One delivery at a time.

    `killed` says whether Lambda kills the process at an invocation's deadline; on Managed Instances it does not.
    """

    def __init__(
        self,
        recorder: Recorder,
        redaction: Redaction,
        sink: Sink,
        urgent: Urgent | None,
        settings: Settings,
        *,
        killed: bool = True,
    ) -> None:
        self._recorder = recorder
        self._redaction = redaction
        self._sink = sink
        self._urgent = urgent or self._by_the_sink
        self._settings = settings
        self._killed = killed
        # A delivery on the way must be over when it is time for the last one.
        self._bound_s = max(settings.first_flush_ms, settings.flush_ms) / 1000
        self._seen: Running | None = None
        self._rehearsed = False
        self._next = 0.0
        self._delivering = threading.Lock()

    def shutdown(self) -> None:
        """Let the sink go."""
        self._sink.shutdown()

    def disconnect(self) -> None:
        """Let the sink close its connection: the next delivery opens another. Those of the SDK have no such method."""
        getattr(self._sink, "disconnect", list)()

    def renew(self) -> None:
        """Take a lock of the kind that `threading` makes now, which nobody holds: after a fork, and under gevent."""
        self._delivering = threading.Lock()

    def forked(self) -> None:
        """This process is a child: what the sink holds, and its connection, are its parent's."""
        self.renew()
        getattr(self._sink, "forget", list)()

    def flush(self, seconds: float = -1) -> bool:
        """Deliver what has ended; False where not all was taken, or another delivery takes longer than `seconds`.

        Without bound where they are -1, and never shorter than a short delivery takes.
        """
        if not self._delivering.acquire(timeout=seconds if seconds == -1 else max(seconds, SHORT_S)):
            return False
        try:
            return self._sink.export(self._ready(self._ended())) is not False
        finally:
            self._delivering.release()

    def on_the_way(self, running: Running, left_s: float) -> float:
        """Deliver what has ended in a long invocation, lest a kill for want of memory takes it.

        Called by the watch, with the seconds that are left until the alarm; returns in how many to call again.
        """
        if not self._rehearsed and left_s < REHEARSAL_SHARE * (running.alarm - running.begun):
            from lambda_latency.runtime.interpreter import hurried

            self._rehearsed = True
            with hurried():
                self._rehearse(running)
        if self._seen is None or self._seen.span is not running.span:
            self._seen = running
            self._next = running.begun + EVERY_S
        now = time()
        if now >= self._next:
            self._next = now + EVERY_S
            if len(self._recorder.buffer) and running.alarm - now > self._bound_s:
                self.flush()
        return self._next - time()

    def at_deadline(self, running: Running) -> None:
        """Deliver what has ended and what is open, now: the process will be killed. Called by the watch."""
        from lambda_latency.runtime.interpreter import held

        with held():
            self._tell(running)

    def _tell(self, running: Running) -> None:
        from lambda_latency.runtime.alarm import ended_now, marks_of, write
        from lambda_latency.runtime.interpreter import hurried

        # First looked at, then drained: what ends in between is in both, and goes as ended.
        spans = self._recorder.open_spans()
        if running.span_id not in {identity(span) for span, _ in spans}:
            return  # it has just made it
        marks = marks_of(running, spans, self._settings.value_length)
        if not self._killed:
            write(spans, marks)
            return
        told = ended_now(spans, marks, time_ns())
        # Not for ever: the function may be waiting for a delivery of its own, and that for its answer.
        with hurried():
            alone = self._delivering.acquire(timeout=max(0.0, (running.deadline - time()) / 2))
        try:
            ended = self._ended()
            done = {identity(span) for span in ended}
            leaving = [*(span for span in told if identity(span) not in done), *ended]
            ready = self._ready(leaving)
            with hurried():
                taken = self._urgent(ready, running.deadline - time())
            if not taken:
                for span in ended:
                    self._recorder.keep(span)
        finally:
            if alone:
                self._delivering.release()

    def _rehearse(self, running: Running) -> None:
        """All but the delivery, now that an invocation has used much of its time: imports, source lines, patterns.

        Beside a handler that computes they would take most of the time that is left at the alarm, or more.
        """
        import_module("lambda_latency.runtime.urgent")
        from lambda_latency.runtime.alarm import ended_now, marks_of

        spans = self._recorder.open_spans()
        if running.span_id in {identity(span) for span, _ in spans}:
            self._ready(ended_now(spans, marks_of(running, spans, self._settings.value_length), time_ns()))

    def _ready(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        return self._redaction.clean(spans)

    def _ended(self) -> list[ReadableSpan]:
        spans, dropped = self._recorder.buffer.drain()
        if dropped:
            warn(f"{dropped} spans were dropped in one invocation; "
                 "LAMBDA_LATENCY_BUFFERED_SPANS and LAMBDA_LATENCY_BUFFERED_KB are the limits")  # fmt: skip
        return spans

    def _by_the_sink(self, spans: Sequence[ReadableSpan], _seconds: float, /) -> bool:
        self._sink.export(spans)
        return True
