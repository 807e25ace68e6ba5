"""The watch over the deadline: a thread that looks up shortly before Lambda kills the environment.

No request wakes it: a request only writes down when it has to be done. The thread sleeps until the alarm that it knows
of and looks again, and never so long that it could miss a request which began meanwhile.
"""

from __future__ import annotations

import threading
from time import time
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.context import Context, attach, detach

from otel.runtime.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

__all__ = ["DeadlineWatch", "Running"]

MARGIN_S, MARGIN_SHARE = 0.2, 0.1  # the share where it is less: of a timeout below two seconds
LONGEST_SLEEP_S = 1.0


class Running(NamedTuple):
    """An invocation: its span, the thread that it runs on, and when it will be killed (seconds since 1970)."""

    span: Span
    thread: int
    deadline: float

    @property
    def span_id(self) -> int:
        """The id of its span."""
        return self.span.get_span_context().span_id

    @property
    def begun(self) -> float:
        """When its span began."""
        return (self.span.start_time or 0) / 1e9

    @property
    def alarm(self) -> float:
        """When there is just time enough to tell."""
        return self.deadline - min(MARGIN_S, MARGIN_SHARE * (self.deadline - self.begun))


class DeadlineWatch:
    """Calls `ring` on its own thread, once for each invocation that reaches its alarm."""

    def __init__(self, ring: Callable[[Running], None]) -> None:
        self._ring = ring
        self._running: tuple[Span, int, float] | None = None
        self._sleep_s = LONGEST_SLEEP_S
        self._shortest_s = float("inf")
        self._look = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def begin(self, span: Span, deadline: float, begun: float) -> None:
        """An invocation runs on this thread from `begun` on (seconds since 1970)."""
        self._running = span, threading.get_ident(), deadline
        if deadline - begun < self._shortest_s:
            self._shorten(deadline - begun)

    def end(self) -> None:
        """It has ended."""
        self._running = None

    def stop(self) -> None:
        """Let go of the thread."""
        self._stopped = True
        self._look.set()
        if self._thread is not None:
            self._thread.join()

    def _shorten(self, limit_s: float) -> None:
        """A timeout shorter than any before, such as the first one: the thread that sleeps by those is told."""
        # A little less is the same timeout, of a request that was handed over later.
        self._shortest_s = 0.8 * limit_s
        # Half of the way to the alarm, so that one that began right after a look is seen in time.
        self._sleep_s = max(0.01, min(LONGEST_SLEEP_S, limit_s * (1 - MARGIN_SHARE) / 2))
        if self._thread is None:
            # Not before it is needed: what records nothing has nothing to tell at its deadline.
            self._thread = threading.Thread(target=self._run, name="lambda-latency deadline", daemon=True)
            token = attach(Context())  # it is no part of the invocation
            self._thread.start()
            detach(token)
        else:
            self._look.set()

    def _run(self) -> None:
        rung: object = None
        wait_s = self._sleep_s
        while True:
            self._look.wait(wait_s)
            self._look.clear()
            if self._stopped:
                return
            running, wait_s = self._running, self._sleep_s
            if running is None or running is rung:
                continue
            this = Running(*running)
            left = this.alarm - time()
            if left <= 0:
                rung = running
                self._told(this)
            else:
                wait_s = min(left, wait_s)

    @harmless("telling of a timeout")
    def _told(self, running: Running) -> None:
        self._ring(running)
