"""A bounded queue of export requests: adding one never waits."""

from __future__ import annotations

import threading
from collections import deque

# Bytes that are read at a time: reading takes several times their size
AT_ONCE = 3 * 1024 * 1024


class Inbox:
    """Lines of OTLP/JSON in the order of their arrival. Thread-safe.

    Before `wake` nobody reads: the newest `asleep` bytes are retained, and older lines are dropped. Afterwards a line
    is refused if more than `limit` bytes would wait.
    """

    def __init__(self, limit: int, asleep: int) -> None:
        self._limit, self._asleep = limit, asleep
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._awake = self._nudged = False
        self.refused = self.dropped = 0

    def add(self, line: bytes) -> bool:
        """Add a line; False if there is no room for it."""
        with self._changed:
            if self._awake and self._lines and self._size + len(line) > self._limit:
                self.refused += 1
                return False
            self._lines.append(line)
            self._size += len(line)
            while not self._awake and self._size > self._asleep:
                self._size -= len(self._lines.popleft())
                self.dropped += 1
            if self._awake:
                self._changed.notify_all()
        return True

    def wake(self) -> None:
        """Retain all lines from now on: a reader has started."""
        with self._changed:
            self._awake = True

    def nudge(self) -> None:
        """End the present or the next wait."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def wait(self, limit_s: float | None) -> None:
        """Wait for a line or a nudge."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._nudged, limit_s)
            self._nudged = False

    def take(self) -> list[bytes]:
        """Take the oldest lines out, at least one, up to `AT_ONCE` bytes."""
        lines: list[bytes] = []
        size = 0
        with self._changed:
            while self._lines and (not lines or size + len(self._lines[0]) <= AT_ONCE):
                lines.append(self._lines.popleft())
                size += len(lines[-1])
            self._size -= size
        return lines
