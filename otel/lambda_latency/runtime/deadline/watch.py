"""The watch over the deadline: a thread that acts shortly before Lambda kills the environment.

A request never wakes the thread; it only stores its deadline. The thread sleeps until the next known alarm, but not so
long that it could miss the alarm of a request that began meanwhile.
"""

from __future__ import annotations

import threading
from time import time
from typing import TYPE_CHECKING

from lambda_latency.runtime.coldstart.value import Value
from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.threads import started, unlisted

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

    from lambda_latency.runtime.deadline.sigalrm import AlarmSignal

__all__ = ["MARGIN_SHARE", "DeadlineWatch", "Running"]

LONGEST_SLEEP_S = 1.0


class DeadlineWatch:
    """Calls `ring` on its own thread, once for each invocation that reaches its alarm.

    Before the alarm it calls `glance` with the seconds left; `glance` returns in how many seconds to call it again.
    """

    def __init__(
        self, ring: Callable[[Running], None], glance: Callable[[Running, float], float], *, sigalrm: bool = False
    ) -> None:
        self._ring = ring
        self._glance = glance
        self._signal: AlarmSignal | None = None
        if sigalrm:
            from lambda_latency.runtime.deadline.sigalrm import AlarmSignal

            self._signal = AlarmSignal(self.look_now)
        self._running: tuple[Span, int, float] | None = None
        self._sleep_s = LONGEST_SLEEP_S
        self._shortest_s = float("inf")
        self._look, self._looked = threading.Event(), threading.Event()
        self._stopped = False
        self._rung: object = None
        self._ended: threading.Event | None = None  # of the thread, once it has started

    @harmless("the watch over the deadline")
    def begin(self, span: Span, deadline: float, begun: float) -> None:
        """An invocation runs on this thread from `begun` to `deadline` (seconds since 1970)."""
        self._running = span, threading.get_ident(), deadline
        if deadline - begun < self._shortest_s:
            self._shorten(deadline - begun)
        if self._signal is not None:
            self._signal.begin(Running(*self._running).alarm, deadline)

    def end(self) -> None:
        """The invocation has ended."""
        self._running = None
        if self._signal is not None:
            self._signal.end()

    def renew(self) -> None:
        """Forget the thread: it does not exist after a fork, and under gevent new threads are of another kind."""
        self._look, self._looked = threading.Event(), threading.Event()
        self._running = self._ended = None
        self._shortest_s = float("inf")

    def look_now(self, seconds: float) -> bool:
        """Wake the thread and wait at most `seconds` until it has looked; returns whether it has."""
        self._looked.clear()
        self._look.set()
        return self._looked.wait(seconds)

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._look.set()
        if self._signal is not None:
            self._signal.stop()
        if self._ended is not None:
            self._ended.wait()

    def _shorten(self, limit_s: float) -> None:
        """Adapt the sleep to a timeout that is shorter than all before it, such as the first one."""
        # A slightly shorter limit is the same timeout, of a request that was handed over later.
        self._shortest_s = 0.8 * limit_s
        # Half of the time to the alarm: a request that began right after a look is seen in time.
        self._sleep_s = max(0.01, min(LONGEST_SLEEP_S, limit_s * (1 - MARGIN_SHARE) / 2))
        if self._ended is None:
            # Only now: a request that is not recorded has no marks to make at its deadline.
            self._ended = started(self._run)
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
            unlisted()

    def _seen(self, running: tuple[Span, int, float], late_s: float) -> float:
        """Look at an invocation, `late_s` after the planned instant; returns the seconds until the next look."""
        this = Running(*running)
        left = this.alarm - time()
        try:
            if not this.is_due(left, late_s):
                next_s = self._glance(this, left)
                # Computed again: on a busy machine, the glance may have used up the time.
                left = this.alarm - time()
                early = left - this.margin / 2
                return max(0.0, min(early if early > 0 else left, self._sleep_s, next_s))
            self._rung = running
            self._ring(this)
        except Exception as error:  # noqa: BLE001 - the request goes on, whatever fails
            warn(f"telling of a timeout failed ({type(error).__name__}: {error}); the request goes on")
        return self._sleep_s


MARGIN_S, MARGIN_SHARE = 0.2, 0.1  # the smaller one counts: the share, for a timeout below two seconds


class Running(Value):
    """An invocation: its span, its thread, and its deadline (seconds since 1970)."""

    span: Span
    thread: int
    deadline: float

    @property
    def span_id(self) -> int:
        """The span id."""
        return self.span.get_span_context().span_id

    @property
    def begun(self) -> float:
        """The start of the span, in seconds since 1970."""
        return (self.span.start_time or 0) / 1e9

    @property
    def margin(self) -> float:
        """The seconds between alarm and deadline, in which the spans are marked and sent."""
        return min(MARGIN_S, MARGIN_SHARE * (self.deadline - self.begun))

    @property
    def alarm(self) -> float:
        """The last instant (seconds since 1970) at which the spans can still be marked and sent."""
        return self.deadline - self.margin

    def is_due(self, left_s: float, late_s: float) -> bool:
        """Whether to ring, `left_s` before the alarm, in a look that was `late_s` late.

        A late look means that the function lets other threads run rarely, because it imports or computes in C. Marking
        takes longer then, so it starts sooner: by half of the margin at most, because a freeze makes a look hours late.
        """
        return left_s <= min(late_s, self.margin / 2)
