"""A signal that watches the deadline beside the thread: some C code, such as a regular expression, keeps all threads
from running but handles signals. It is off by default, because it takes SIGALRM and its timer from the function.
"""

from __future__ import annotations

import signal
import threading
from time import time
from typing import TYPE_CHECKING

from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

LATER_S = 0.02  # after the thread, which needs no signal if it can run
PART_S, BETWEEN_S = 0.05, 0.005


class AlarmSignal:
    """Lets the watch's thread run while the handler's thread waits. `look` gets the longest wait in seconds and
    returns whether the thread has looked.
    """

    def __init__(self, look: Callable[[float], bool]) -> None:
        self._look = look
        self._deadline = 0.0
        self._before = None
        self._mine = threading.current_thread() is threading.main_thread()
        if self._mine:
            self._before = signal.signal(signal.SIGALRM, self._rings)
        else:
            warn(
                "LAMBDA_LATENCY_SIGALRM has no effect: the handler does not run on the main thread, which gets signals"
            )

    def begin(self, alarm: float, deadline: float) -> None:
        """An invocation begins, with its alarm and its deadline (seconds since 1970)."""
        self._deadline = deadline
        self._set(max(0.001, alarm + LATER_S - time()))

    def end(self) -> None:
        """The invocation has ended."""
        self._set(0)

    def stop(self) -> None:
        """Restore the signal's handler."""
        self._set(0)
        if self._mine:
            signal.signal(signal.SIGALRM, self._before)

    def _set(self, seconds: float) -> None:
        if self._mine:
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def _rings(self, _number: int, _frame: FrameType | None) -> None:
        # In short parts: the signal may have stopped this thread with a lock that the other thread needs, so it runs
        # on in between.
        left = self._deadline - time()
        if left > 0 and not self._look(min(PART_S, left)):
            self._set(BETWEEN_S)
