"""Delivers spans: after a response, during a long invocation, and shortly before a deadline."""

from __future__ import annotations

import threading
from collections import deque
from math import inf
from time import time, time_ns
from typing import TYPE_CHECKING

from lambda_latency.runtime.copies import identity
from lambda_latency.runtime.deadline.interpreter import held, hurried
from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Protocol

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.deadline.running import Running
    from lambda_latency.runtime.recorder import Recorder
    from lambda_latency.runtime.settings import Settings

    # Not at runtime: the creation of a Protocol costs more than the import of a module
    class Sink(Protocol):
        """The destination of spans. It gets them as they were recorded, and redacts them as it encodes them."""

        def export(self, spans: Iterable[ReadableSpan], seconds: float = inf, /) -> object:
            """Deliver the spans and those that still wait, within some seconds; returns False if some wait afterwards.

            The encoding takes a part of the seconds; `spans` ends when that part is over.
            """

        def urgent(self, spans: Iterable[ReadableSpan], seconds: float = inf, /) -> Callable[[float], str]:
            """Encode spans, redacted in at most `seconds`; returns the function that delivers only these.

            It takes seconds, and returns why they are not accepted, empty if they are.
            """

        def shutdown(self) -> None:
            """Close connections."""


SHORT_S = 0.05
# Between a delivery and the deadline; the share counts below a second
MARGIN_S, MARGIN_SHARE = 0.1, 0.1
EVERY_S = 2.0
# The share of the time to the alarm that is left at the rehearsal. The watch looks twice before the alarm; a request
# that ends long before its deadline, as a first request often does after a second, must not pay for the rehearsal.
REHEARSAL_SHARE = 0.75


