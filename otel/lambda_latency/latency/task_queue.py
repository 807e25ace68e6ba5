"""A queue of tasks for several processes, which need not ask each other for the next one."""

from __future__ import annotations

import os
from collections.abc import Iterator

__all__ = ["MOST", "TaskQueue"]

MOST = 8192  # that fit into a pipe everywhere
WIDTH = 2  # bytes of each


class TaskQueue:
    """Numbers from 0 up, each of which one process takes: they lie in a pipe, of which everybody reads a number whole.

    `file` is what others inherit.
    """

    def __init__(self, file: int) -> None:
        self.file = file

    @classmethod
    def up_to(cls, count: int) -> TaskQueue:
        """All numbers below `count`, which is at most `MOST`."""
        file, begin = os.pipe()
        os.write(begin, b"".join(number.to_bytes(WIDTH, "big") for number in range(count)))
        os.close(begin)
        return cls(file)

    def __iter__(self) -> Iterator[int]:
        while number := os.read(self.file, WIDTH):
            yield int.from_bytes(number, "big")

    def close(self) -> None:
        """Nobody in this process takes any more."""
        os.close(self.file)
