"""A fake clock that moves only on request, so that durations of spans are exact."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

START_NS = 1_767_225_600 * 10**9  # 2026-01-01T00:00:00Z
NS = 1_000_000
MODULES = "opentelemetry.sdk.trace", "lambda_latency.runtime.lean"  # those that read the time for every span


class Clock:
    """Stops the clock of the SDK's spans and of the deadline in Lambda's context object; other clocks run."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self._original: Callable[[], int] | None = None

    def advance(self, *, ms: float) -> None:
        """Moves the clock by a number of milliseconds."""
        self.now_ns += round(ms * NS)

    def start(self) -> None:
        """Replaces the real clock."""
        self._original = time.time_ns
        for module in map(import_module, MODULES):
            vars(module)["time_ns"] = lambda: self.now_ns
        RUNNING.append(self)

    def stop(self) -> None:
        """Restores the real clock."""
        if self._original is not None:
            for module in map(import_module, MODULES):
                vars(module)["time_ns"] = self._original
            RUNNING.remove(self)


RUNNING: list[Clock] = []  # the stopped clock, if there is one


def now_ns() -> int:
    """Nanoseconds since 1970, by the active clock."""
    return RUNNING[-1].now_ns if RUNNING else time.time_ns()
