"""More than memory holds: read onto disk by trace id, then judged partition by partition, by a process a processor.

This process is one of them, and begins while the others start. The files on disk never have a name, so that none is
left, whatever ends a process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any

from lambda_latency.latency.accounts import Accounts
from lambda_latency.latency.beside import processors
from lambda_latency.latency.errors import ReportError
from lambda_latency.latency.lean import new_reader
from lambda_latency.latency.loading import bytes_of, size_of
from lambda_latency.latency.turns import MOST, Turns
from lambda_latency.latency.work import Piece, Work
from lambda_latency.trace.blocks import is_compressed, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lambda_latency.latency.progress import Progress
    from lambda_latency.trace import Problem, Source
    from lambda_latency.trace.index import LineIndex

__all__ = ["load_spilled"]

PIECE = 8 * 1024 * 1024  # bytes of a file that one process reads at a time
PARTITION = 20 * 1024 * 1024  # bytes of input whose spans are in memory together
MOST_PARTITIONS = 256

# With the path of this process: what `site` would look up again takes as long as half of what a worker imports.
WORKER = """import sys
sys.path[:] = sys.argv[1].split("\\n")
from lambda_latency.latency.worker import main
main(int(sys.argv[2]))
"""


def load_spilled(
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Progress,
    index: LineIndex,
    processes: int | None = None,
) -> Accounts:
    """As `load`. Raises `ReportError` where the temporary folder has no room."""
    processes = processes or processors()
    size = sum(map(size_of, sources))
    partitions = max(processes, min(MOST_PARTITIONS, size // PARTITION + 1))
    batches = list(_batches(sources, max(PIECE, 2 * size // MOST)))
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()).fileno() for _ in range(processes)]
            crew = stack.enter_context(_Crew(files, partitions, {"read": len(batches), "judge": partitions}))
            sizes = [sum(piece.size for piece in batch) for batch in batches]
            for turn, read in _watched(crew.share("read", batches), sizes, progress):
                problems += read.problems
                for piece in batches[turn]:
                    index.merge(piece.source, read.where)
            left = list(crew.all("leave"))
            list(crew.all("take", left))
            sizes = [sum(sizes) // partitions] * partitions
            progress.stage("judging", sum(sizes))
            for _, told in _watched(crew.share("judge", range(partitions)), sizes, progress):
                problems += told
            judged = crew.all("judged")
            accounts: Accounts = next(judged)
            for some in judged:
                accounts.extend(some)
            return accounts
    except OSError as error:
        folder = tempfile.gettempdir()
        raise ReportError(
            f"{folder} has no room for temporary files: {error.strerror or error}",
            f"about {size // 8_000_000 + 1} MB are needed: make room, or name another folder with TMPDIR",
        ) from error


def _watched(shared: Iterable[tuple[int, Any]], sizes: Sequence[int], progress: Progress) -> Iterator[tuple[int, Any]]:
    """The same; and it is told how much is done: of what was begun before the last that was done hardly any is not."""
    begun = 0
    for turn, answer in shared:
        yield turn, answer
        progress.step(sum(sizes[begun : turn + 1]))
        begun = max(begun, turn + 1)


def _batches(sources: Iterable[Source], size: int) -> Iterator[list[Piece]]:
    """Pieces that are read together: a large one, or several small ones."""
    batch: list[Piece] = []
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


def _pieces(source: Source, most: int) -> Iterator[Piece]:
    """A file of lines that can be read from anywhere in several pieces, any other in one."""
    size = bytes_of(source)
    if size <= most or source.whole or is_compressed(source) or not _is_by_line(source):
        yield Piece(source, None, size)
        return
    for begin in range(0, size, most):
        end = min(begin + most, size)
        yield Piece(source, (begin, end), end - begin)


def _is_by_line(source: Source) -> bool:
    reader = new_reader()
    numbered = lines(source, [], between=(0, PIECE))
    return any(reader.read([line])[0] is not None for (_, line), _ in zip(numbered, range(2), strict=False))


class _Crew:
    """This process, and others that work beside it, one for each file but the first.

    `shared` is what they divide among them, and how many times it is done.
    """

    def __init__(self, files: list[int], partitions: int, shared: Mapping[str, int]) -> None:
        self._here = Work(files, 0, partitions)
        self._turns = {what: Turns.up_to(count) for what, count in shared.items()}
        self._lines: list[Connection[Any, Any]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        turns = {what: one.file for what, one in self._turns.items()}
        unwritten = ["-B"] if sys.dont_write_bytecode else []  # -I keeps the environment out
        for own in range(1, len(files)):
            ours, theirs = Pipe()
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", *unwritten, "-c", WORKER, "\n".join(sys.path), str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *turns.values(), *files],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
            )
            self._processes.append(process)
            theirs.close()
            self._lines.append(ours)
            _say(ours, (own, partitions, files, turns))

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.kill()
            process.wait()
        for turns in self._turns.values():
            turns.close()

    def all(self, what: str, *given: object) -> Iterator[Any]:
        """What each of them answers, in the order of the files, one answer at a time."""
        for line in self._lines:
            _say(line, (what, given))
        yield getattr(self._here, what)(*given)
        yield from map(_answer, self._lines)

    def share(self, what: str, every: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Have each of these done by one of them, as they come free: its place, and the answer.

        Those of others come last.
        """
        busy = list(self._lines)
        for line in busy:
            _say(line, (what, every))
        for turn in self._turns[what]:
            yield turn, getattr(self._here, what)(every[turn])
            yield from _heard(busy, 0)  # of one that failed it is heard at once
        while busy:
            yield from _heard(busy)


def _heard(busy: list[Connection[Any, Any]], timeout: float | None = None) -> Iterator[tuple[int, Any]]:
    """What those that are ready have to say; who has said all is busy no more."""
    ready = wait(busy, timeout)
    for line in [one for one in busy if one in ready]:
        answer = _answer(line)
        if answer is None:
            busy.remove(line)
        else:
            yield answer


def _say(line: Connection[Any, Any], what: object) -> None:
    try:
        line.send(what)
    except ConnectionError:
        raise _ended() from None


def _answer(line: Connection[Any, Any]) -> Any:
    try:
        answer = line.recv()
    except (EOFError, ConnectionError):
        raise _ended() from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _ended() -> ReportError:
    return ReportError("a process that read traces was ended from outside", "say it again")
