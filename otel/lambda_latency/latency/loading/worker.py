"""A worker of a large report: it spills spans to disk by trace id, then judges the traces of partitions.

Workers take the numbers of tasks from a queue, without messages between them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from lambda_latency.latency.analysis.analyzer import Analyzer
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.owners import DEFAULT_OPTIONS, AnalysisOptions
from lambda_latency.trace import (
    CompactSpan,
    CompactTraces,
    Extents,
    LineIndex,
    Problem,
    Reader,
    Signature,
    Source,
    Spill,
    TracesByExecution,
    count_lines,
    joined_ids,
    note_executions,
    partition_of,
    read_compact_spans,
    read_spilled,
)

MOST = 8192  # numbers that fit into a pipe on every system
WIDTH = 2  # bytes per number


class TaskQueue:
    """The numbers from 0 up, in a pipe. A process reads a whole number at a time, so each number reaches one process.

    `file` is the descriptor that other processes inherit.
    """

    def __init__(self, file: int) -> None:
        self.file = file

    @classmethod
    def up_to(cls, count: int) -> TaskQueue:
        """A queue of the numbers below `count`, which must not exceed `MOST`."""
        file, begin = os.pipe()
        os.write(begin, b"".join(number.to_bytes(WIDTH, "big") for number in range(count)))
        os.close(begin)
        return cls(file)

    def __iter__(self) -> Iterator[int]:
        while number := os.read(self.file, WIDTH):
            yield int.from_bytes(number, "big")

    def close(self) -> None:
        """Close the queue in this process."""
        os.close(self.file)


MOST_WAITING = 2000  # traces in memory before their spans are spilled


class SourceRange(NamedTuple):
    """A source, or its lines that begin between two offsets, and the number of their bytes on disk."""

    source: Source
    between: tuple[int, int] | None
    size: int


class ReadPieces(NamedTuple):
    """The results of reading pieces, besides spans: problems, and the positions of lines."""

    problems: list[Problem]
    lines: LineIndex


class Spilled(NamedTuple):
    """What a process has spilled: the signatures of its spans, and the position of the spans of each partition.

    `executions` are those in several traces or in one.
    """

    signatures: list[Signature]
    extents: list[Extents]
    executions: TracesByExecution


def joined_in(spilled_by_each: Iterable[Spilled]) -> dict[str, str]:
    """Return the id of the joined trace by the id of each other trace of an execution, of what all workers spilled."""
    executions: TracesByExecution = defaultdict(set)
    for spilled in spilled_by_each:
        for arn, trace_ids in spilled.executions.items():
            executions[arn] |= trace_ids
    return joined_ids(executions.values())


class Worker:
    """A worker. `files` are the descriptors of the spill files of all workers; `number` is the index of its own."""

    def __init__(
        self, files: list[int], number: int, partitions: int, options: AnalysisOptions = DEFAULT_OPTIONS
    ) -> None:
        self._files = files
        self._spill = Spill(files[number], partitions)
        self._reader, self.breakdowns = Reader(), Breakdowns()
        self._analyzer = Analyzer(self.breakdowns, options)
        self._spilled: list[Spilled] = []
        self._executions: TracesByExecution = defaultdict(set)
        self._joined: dict[str, str] = {}
        self._partitions = partitions
        self._unsent = self.breakdowns.pieces()

    def read(self, pieces: Iterable[SourceRange]) -> ReadPieces:
        """Read pieces and spill their spans to disk. Raises `OSError` if the disk is full."""
        result = ReadPieces([], LineIndex())
        for piece in pieces:
            result.problems.extend(self._read(piece, result.lines))
        return result

    def _read(self, piece: SourceRange, index: LineIndex) -> list[Problem]:
        problems: list[Problem] = []
        for traces in read_compact_spans(piece.source, self._reader, problems, index, between=piece.between):
            self._take(traces, problems, whole=piece.source.whole)
        self._spill_traces()
        if piece.between is not None and piece.between[0] and any(problem.line for problem in problems):
            lines_before = count_lines(piece.source, piece.between[0])
            problems = [p if p.line is None else replace(p, line=p.line + lines_before) for p in problems]
        return problems

    def _take(self, traces: CompactTraces, problems: list[Problem], *, whole: bool) -> None:
        if whole and not self._reader.has_executions:
            self._analyzer.take(traces, problems)
        elif len(traces) > MOST_WAITING:
            self._spill_traces()

    def _spill_traces(self) -> None:
        if self._reader.has_executions:
            note_executions(self._reader.traces, self._executions)
        self._spill.add(self._reader.traces)

    def spill(self) -> Spilled:
        """Flush the spans to disk, after the last piece."""
        self._spill.flush()
        return Spilled(self._spill.signatures, self._spill.extents, self._executions)

    def share(self, spilled_by_each: list[Spilled]) -> None:
        """Receive what all workers have spilled, in the order of their files."""
        self._spilled = spilled_by_each
        self._joined = joined_in(spilled_by_each)

    def analyze(self, partition: int) -> list[Problem]:
        """Add the breakdowns of the traces in a partition; the result is their inconsistencies."""
        problems: list[Problem] = []
        traces: dict[str, list[CompactSpan]] = {}
        for file, spilled_by_worker in zip(self._files, self._spilled, strict=True):
            for trace_id, spans in self._spilled_spans(file, spilled_by_worker, partition):
                traces.setdefault(trace_id, []).extend(spans)
        self._analyzer.take(traces, problems)
        return problems

    def _spilled_spans(self, file: int, spilled: Spilled, partition: int) -> Iterator[tuple[str, list[CompactSpan]]]:
        """Yield the spans of the traces of a partition; of those that are joined to them, from their own partitions."""
        joined, count = self._joined, self._partitions
        members = [trace_id for trace_id, first_id in joined.items() if partition_of(first_id, count) == partition]
        for number in sorted({partition, *(partition_of(trace_id, count) for trace_id in members)}):
            for trace_id, spans in read_spilled(file, spilled.extents[number], spilled.signatures):
                first_id = joined.get(trace_id, trace_id)
                if partition_of(first_id, count) == partition:
                    yield first_id, spans

    def next_piece(self) -> tuple[str, Any] | None:
        """Return the next piece of the breakdowns of the traces that this worker has judged; None after the last.

        As one message, the breakdowns would be in memory several times.
        """
        return next(self._unsent, None)
