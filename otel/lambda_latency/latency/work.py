"""What is done with many traces in any number of processes: reading them onto disk by trace id, then judging each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts import Accounts
from lambda_latency.latency.lean import new_reader
from lambda_latency.latency.loading import Judge, judge_whole, left_over
from lambda_latency.trace.blocks import count_lines
from lambda_latency.trace.index import LineIndex
from lambda_latency.trace.spill import Extents, Spill, spilled, spilled_spans
from lambda_latency.trace.wire import together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_latency.trace.lean import Shape
    from lambda_latency.trace.problem import Problem
    from lambda_latency.trace.sources import Source
    from lambda_latency.trace.span import Span
    from lambda_latency.trace.wire import Rows

__all__ = ["Left", "Piece", "Read", "Work"]


Parts = tuple[int, list[bytes]]  # of a trace, packed, and the number at which their shapes begin


class Piece(NamedTuple):
    """A source, or the lines of it that begin between two offsets, and how many bytes these are on disk."""

    source: Source
    between: tuple[int, int] | None
    size: int


class Read(NamedTuple):
    """What some pieces, each of another source, told beside their spans."""

    problems: list[Problem]
    where: LineIndex


class Left(NamedTuple):
    """What a process left on disk: the shapes of its spans, and where those of each partition are."""

    shapes: list[Shape]
    lean: list[Extents]
    full: list[Extents]


class Work:
    """One process's part. `files` are the spill files of all of them, the one at `own` is its."""

    def __init__(self, files: list[int], own: int, partitions: int) -> None:
        self._files = files
        self._spill = Spill(files[own], partitions)
        self._reader = new_reader()
        self._left: list[Left] = []
        self._accounts = Accounts()

    def read(self, pieces: Iterable[Piece]) -> Read:
        """Read some pieces onto disk. Raises `OSError` where there is no room."""
        read = Read([], LineIndex())
        for piece in pieces:
            self._read(piece, read)
        return read

    def _read(self, piece: Piece, read: Read) -> None:
        source = piece.source
        problems: list[Problem] = []
        for spans in left_over(
            source, self._reader, problems, lambda _: None, read.where, piece.between, self._put_away
        ):
            if source.whole:
                judge_whole(spans, self._accounts, problems)
            else:
                for span in spans:
                    self._spill.add_span(span)
        self._put_away()
        if piece.between is not None and piece.between[0] and any(one.line for one in problems):
            before = count_lines(source, piece.between[0])
            problems = [one if one.line is None else replace(one, line=one.line + before) for one in problems]
        read.problems.extend(problems)

    def _put_away(self) -> None:
        add, parts = self._spill.add, self._reader.parts
        for trace_id, some in parts.items():
            add(trace_id, some)
        parts.clear()

    def leave(self) -> Left:
        """What was read is on disk."""
        self._spill.flush()
        left = Left(self._reader.shapes, self._spill.lean, self._spill.full)
        self._reader = new_reader()
        return left

    def take(self, left: list[Left]) -> None:
        """What all processes have left, in the order of their files."""
        self._left = left
        self._reader.shapes = [shape for one in left for shape in one.shapes]
        self._judge = Judge(self._reader, self._accounts)

    def judge(self, partition: int) -> list[Problem]:
        """Add the accounts of the traces in a partition; what does not fit in them."""
        problems: list[Problem] = []
        traces: dict[str, list[Parts]] = {}
        others: dict[str, list[Span]] = {}
        base = 0
        for file, left in zip(self._files, self._left, strict=True):
            for trace_id, parts in spilled(file, left.lean[partition]):
                traces.setdefault(trace_id, []).append((base, parts))
            for span in spilled_spans(file, left.full[partition]):
                others.setdefault(span.trace_id, []).append(span)
            base += len(left.shapes)
        self._judge.judge(_unpacked(traces), others, problems)
        return problems

    def judged(self) -> Accounts:
        """The accounts of all that was judged here."""
        return self._accounts


def _unpacked(traces: dict[str, list[Parts]]) -> Iterator[tuple[str, Rows]]:
    """The spans of each, which is let go: the accounts need the room."""
    while traces:
        trace_id, several = traces.popitem()
        rows: Rows = []
        for base, parts in several:
            rows += together(parts, base)
        yield trace_id, rows
