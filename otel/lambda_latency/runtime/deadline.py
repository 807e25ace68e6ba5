"""The watch over the deadline: a thread that looks up shortly before Lambda kills the environment.

No request wakes it: a request only writes down when it has to be done. The thread sleeps until the alarm that it knows
of and looks again, and never so long that it could miss a request which began meanwhile.
"""

from __future__ import annotations

import threading
from time import time
from typing import TYPE_CHECKING

from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.threads import started
from lambda_latency.runtime.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

    from lambda_latency.runtime.sigalrm import AlarmSignal

__all__ = ["MARGIN_SHARE", "DeadlineWatch", "Running"]

LONGEST_SLEEP_S = 1.0


class DeadlineWatch:
    """Calls `ring` on its own thread, once for each invocation that reaches its alarm.

    Before that, now and then, it calls `glance` with the seconds that are left; which says when to be called again.
    """

    def __init__(
        self, ring: Callable[[Running], None], glance: Callable[[Running, float], float], *, sigalrm: bool = False
    ) -> None:
        self._ring = ring
        self._glance = glance
        self._signal: AlarmSignal | None = None
        if sigalrm:
            from lambda_latency.runtime.sigalrm import AlarmSignal

            self._signal = AlarmSignal(self.look_now)
        self._running: tuple[Span, int, float] | None = None
        self._sleep_s = LONGEST_SLEEP_S
        self._shortest_s = float("inf")
        self._look, self._looked = threading.Event(), threading.Event()
        self._stopped = False
        self._rung: object = None
        self._thread: threading.Thread | None = None

    def begin(self, span: Span, deadline: float, begun: float) -> None:
        """An invocation runs on this thread from `begun` on (seconds since 1970)."""
        self._running = span, threading.get_ident(), deadline
        if deadline - begun < self._shortest_s:
            self._shorten(deadline - begun)
        if self._signal is not None:
            self._signal.begin(Running(*self._running).alarm, deadline)

    def end(self) -> None:
        """It has ended."""
        self._running = None
        if self._signal is not None:
            self._signal.end()

    def renew(self) -> None:
        """No thread is left, after a fork; or they are of another kind from now on, under gevent."""
        self._look, self._looked = threading.Event(), threading.Event()
        self._running = self._thread = None
        self._shortest_s = float("inf")

    def look_now(self, seconds: float) -> bool:
        """Let the thread look, and wait for that, but no longer than so many seconds; whether it has."""
        self._looked.clear()
        self._look.set()
        return self._looked.wait(seconds)

    def stop(self) -> None:
        """Let go of the thread."""
        self._stopped = True
        self._look.set()
        if self._signal is not None:
            self._signal.stop()
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
            self._thread = started(self._run, "lambda-latency deadline")
        else:
            self._look.set()

    def _run(self) -> None:
        wait_s = self._sleep_s
        while not self._stopped:
            due = time() + wait_s
            late_s = 0.0 if self._look.wait(wait_s) else time() - due
            self._look.clear()
            running = self._running
            wait_s = self._sleep_s if running is None or running is self._rung else self._seen(running, late_s)
            self._looked.set()

    def _seen(self, running: tuple[Span, int, float], late_s: float) -> float:
        """Look at an invocation, `late_s` later than was meant; in how many seconds to look again."""
        this = Running(*running)
        left = this.alarm - time()
        try:
            if not this.is_due(left, late_s):
                next_s = self._glance(this, left)
                # Asked again: on a busy machine the glance may have taken all of it.
                left = this.alarm - time()
                early = left - this.margin / 2
                return max(0.0, min(early if early > 0 else left, self._sleep_s, next_s))
            self._rung = running
            self._ring(this)
        except Exception as error:  # noqa: BLE001 - whatever it is, the request goes on
            warn(f"telling of a timeout failed ({type(error).__name__}: {error}); the request goes on")
        return self._sleep_s


MARGIN_S, MARGIN_SHARE = 0.2, 0.1  # the share where it is less: of a timeout below two seconds


class Running(Value):
    """Its span, the thread that it runs on, and when it will be killed (seconds since 1970)."""

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
    def margin(self) -> float:
        """The seconds that telling may take."""
        return min(MARGIN_S, MARGIN_SHARE * (self.deadline - self.begun))

    @property
    def alarm(self) -> float:
        """When there is just time enough to tell."""
        return self.deadline - self.margin

    def is_due(self, left_s: float, late_s: float) -> bool:
        """With so many seconds left to the alarm, and a look that came so much later than was meant.

        A function that imports or computes in C lets other threads run now and then only: what is told will take longer
        then, and begins sooner. Not by more than half of the margin, for a look is hours late after a freeze.
        """
        return left_s <= min(late_s, self.margin / 2)
