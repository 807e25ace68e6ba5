"""A queue for delivery, bounded in items and in bytes: many spans must not use up the function's memory."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Buffer"]

T = TypeVar("T")


class Buffer(Generic[T]):
    """A queue, oldest items first. A full queue drops its oldest items and counts them in `dropped`."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self.renew()

    def renew(self) -> None:
        """Empty the queue with a new lock: after a fork, the thread that held the old one does not exist."""
        self._waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: T, size: int) -> None:
        """Add an item of `size` bytes."""
        with self._lock:
            self._waiting.append((item, size))
            self._bytes += size
            self._trim()

    def put_back(self, items: list[tuple[T, int]]) -> None:
        """Add items with their sizes before all others: `drain` has removed them."""
        with self._lock:
            self._waiting.extendleft(reversed(items))
            self._bytes += sum([size for _, size in items])
            self._trim()

    def _trim(self) -> None:
        while len(self._waiting) > self._most or self._bytes > self._most_bytes:
            self._bytes -= self._waiting.popleft()[1]
            self.dropped += 1

    def oldest(self, most_bytes: int) -> list[T]:
        """The oldest items that fit into `most_bytes`, at least one. They stay in the queue."""
        batch: list[T] = []
        with self._lock:
            for item, size in self._waiting:
                most_bytes -= size
                if batch and most_bytes < 0:
                    break
                batch.append(item)
        return batch

    def forget(self, count: int) -> None:
        """Remove the `count` oldest items."""
        with self._lock:
            for _ in range(count):
                self._bytes -= self._waiting.popleft()[1]

    def drain(self) -> tuple[list[T], int]:
        """Remove all items; returns them and the number of items dropped since the last call."""
        with self._lock:
            taken = [item for item, _ in self._waiting], self.dropped
            self._waiting.clear()
            self._bytes = self.dropped = 0
        return taken
