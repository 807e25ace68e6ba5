"""A pool of workers that share tasks: one in this process, the others in processes that end with it."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any

from lambda_latency.latency.accounts.choice import ReportError
from lambda_latency.latency.accounts.owners import USUAL, Terms
from lambda_latency.latency.loading.task_queue import TaskQueue
from lambda_latency.latency.loading.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts

# `sys.path` is passed on: computing it again in `site` takes half as long as the imports of a worker.
WORKER = """import sys
sys.path[:] = sys.argv[1].split("\\n")
from lambda_latency.latency.loading.worker_main import main
main(int(sys.argv[2]))
"""


class WorkerPool:
    """A worker in this process, and a worker process for each file but the first.

    `tasks` has the number of tasks of each method of `Worker` whose tasks are shared.
    """

    def __init__(self, files: list[int], partitions: int, tasks: Mapping[str, int], terms: Terms = USUAL) -> None:
        self._here = Worker(files, 0, partitions, terms)
        self._queues = {method: TaskQueue.up_to(count) for method, count in tasks.items()}
        self._connections: list[Connection[Any, Any]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        queues = {method: queue.file for method, queue in self._queues.items()}
        no_bytecode = ["-B"] if sys.dont_write_bytecode else []  # -I ignores PYTHONDONTWRITEBYTECODE
        for own in range(1, len(files)):
            ours, theirs = Pipe()
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", *no_bytecode, "-c", WORKER, "\n".join(sys.path), str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *queues.values(), *files],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches this process only, which ends the others
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
        """Call a method of each worker; the results are in the order of the files."""
        for connection in self._connections:
            _send(connection, (method, arguments))
        yield getattr(self._here, method)(*arguments)
        yield from map(_received, self._connections)

    def judged(self) -> Accounts:
        """The accounts that all workers have made; those of this process first."""
        accounts = self._here.accounts
        for connection in self._connections:
            accounts.receive(iter(partial(_called, connection, "judged"), None))
        return accounts

    def share(self, method: str, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Distribute tasks among the workers: the number and the result of each task, in the order of arrival.

        Other processes send their results at their end. Raises `ReportError` if a process was killed.
        """
        busy = list(self._connections)
        for connection in busy:
            _send(connection, (method, tasks))
        for number in self._queues[method]:
            yield number, getattr(self._here, method)(tasks[number])
            yield from _ready(busy, 0)  # raises the error of a failed process at once
        while busy:
            yield from _ready(busy)


def _ready(busy: list[Connection[Any, Any]], timeout: float | None = None) -> Iterator[tuple[int, Any]]:
    """The results that have arrived. A connection is removed from `busy` after its last result."""
    ready = wait(busy, timeout)
    for connection in [one for one in busy if one in ready]:
        answer = _received(connection)
        if answer is None:
            busy.remove(connection)
        else:
            yield answer


def _called(connection: Connection[Any, Any], method: str) -> Any:
    _send(connection, (method, ()))
    return _received(connection)


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
