"""What waits for delivery: bounded in number and in bytes, for a handler that makes many must not run out of memory."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Buffer"]

T = TypeVar("T")


class Buffer(Generic[T]):
    """The oldest first. When it is full the oldest make room, and `dropped` counts them."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self.renew()

    def renew(self) -> None:
        """Empty it, whoever may hold its lock: after a fork the thread that did is gone."""
        self._waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: T, size: int) -> None:
        """Keep an item of that many bytes."""
        with self._lock:
            self._waiting.append((item, size))
            self._bytes += size
            while len(self._waiting) > self._most or self._bytes > self._most_bytes:
                self._bytes -= self._waiting.popleft()[1]
                self.dropped += 1

    def oldest(self, most_bytes: int) -> list[T]:
        """The oldest that fit together into that many bytes; they stay. One that is larger comes alone."""
        batch: list[T] = []
        with self._lock:
            for item, size in self._waiting:
                most_bytes -= size
                if batch and most_bytes < 0:
                    break
                batch.append(item)
        return batch

    def forget(self, count: int) -> None:
        """The oldest are delivered, or never will be."""
        with self._lock:
            for _ in range(count):
                self._bytes -= self._waiting.popleft()[1]

    def drain(self) -> tuple[list[T], int]:
        """Take out all that waits, and the number of items dropped since the last time."""
        with self._lock:
            taken = [item for item, _ in self._waiting], self.dropped
            self._waiting.clear()
            self._bytes = self.dropped = 0
        return taken
