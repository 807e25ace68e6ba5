"""A process of its own that works for a report: it is given CONNECTION OWN PARTITIONS FILE...."""

from __future__ import annotations

import gc
from multiprocessing.connection import Connection
from typing import Any

from otel.latency.work import Work

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Do what comes over the connection, until it is closed. What cannot be done is the answer."""
    gc.disable()  # nothing that an account is made of hangs on itself
    number, own, partitions, *files = map(int, arguments)
    line: Connection[Any, Any] = Connection(number)
    work = Work(files, own, partitions)
    try:
        while True:
            what, given = line.recv()
            try:
                answer = getattr(work, what)(*given)
            except OSError as error:
                answer = error
            line.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
