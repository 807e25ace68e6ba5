"""A process of its own that works for a report, by the connection that it is given the number of."""

from __future__ import annotations

import gc
from multiprocessing.connection import Connection
from typing import Any

from lambda_latency.latency.turns import Turns
from lambda_latency.latency.work import Work

__all__ = ["main"]


def main(number: int) -> None:
    """Do what comes over the connection, until it is closed. What cannot be done is the answer."""
    gc.disable()  # nothing that an account is made of hangs on itself
    line: Connection[Any, Any] = Connection(number)
    try:
        own, partitions, files, turns = line.recv()
        work = Work(files, own, partitions)
        while True:
            what, given = line.recv()
            try:
                if what in turns:
                    _share(line, work, what, given, Turns(turns[what]))
                else:
                    line.send(getattr(work, what)(*given))
            except OSError as error:
                line.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _share(line: Connection[Any, Any], work: Work, what: str, every: Any, turns: Turns) -> None:
    """Do those of them whose turn comes here; the answers, with their turns, and None behind the last.

    They are sent at the end: the other side works as well, and would be waited for.
    """
    answers: list[tuple[int, object]] = []
    for turn in turns:
        answers.append((turn, getattr(work, what)(every[turn])))
        if line.poll():
            raise EOFError  # nothing is said in between: it was closed
    while answers:
        line.send(answers.pop())
    line.send(None)
