"""The main function of a worker process, which receives its calls over an inherited connection."""

from __future__ import annotations

import gc
from multiprocessing.connection import Connection
from typing import Any

from lambda_latency.latency.loading.worker import TaskQueue


def main(number: int) -> None:
    """Execute calls from the connection with the descriptor `number` until it is closed.

    An `OSError` is sent as the result of its call.
    """
    gc.disable()  # breakdowns have no reference cycles
    connection: Connection[Any, Any] = Connection(number)
    try:
        make, queues = connection.recv()
        worker = make()
        while True:
            method, arguments = connection.recv()
            try:
                if method in queues:
                    _share(connection, worker, method, arguments, TaskQueue(queues[method]))
                else:
                    connection.send(getattr(worker, method)(*arguments))
            except OSError as error:
                connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _share(connection: Connection[Any, Any], worker: object, method: str, tasks: Any, queue: TaskQueue) -> None:
    """Do the tasks that this process takes from the queue; send the results with their numbers, then None.

    The results are sent at the end: the process at the other end is working too, and a send would wait for it.
    """
    answers: list[tuple[int, object]] = []
    for number in queue:
        answers.append((number, getattr(worker, method)(tasks[number])))
        if connection.poll():
            # No call is sent during tasks: the connection was closed
            raise EOFError
    while answers:
        connection.send(answers.pop())
    connection.send(None)
