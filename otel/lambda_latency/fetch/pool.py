"""Threads that fetch concurrently and can be abandoned: Ctrl-C does not wait for a call in its tenth retry."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# A signal may interrupt a thread other than the main one, which runs the handler: the main thread waits in steps.
LOOK_S = 0.2


class Pool:
    """Threads that call `work` on each submitted item. The first exception ends all of them."""

    def __init__(self, work: Callable[[list[str]], None], threads: int) -> None:
        self._work = work
        self._todo: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._pending = 0
        self._failed: Exception | None = None
        self._closed = False
        self._threads = [threading.Thread(target=self._run, name="fetch", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, ids: list[str]) -> None:
        """Submits items; raises the exception that ended the work."""
        with self._changed:
            if self._failed is not None:
                raise self._failed
            self._pending += 1
        self._todo.put(ids)

    def wait(self) -> None:
        """Waits for all submitted items; raises the exception that ended the work."""
        with self._changed:
            while self._pending and self._failed is None:
                self._changed.wait(LOOK_S)
            if self._failed is not None:
                raise self._failed

    def close(self, limit_s: float) -> None:
        """Starts no further item, and waits for the running ones up to a limit."""
        self._closed = True
        for _ in self._threads:
            self._todo.put(None)
        end = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        while (ids := self._todo.get()) is not None:
            if not self._closed and self._failed is None:
                try:
                    self._work(ids)
                except Exception as error:  # noqa: BLE001 - raised again in the main thread, which waits for it
                    self._failed = error
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()