class Outbox:
    """Moves ended spans from the buffer to the sink, one delivery at a time. `killed`: deadlines end the process."""

    def __init__(self, recorder: Recorder, sink: Sink, settings: Settings, *, killed: bool = True) -> None:
        self._recorder, self._sink, self._settings, self._killed = recorder, sink, settings, killed
        # A delivery during an invocation must end before the one at its deadline.
        self._bound_s = max(settings.first_flush_ms, settings.flush_ms) / 1000
        self._until = inf  # the end of deliveries, in seconds since 1970
        self._warned_late = self._waits = False  # whether spans wait in the sink
        self._watched: Running | None = None
        self._rehearsed, self._next = False, 0.0
        self._delivering = threading.Lock()

    def shutdown(self) -> None:
        """Shut the sink down."""
        self._sink.shutdown()

    def disconnect(self) -> None:
        """Close the sink's connection; the next delivery opens one. Exporters of the SDK lack this method."""
        getattr(self._sink, "disconnect", list)()

    def renew(self) -> None:
        """Replace the lock by a free one of the current kind, after a fork or after gevent has patched `threading`."""
        self._delivering = threading.Lock()

    def forked(self) -> None:
        """Adapt to a fork, in the child: the sink's spans and its connection belong to the parent."""
        self.renew()
        getattr(self._sink, "forget", list)()

    def begin(self, context: object) -> None:
        """An invocation begins: deliveries end before Lambda kills at its deadline. No `context`: the process ends."""
        self._until = inf
        left_ms = getattr(context, "get_remaining_time_in_millis", None)
        if self._killed and left_ms is not None:
            try:  # not by `suppress`: three calls more in each request
                left_s = left_ms() / 1000
                self._until = time() + left_s - min(MARGIN_S, MARGIN_SHARE * left_s)
            except Exception:  # noqa: BLE001, S110 - another context than Lambda's may have any method of this name
                pass

    def flush(self, seconds: float = inf, deadline: float = inf) -> bool:
        """Deliver the ended spans; False if some wait afterwards, or if another delivery takes over `seconds`.

        The shortest limit is the duration of a short delivery. Nothing is begun with less than that before the deadline
        of the invocation (`deadline`, in seconds since 1970, if that is sooner): the spans wait for the next delivery.
        """
        if not self._waits and not len(self._recorder.buffer):
            return True  # as after a request that is not recorded
        until = min(self._until, deadline - MARGIN_S)
        if self._is_late(until):
            return False
        limit = min(max(seconds, SHORT_S), until - time(), threading.TIMEOUT_MAX)
        if not self._delivering.acquire(timeout=limit):
            return False
        try:
            return self._export(until)
        finally:
            self._delivering.release()

    def _is_late(self, until: float) -> bool:
        """Whether there is no time for a delivery that ends at `until`."""
        if until - time() >= SHORT_S:
            return False
        if len(self._recorder.buffer) and not self._warned_late:
            self._warned_late = True
            warn("a response came so shortly before the function's timeout that its spans wait for the next delivery")
        return True

    def _export(self, until: float) -> bool:
        """Export the ended spans. Those that the encoder has no time for return to the buffer."""
        export = self._sink.export  # first, because the first use of a sink imports it
        if self._is_late(until):
            return False
        seconds = until - time()
        # Before the buffer is emptied, and until all is delivered
        self._waits = True
        spans = deque(parents_first(self._ended()))
        try:
            self._waits = export(timely(spans, time() + seconds / 2), seconds) is False or bool(spans)
            return not self._waits
        finally:
            self._recorder.put_back(spans)

    def on_the_way(self, running: Running, left_s: float) -> float:
        """Deliver ended spans during a long invocation, because a kill for lack of memory would lose them.

        The watch calls it with the seconds until the alarm. Returns the seconds until the next call.
        """
        if not self._rehearsed and left_s < REHEARSAL_SHARE * (running.alarm - running.start):
            self._rehearsed = True
            with hurried():
                self._rehearse(running)
        if self._watched is None or self._watched.span is not running.span:
            self._watched = running
            self._next = running.start + EVERY_S
        now_s = time()
        if now_s >= self._next:
            self._next = now_s + EVERY_S
            if len(self._recorder.buffer) and running.alarm - now_s > self._bound_s:
                self.flush()
        return self._next - time()

    def at_deadline(self, running: Running) -> None:
        """Deliver ended and open spans now, because the process will be killed. The watch calls it.

        An invocation that ends meanwhile needs the processor for its answer: all stops, and its spans leave as ever.
        """
        from lambda_latency.runtime.deadline.stacks import ended_now, marks_of, write

        with held():
            # The open spans are read before the buffer: a span that ends in between is in both, and is sent as ended.
            spans = self._recorder.open_spans()
            if not self._runs(running):
                return
            marks = marks_of(running, spans, self._settings.value_length)
            if not self._killed:
                write(spans, marks)
                return
            marked = [self._recorder.placed(span) for span in ended_now(spans, marks, time_ns())]
        # With a limit: the function itself may be in a delivery that waits for its answer.
        with hurried():
            alone = self._delivering.acquire(timeout=max(0.0, (running.deadline - time()) / 2))
        try:
            ended = self._ended()
            if not self._delivered(running, marked, ended):
                self._recorder.put_back(ended)
        finally:
            if alone:
                self._delivering.release()

    def _delivered(self, running: Running, marked: Sequence[ReadableSpan], ended: Sequence[ReadableSpan]) -> bool:
        """Deliver the spans of an invocation while it runs; returns whether the ended ones need no other delivery."""
        done = set(map(identity, ended))
        spans = parents_first([*(span for span in marked if identity(span) not in done), *ended])
        with held():
            running_spans = (span for span in spans if self._runs(running))
            deliver = self._sink.urgent(running_spans, (running.deadline - time()) / 2)
        if not self._runs(running):
            return False
        with hurried():
            refusal = deliver(running.deadline - time())
        if refusal and self._runs(running):
            warn(f"a timeout could not be told to {refusal}")
        return not refusal

    def _runs(self, running: Running) -> bool:
        """Whether an invocation has not ended."""
        return running.span_id in self._recorder.open

    def _rehearse(self, running: Running) -> None:
        """Do all but the delivery ahead of the alarm: imports, source lines, patterns of redaction.

        Beside a computing handler, they would take most of the time between alarm and deadline, or more.
        """
        from lambda_latency.runtime.deadline.stacks import ended_now, marks_of

        spans = self._recorder.open_spans()
        if self._runs(running):
            self._sink.urgent(ended_now(spans, marks_of(running, spans, self._settings.value_length), time_ns()))

    def _ended(self) -> list[ReadableSpan]:
        spans, dropped = self._recorder.buffer.drain()
        if dropped:
            warn(
                f"{dropped} spans were dropped in one invocation; "
                "LAMBDA_LATENCY_BUFFERED_SPANS and LAMBDA_LATENCY_BUFFERED_KB are the limits"
            )
        return spans


def timely(spans: deque[ReadableSpan], until: float) -> Iterator[ReadableSpan]:
    """Take the spans from the queue, the last one before the instant `until`."""
    while spans and time() < until:
        yield spans.popleft()


def parents_first(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Sort the spans by start. They arrive by end; if only some of those were delivered, parents would be missing."""
    latest_first = spans[::-1]  # of two with the same start, the outer one ends later
    return sorted(latest_first, key=lambda span: span.start_time or 0)
