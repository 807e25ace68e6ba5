"""Delivers beside the next request, in an environment that is never frozen: a slow collector holds up nobody."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lambda_latency.runtime.own_threads import started

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Background"]


class Background:
    """A thread that runs `step` after each release; releases that come meanwhile are one."""

    alive = True

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step
        self._released = threading.Event()
        started(self._run, "lambda-latency")

    def release(self) -> None:
        """A response is out."""
        self._released.set()

    def _run(self) -> None:
        while True:
            self._released.wait()
            self._released.clear()
            self._step()
