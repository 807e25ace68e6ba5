"""The main function of a worker process, which receives its calls over an inherited connection."""

from __future__ import annotations

import gc
from multiprocessing.connection import Connection
from typing import Any

from lambda_latency.latency.loading.task_queue import TaskQueue
from lambda_latency.latency.loading.worker import Worker


def main(number: int) -> None:
    """Execute calls from the connection with the descriptor `number` until it is closed.

    An `OSError` is sent as the result of its call.
    """
    gc.disable()  # accounts have no reference cycles
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
    """Do the tasks that this process takes from the queue; send the results with their numbers, then None.

    The results are sent at the end: the process at the other end is working too, and a send would wait for it.
    """
    answers: list[tuple[int, object]] = []
    for number in queue:
        answers.append((number, getattr(worker, what)(tasks[number])))
        if line.poll():
            raise EOFError  # no call is sent during tasks: the connection was closed
    while answers:
        line.send(answers.pop())
    line.send(None)
