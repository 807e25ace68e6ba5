"""A queue of tasks for several processes, without messages between them."""

from __future__ import annotations

import os
from collections.abc import Iterator

MOST = 8192  # numbers that fit into a pipe on every system
WIDTH = 2  # bytes per number


class TaskQueue:
    """The numbers from 0 up, in a pipe. A process reads a whole number at a time, so each number reaches one process.

    `file` is the descriptor that other processes inherit.
    """

    def __init__(self, file: int) -> None:
        self.file = file

    @classmethod
    def up_to(cls, count: int) -> TaskQueue:
        """A queue of the numbers below `count`, which must not exceed `MOST`."""
        file, begin = os.pipe()
        os.write(begin, b"".join(number.to_bytes(WIDTH, "big") for number in range(count)))
        os.close(begin)
        return cls(file)

    def __iter__(self) -> Iterator[int]:
        while number := os.read(self.file, WIDTH):
            yield int.from_bytes(number, "big")

    def close(self) -> None:
        """Close the queue in this process."""
        os.close(self.file)
