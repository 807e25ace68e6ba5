"""Loading of more than fits into memory: spans are spilled to disk by trace id, and judged partition by partition.

There is one process per processor. This process is one of them, and begins while the others start. Spill files have no
name: none remains, however a process ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from lambda_latency.latency.breakdowns.choice import ReportError
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.owners import DEFAULT_OPTIONS, AnalysisOptions
from lambda_latency.latency.loading.progress import Progress, bytes_of, size_of
from lambda_latency.latency.loading.worker import MOST, SourceRange, TaskQueue, Worker, joined_in
from lambda_latency.trace import LineIndex, Problem, Source, is_by_line, is_compressed

PIECE = 8 * 1024 * 1024  # bytes of a file per task
PARTITION = 10 * 1024 * 1024  # bytes of input whose spans are in memory at a time
MOST_PARTITIONS = 256


def load_spilled(
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Progress,
    index: LineIndex,
    processes: int | None = None,
    options: AnalysisOptions = DEFAULT_OPTIONS,
) -> Breakdowns:
    """As `load`, by way of the disk. Raises `ReportError` if the temporary folder is full."""
    processes = processes or processors()
    size = sum(map(size_of, sources))
    partitions = max(processes, min(MOST_PARTITIONS, size // PARTITION + 1))
    batches = list(_batches(sources, max(PIECE, 2 * size // MOST)))
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()).fileno() for _ in range(processes)]
            workers = _workers(files, partitions, options)
            tasks = {"read": len(batches), "analyze": partitions}
            pool = stack.enter_context(WorkerPool(workers, tasks, files))
            sizes = [sum(piece.size for piece in batch) for batch in batches]
            for number, task_result in watched(pool.share("read", batches), sizes, progress):
                problems += task_result.problems
                for piece in batches[number]:
                    index.merge(piece.source, task_result.lines)
            spilled_by_each = list(pool.each("spill"))
            list(pool.each("share", spilled_by_each))
            index.joined |= joined_in(spilled_by_each)
            sizes = [sum(sizes) // partitions] * partitions
            progress.stage("judging", sum(sizes))
            for _, new_problems in watched(pool.share("analyze", range(partitions)), sizes, progress):
                problems += new_problems
            return pool.breakdowns()
    except OSError as error:
        folder = tempfile.gettempdir()
        raise ReportError(
            f"{folder} has no room for temporary files: {error.strerror or error}",
            f"about {size // 4_000_000 + 1} MB are needed: free some space, or choose another folder with TMPDIR",
        ) from error


def _workers(files: list[int], partitions: int, options: AnalysisOptions) -> list[Callable[[], Worker]]:
    return [partial(Worker, files, number, partitions, options) for number in range(len(files))]


def processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def watched(shared: Iterable[tuple[int, Any]], sizes: Sequence[int], progress: Progress) -> Iterator[tuple[int, Any]]:
    """Pass the results on and report progress. Tasks start in order: those before a finished one count as done."""
    reported = 0
    for number, answer in shared:
        yield number, answer
        progress.step(sum(sizes[reported : number + 1]))
        reported = max(reported, number + 1)


def _batches(sources: Iterable[Source], size: int) -> Iterator[list[SourceRange]]:
    """Pieces that one task reads: a large one, or several small ones."""
    batch: list[SourceRange] = []
    much = 0
    for source in sources:
        for piece in _pieces(source, size):
            batch.append(piece)
            much += size_of(source) if piece.between is None else piece.size
            if much >= size:
                yield batch
                batch, much = [], 0
    if batch:
        yield batch


def _pieces(source: Source, most_bytes: int) -> Iterator[SourceRange]:
    """Yield the ranges of a file that can be read independently: several of a large file of lines, one of any other."""
    size = bytes_of(source)
    if size <= most_bytes or source.whole or is_compressed(source) or not is_by_line(source):
        yield SourceRange(source, None, size)
        return
    for begin in range(0, size, most_bytes):
        end = min(begin + most_bytes, size)
        yield SourceRange(source, (begin, end), end - begin)


# `sys.path` is passed on: computing it again in `site` takes half as long as the imports of a worker.
WORKER = """import sys
sys.path[:] = sys.argv[1].split("\\n")
from lambda_latency.latency.loading.worker_main import main
main(int(sys.argv[2]))
"""


class WorkerPool:
    """A worker in this process, and a worker process for each of `workers` but the first: they create the workers.

    `tasks` has the number of tasks of each method of a worker whose tasks are shared. `files` are inherited.
    """

    def __init__(
        self, workers: Sequence[Callable[[], Any]], tasks: Mapping[str, int], files: Sequence[int] = ()
    ) -> None:
        self._own_worker: Any = workers[0]()
        self._queues = {method: TaskQueue.up_to(count) for method, count in tasks.items()}
        self._connections: list[Connection[Any, Any]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        queues = {method: queue.file for method, queue in self._queues.items()}
        no_bytecode = ["-B"] if sys.dont_write_bytecode else []  # -I ignores PYTHONDONTWRITEBYTECODE
        for worker in workers[1:]:
            connection, worker_end = Pipe()
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", *no_bytecode, "-c", WORKER, "\n".join(sys.path), str(worker_end.fileno())],
                pass_fds=[worker_end.fileno(), *queues.values(), *files],
                stdin=subprocess.DEVNULL,
                # Ctrl-C reaches this process only, which ends the others
                start_new_session=True,
            )
            self._processes.append(process)
            worker_end.close()
            self._connections.append(connection)
            _send(connection, (worker, queues))

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
        yield getattr(self._own_worker, method)(*arguments)
        yield from map(_received, self._connections)

    def breakdowns(self) -> Breakdowns:
        """Return the breakdowns that all workers have made; those of this process first."""
        breakdowns: Breakdowns = self._own_worker.breakdowns
        for connection in self._connections:
            breakdowns.receive(iter(partial(_called, connection, "next_piece"), None))
        return breakdowns

    def share(self, method: str, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Distribute tasks among the workers: the number and the result of each task, in the order of arrival.

        Other processes send their results at their end. Raises `ReportError` if a process was killed.
        """
        busy = list(self._connections)
        for connection in busy:
            _send(connection, (method, tasks))
        for number in self._queues[method]:
            yield number, getattr(self._own_worker, method)(tasks[number])
            yield from _ready(busy, 0)  # raises the error of a failed process at once
        while busy:
            yield from _ready(busy)


def _ready(busy: list[Connection[Any, Any]], timeout: float | None = None) -> Iterator[tuple[int, Any]]:
    """Yield the results that have arrived. A connection is removed from `busy` after its last result."""
    ready = wait(busy, timeout)
    for connection in [connection for connection in busy if connection in ready]:
        answer = _received(connection)
        if answer is None:
            busy.remove(connection)
        else:
            yield answer


def _called(connection: Connection[Any, Any], method: str) -> Any:
    _send(connection, (method, ()))
    return _received(connection)


def _send(connection: Connection[Any, Any], message: object) -> None:
    try:
        connection.send(message)
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
