"""A worker of a large report: it spills rows to disk by trace id, then judges the traces of partitions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.owners import USUAL, Terms
from lambda_latency.latency.judge.accounting import Judge
from lambda_latency.trace import (
    Extents,
    LineIndex,
    Problem,
    Reader,
    Shape,
    Source,
    Spill,
    count_lines,
    read_rows,
    spilled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.trace import Row

MOST_WAITING = 2000  # traces in memory before their rows are spilled


class Piece(NamedTuple):
    """A source, or its lines that begin between two offsets, and the number of their bytes on disk."""

    source: Source
    between: tuple[int, int] | None
    size: int


class ReadPieces(NamedTuple):
    """The results of reading pieces, besides rows: problems, and the positions of lines."""

    problems: list[Problem]
    lines: LineIndex


class Spilled(NamedTuple):
    """What a process has spilled: the shapes of its rows, and the position of the rows of each partition."""

    shapes: list[Shape]
    extents: list[Extents]


class Worker:
    """A worker. `files` are the descriptors of the spill files of all workers; `own` is the index of its own file."""

    def __init__(self, files: list[int], own: int, partitions: int, terms: Terms = USUAL) -> None:
        self._files = files
        self._spill = Spill(files[own], partitions)
        self._reader, self.accounts = Reader(), Accounts()
        self._judge = Judge(self.accounts, terms)
        self._spilled: list[Spilled] = []
        self._left = self.accounts.pieces()

    def read(self, pieces: Iterable[Piece]) -> ReadPieces:
        """Read pieces and spill their rows to disk. Raises `OSError` if the disk is full."""
        found = ReadPieces([], LineIndex())
        for piece in pieces:
            found.problems.extend(self._read(piece, found.lines))
        return found

    def _read(self, piece: Piece, index: LineIndex) -> list[Problem]:
        problems: list[Problem] = []
        for traces in read_rows(piece.source, self._reader, problems, index, between=piece.between):
            if piece.source.whole:
                self._judge.take(traces, problems)
            elif len(traces) > MOST_WAITING:
                self._spill.take(traces)
        self._spill.take(self._reader.traces)
        if piece.between is not None and piece.between[0] and any(one.line for one in problems):
            before = count_lines(piece.source, piece.between[0])
            problems = [one if one.line is None else replace(one, line=one.line + before) for one in problems]
        return problems

    def spill(self) -> Spilled:
        """Flush the rows to disk, after the last piece."""
        self._spill.flush()
        return Spilled(self._spill.shapes, self._spill.extents)

    def share(self, spilled_by_each: list[Spilled]) -> None:
        """Receive what all workers have spilled, in the order of their files."""
        self._spilled = spilled_by_each

    def judge(self, partition: int) -> list[Problem]:
        """Add the accounts of the traces in a partition; the result is their inconsistencies."""
        problems: list[Problem] = []
        traces: dict[str, list[Row]] = {}
        for file, one in zip(self._files, self._spilled, strict=True):
            for trace_id, rows in spilled(file, one.extents[partition], one.shapes):
                traces.setdefault(trace_id, []).extend(rows)
        self._judge.take(traces, problems)
        return problems

    def judged(self) -> tuple[str, Any] | None:
        """The next piece of the accounts of the traces that this worker has judged; None after the last.

        As one message, the accounts would be in memory several times.
        """
        return next(self._left, None)
