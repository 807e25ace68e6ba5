"""A process of its own that works for a report, by the connection that it is given the number of."""

from __future__ import annotations

import gc
from multiprocessing.connection import Connection
from typing import Any

from lambda_latency.latency.task_queue import TaskQueue
from lambda_latency.latency.worker import Worker

__all__ = ["main"]


def main(number: int) -> None:
    """Do what comes over the connection, until it is closed. What cannot be done is the answer."""
    gc.disable()  # nothing that an account is made of hangs on itself
    line: Connection[Any, Any] = Connection(number)
    try:
        own, partitions, files, queues, terms = line.recv()
        worker = Worker(files, own, partitions, terms)
        while True:
            what, given = line.recv()
            try:
                if what in queues:
                    _share(line, worker, what, given, TaskQueue(queues[what]))
                else:
                    line.send(getattr(worker, what)(*given))
            except OSError as error:
                line.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _share(line: Connection[Any, Any], worker: Worker, what: str, tasks: Any, queue: TaskQueue) -> None:
    """Do the tasks that this process takes from the queue; the answers with their numbers, and None behind the last.

    They are sent at the end: the other side works as well, and would be waited for.
    """
    answers: list[tuple[int, object]] = []
    for number in queue:
        answers.append((number, getattr(worker, what)(tasks[number])))
        if line.poll():
            raise EOFError  # nothing is said in between: it was closed
    while answers:
        line.send(answers.pop())
    line.send(None)
