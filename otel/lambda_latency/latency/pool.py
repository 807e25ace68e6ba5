"""This process and others that work beside it, which share tasks and end with it."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any

from lambda_latency.latency.errors import ReportError
from lambda_latency.latency.owners import USUAL, Terms
from lambda_latency.latency.task_queue import TaskQueue
from lambda_latency.latency.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["WorkerPool"]

# With the path of this process: what `site` would look up again takes as long as half of what a worker imports.
WORKER = """import sys
sys.path[:] = sys.argv[1].split("\\n")
from lambda_latency.latency.worker_main import main
main(int(sys.argv[2]))
"""


class WorkerPool:
    """A worker in this process, and one in a process of its own for each file but the first.

    `tasks` names the methods of `Worker` that are shared, with the number of tasks of each.
    """

    def __init__(self, files: list[int], partitions: int, tasks: Mapping[str, int], terms: Terms = USUAL) -> None:
        self._here = Worker(files, 0, partitions, terms)
        self._queues = {method: TaskQueue.up_to(count) for method, count in tasks.items()}
        self._connections: list[Connection[Any, Any]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        queues = {method: queue.file for method, queue in self._queues.items()}
        unwritten = ["-B"] if sys.dont_write_bytecode else []  # -I keeps the environment out
        for own in range(1, len(files)):
            ours, theirs = Pipe()
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", *unwritten, "-c", WORKER, "\n".join(sys.path), str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *queues.values(), *files],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
            )
            self._processes.append(process)
            theirs.close()
            self._connections.append(ours)
            _send(ours, (own, partitions, files, queues, terms))

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.kill()
            process.wait()
        for queue in self._queues.values():
            queue.close()

    def each(self, method: str, *arguments: object) -> Iterator[Any]:
        """What a method of each worker returns, in the order of the files."""
        for connection in self._connections:
            _send(connection, (method, arguments))
        yield getattr(self._here, method)(*arguments)
        yield from map(_received, self._connections)

    def share(self, method: str, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Have each task done by the next worker that is free: its number, and what the method returns.

        What other processes return comes last.
        """
        busy = list(self._connections)
        for connection in busy:
            _send(connection, (method, tasks))
        for number in self._queues[method]:
            yield number, getattr(self._here, method)(tasks[number])
            yield from _ready(busy, 0)  # of one that failed it is heard at once
        while busy:
            yield from _ready(busy)


def _ready(busy: list[Connection[Any, Any]], timeout: float | None = None) -> Iterator[tuple[int, Any]]:
    """What has arrived; a connection over which all has arrived is busy no more."""
    ready = wait(busy, timeout)
    for connection in [one for one in busy if one in ready]:
        answer = _received(connection)
        if answer is None:
            busy.remove(connection)
        else:
            yield answer


def _send(connection: Connection[Any, Any], what: object) -> None:
    try:
        connection.send(what)
    except ConnectionError:
        raise _ended() from None


def _received(connection: Connection[Any, Any]) -> Any:
    try:
        answer = connection.recv()
    except (EOFError, ConnectionError):
        raise _ended() from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _ended() -> ReportError:
    return ReportError("a process that read traces was killed", "run the command again")
