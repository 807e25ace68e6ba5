"""Loading of more than fits into memory: rows are spilled to disk by trace id, and judged partition by partition.

There is one process per processor. This process is one of them, and begins while the others start. Spill files have no
name: none remains, however a process ends.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from lambda_latency.latency.accounts.choice import ReportError
from lambda_latency.latency.accounts.owners import USUAL, Terms
from lambda_latency.latency.loading.pool import WorkerPool
from lambda_latency.latency.loading.progress import bytes_of, size_of
from lambda_latency.latency.loading.task_queue import MOST
from lambda_latency.latency.loading.worker import Piece
from lambda_latency.trace import is_by_line, is_compressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.loading.progress import Progress
    from lambda_latency.trace import LineIndex, Problem, Source

PIECE = 8 * 1024 * 1024  # bytes of a file per task
PARTITION = 10 * 1024 * 1024  # bytes of input whose rows are in memory at a time
MOST_PARTITIONS = 256


def load_spilled(
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Progress,
    index: LineIndex,
    processes: int | None = None,
    terms: Terms = USUAL,
) -> Accounts:
    """As `load`, by way of the disk. Raises `ReportError` if the temporary folder is full."""
    processes = processes or processors()
    size = sum(map(size_of, sources))
    partitions = max(processes, min(MOST_PARTITIONS, size // PARTITION + 1))
    batches = list(_batches(sources, max(PIECE, 2 * size // MOST)))
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()).fileno() for _ in range(processes)]
            pool = stack.enter_context(
                WorkerPool(files, partitions, {"read": len(batches), "judge": partitions}, terms)
            )
            sizes = [sum(piece.size for piece in batch) for batch in batches]
            for number, read in _watched(pool.share("read", batches), sizes, progress):
                problems += read.problems
                for piece in batches[number]:
                    index.merge(piece.source, read.lines)
            spilled_by_each = list(pool.each("spill"))
            list(pool.each("share", spilled_by_each))
            sizes = [sum(sizes) // partitions] * partitions
            progress.stage("judging", sum(sizes))
            for _, found in _watched(pool.share("judge", range(partitions)), sizes, progress):
                problems += found
            return pool.judged()
    except OSError as error:
        folder = tempfile.gettempdir()
        raise ReportError(
            f"{folder} has no room for temporary files: {error.strerror or error}",
            f"about {size // 4_000_000 + 1} MB are needed: free some space, or choose another folder with TMPDIR",
        ) from error


def processors() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _watched(shared: Iterable[tuple[int, Any]], sizes: Sequence[int], progress: Progress) -> Iterator[tuple[int, Any]]:
    """Pass the results on and report progress. Tasks start in order: those before a finished one count as done."""
    begun = 0
    for number, answer in shared:
        yield number, answer
        progress.step(sum(sizes[begun : number + 1]))
        begun = max(begun, number + 1)


def _batches(sources: Iterable[Source], size: int) -> Iterator[list[Piece]]:
    """Pieces that one task reads: a large one, or several small ones."""
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
    """The pieces of a file that can be read independently: several of a large file of lines, one of any other."""
    size = bytes_of(source)
    if size <= most or source.whole or is_compressed(source) or not is_by_line(source):
        yield Piece(source, None, size)
        return
    for begin in range(0, size, most):
        end = min(begin + most, size)
        yield Piece(source, (begin, end), end - begin)
