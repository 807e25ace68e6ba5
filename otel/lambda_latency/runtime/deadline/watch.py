"""The watch over the deadline: a thread that acts shortly before Lambda kills the environment.

A request never wakes the thread; it only stores its deadline. The thread sleeps until the next known alarm, but not so
long that it could miss the alarm of a request that began meanwhile. It also samples a request that becomes slow, and
chosen ones from their begin: only these wake it.
"""

from __future__ import annotations

import threading
from _thread import get_ident
from contextlib import suppress
from time import thread_time, time
from typing import TYPE_CHECKING

from lambda_latency.runtime.deadline.interpreter import forget, hurried
from lambda_latency.runtime.deadline.running import MARGIN_SHARE, NEVER, Running
from lambda_latency.runtime.harmless import failed, harmless
from lambda_latency.runtime.threads import started, unlisted

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

    from lambda_latency.runtime.deadline.profile import Profile
    from lambda_latency.runtime.settings import Settings

    Fields = tuple[Span, int, float, float, float]  # of `Running`

LONGEST_SLEEP_S = 1.0


class DeadlineWatch:
    """Calls `ring` on its own thread, once for each invocation that reaches its alarm.

    Before the alarm it calls `glance` with the seconds left; `glance` returns in how many seconds to call it again.
    """

    def __init__(
        self, ring: Callable[[Running], None], glance: Callable[[Running, float], float], settings: Settings
    ) -> None:
        self._ring, self._glance, self._settings = ring, glance, settings
        self._after_s = settings.profile_after_ms / 1000 or NEVER  # after which a request is sampled
        self._profile: Profile | None = None
        self._profile_of: Callable[[Running, object, float], Profile] | None = None  # once a request is slow
        self._running: Fields | None = None
        self._sleep_s, self._shortest_s = LONGEST_SLEEP_S, NEVER
        self._look = taken()
        self._stopped = False
        self._rung: object = None
        self._ended: threading.Event | None = None  # of the thread, once it has started

    @harmless("the watch over the deadline")
    def begin(self, span: Span, deadline: float, start: float) -> None:
        """An invocation runs on this thread from `start` to `deadline` (seconds since 1970)."""
        self._running = span, get_ident(), deadline, thread_time(), self._after_s
        if deadline - start < self._shortest_s:
            self._shorten(deadline - start)

    def choose(self) -> None:
        """Sample the invocation from its begin."""
        if self._after_s != NEVER and self._running is not None:
            self._running = (*self._running[:-1], 0.0)
            self._wake()

    def end(self) -> None:
        """The invocation has ended; its span is still open, and gets the samples."""
        running, self._running = self._running, None
        # Read last: the thread stores a profile, and then looks whether the invocation still runs.
        if self._profile is not None:
            self._end_samples(running)

    @harmless("the samples of a slow request")
    def _end_samples(self, running: Fields | None) -> None:
        """End the samples, and write them to the span of `running` if they are of this invocation."""
        profile, self._profile = self._profile, None
        if profile is not None:
            profile.stop()
            if running is not None and running is profile.invocation:
                running[0].set_attributes(profile.attributes())

    def renew(self) -> None:
        """Forget the thread: it does not exist after a fork, and under gevent new threads are of another kind."""
        self._look = taken()
        self._running = self._ended = None
        self._shortest_s = NEVER
        self._end_samples(None)
        forget()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._wake()
        if self._ended is not None:
            self._ended.wait()

    def _shorten(self, limit_s: float) -> None:
        """Adapt the sleep to a timeout that is shorter than all before it, such as the first one."""
        # A slightly shorter limit is the same timeout, of a request that was handed over later.
        self._shortest_s = 0.8 * limit_s
        # Half of the time to the alarm: a request that began right after a look is seen in time. For the same reason
        # no longer than the time after which one is slow.
        self._sleep_s = max(0.01, min(LONGEST_SLEEP_S, self._after_s, limit_s * (1 - MARGIN_SHARE) / 2))
        if self._ended is None:
            # Only now: a request that is not recorded has no marks to make at its deadline.
            self._ended = started(self._run)
        else:
            self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # it has been woken already
            self._look.release()

    def _run(self) -> None:
        wait_s = self._sleep_s
        while not self._stopped:
            try:
                late_s = self._wait(wait_s)
                fields, wait_s = self._running, self._sleep_s
                if fields is not None and fields is not self._rung:
                    wait_s = self._examine(fields, late_s)
            except Exception as error:  # noqa: BLE001 - the request goes on, whatever fails
                if self._profile is not None:
                    self._profile.stop()
                failed("watching a request", error)
            unlisted()

    def _wait(self, wait_s: float) -> float:
        """Wait for the next look, and sample a slow request meanwhile. Returns by how much the look is late."""
        until = time() + wait_s
        while True:
            profile, now_s = self._profile, time()
            due = until if profile is None else min(until, now_s + profile.every_s)
            if self._look.acquire(timeout=max(0.0, due - now_s)):
                return 0.0
            now_s = time()
            if profile is not None:
                profile.sample(now_s)
            if now_s >= until or (profile is not None and now_s - due > until - now_s):
                return now_s - due

    def _examine(self, fields: Fields, late_s: float) -> float:
        """Look at an invocation, `late_s` after the planned instant; returns the seconds until the next look."""
        running, now_s = Running(*fields), time()
        left_s, young_s = running.alarm - now_s, running.start + running.after_s / 2 - now_s
        if 0 < young_s < left_s - running.after_s:
            return young_s  # most requests end before, and cost no more than this
        if running.is_due(left_s, late_s):
            self._rung = fields
            if self._profile is not None:
                self._profile.stop()
                running.samples = self._profile.attributes()
            self._ring(running)
            return self._sleep_s
        next_s = min(self._glance(running, left_s), self._sampled(running, fields))
        # again: on a busy machine, the glance may have used up the time
        left_s = running.alarm - time()
        early_s = left_s - running.margin / 2
        return max(0.0, min(early_s if early_s > 0 else left_s, self._sleep_s, next_s))

    def _sampled(self, running: Running, fields: Fields) -> float:
        """Begin to sample an invocation that has become slow; returns the seconds until it is, unless it already is."""
        start = running.start + running.after_s
        if self._profile is not None or start == NEVER:
            return NEVER
        if self._profile_of is None:
            # Ahead of the first sample: while a handler computes, files and imports take a tenth of a second.
            with hurried():
                from lambda_latency.runtime.deadline.profile import profiles

                self._profile_of = profiles(lines=self._settings.source_lines)
            start = max(start, time())  # the time of the imports is not one of samples
        if time() < start:
            return start - time()
        self._profile = profile = self._profile_of(running, fields, start)
        # It has ended meanwhile, perhaps without a look at the profile
        if self._running is not fields:
            self._end_samples(None)
        profile.sample(time())
        return NEVER


def taken() -> LockType:
    """Return a lock that is not free: its release wakes who waits for it, and needs no lock of its own."""
    lock = threading.Lock()  # looked up now: gevent replaces it
    lock.acquire()
    return lock
