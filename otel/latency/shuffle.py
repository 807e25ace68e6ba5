"""More than memory holds: read onto disk by trace id, then judged partition by partition, by a process a processor.

The files on disk never have a name, so that none is left, whatever ends a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any

from otel.latency.accounts import Accounts
from otel.latency.errors import ReportError
from otel.latency.lean import new_reader
from otel.latency.loading import size_of
from otel.latency.work import Piece, Work
from otel.trace.blocks import is_compressed, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otel.trace import Problem, Source
    from otel.trace.index import LineIndex

__all__ = ["load_spilled"]

PIECE = 8 * 1024 * 1024  # bytes of a file that one process reads at a time
PARTITION = 40 * 1024 * 1024  # bytes of input whose spans are in memory together
MOST_PARTITIONS = 256

# With the path of this process: what `site` would look up again takes as long as half of what a worker imports.
WORKER = """import sys
sys.path[:] = sys.argv[1].split("\\n")
from otel.latency.worker import main
main(sys.argv[2:])
"""


def load_spilled(
    sources: Sequence[Source],
    problems: list[Problem],
    step: Callable[[int], None],
    index: LineIndex,
    processes: int | None = None,
) -> Accounts:
    """As `load`. Raises `ReportError` where the temporary folder has no room."""
    processes = processes or _processors()
    size = sum(map(size_of, sources))
    partitions = max(processes, min(MOST_PARTITIONS, size // PARTITION + 1))
    pieces = [piece for source in sources for piece in _pieces(source)]
    accounts = Accounts()
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()).fileno() for _ in range(processes)]
            crew = stack.enter_context(_Crew(files, partitions))
            for piece, read in crew.share("read", [(piece,) for piece in pieces]):
                problems += read.problems
                index.merge(piece[0].source, read.where)
                accounts.extend(read.accounts)
                step(read.size)
            left = crew.all("leave")
            crew.all("take", left)
            for _, (some, told) in crew.share("judge", [([at],) for at in range(partitions)]):
                accounts.extend(some)
                problems += told
    except OSError as error:
        folder = tempfile.gettempdir()
        raise ReportError(
            f"{folder} has no room for temporary files: {error.strerror or error}",
            f"about {size // 8_000_000 + 1} MB are needed: make room, or name another folder with TMPDIR",
        ) from error
    return accounts


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pieces(source: Source) -> Iterator[Piece]:
    """A file of lines that can be read from anywhere in several pieces, any other in one."""
    size = size_of(source)
    if size <= PIECE or source.whole or is_compressed(source) or not _is_by_line(source):
        yield Piece(source, None)
        return
    for begin in range(0, size, PIECE):
        yield Piece(source, (begin, min(begin + PIECE, size)))


def _is_by_line(source: Source) -> bool:
    reader = new_reader()
    numbered = lines(source, [], between=(0, PIECE))
    return any(reader.read([line])[0] is not None for (_, line), _ in zip(numbered, range(2), strict=False))


class _Crew:
    """Processes that work; a single one is this one."""

    def __init__(self, files: list[int], partitions: int) -> None:
        self._here = Work(files, 0, partitions) if len(files) == 1 else None
        self._lines: list[Connection[Any, Any]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        unwritten = ["-B"] if sys.dont_write_bytecode else []  # -I keeps the environment out
        for own in range(len(files) if self._here is None else 0):
            ours, theirs = Pipe()
            given = map(str, (theirs.fileno(), own, partitions, *files))
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", *unwritten, "-c", WORKER, "\n".join(sys.path), *given],
                pass_fds=[theirs.fileno(), *files],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
            )
            self._processes.append(process)
            theirs.close()
            self._lines.append(ours)

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.kill()
            process.wait()

    def all(self, what: str, *given: object) -> list[Any]:
        """What each of them answers, in their order."""
        if self._here is not None:
            return [getattr(self._here, what)(*given)]
        for line in self._lines:
            line.send((what, given))
        return [_answer(line) for line in self._lines]

    def share(self, what: str, every: Sequence[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """Have each of these done by one of them, as they come free: what was given, and the answer."""
        if self._here is not None:
            for given in every:
                yield given, getattr(self._here, what)(*given)
            return
        waiting = list(reversed(every))
        busy: dict[Connection[Any, Any], tuple[Any, ...]] = {}
        for line in self._lines[: len(waiting)]:
            busy[line] = waiting.pop()
            line.send((what, busy[line]))
        while busy:
            for ready in wait(list(busy)):
                line = next(one for one in busy if one is ready)
                given, answer = busy.pop(line), _answer(line)
                if waiting:
                    busy[line] = waiting.pop()
                    line.send((what, busy[line]))
                yield given, answer


def _answer(line: Connection[Any, Any]) -> Any:
    try:
        answer = line.recv()
    except EOFError:
        raise ReportError("a process that read traces was ended from outside", "say it again") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer
