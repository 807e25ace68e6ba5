"""Spans on disk between reading and judging: in partitions by trace id, of which one at a time is in memory."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from typing import TypeAlias, cast

import msgspec

from lambda_latency.trace.span import Span
from lambda_latency.trace.wire import pack

__all__ = ["Extents", "Spill", "spilled", "spilled_spans"]

WAITING = 400  # parts of traces, and spans, of a partition that wait for their turn to be written
Extents: TypeAlias = list[tuple[int, int]]  # offsets and lengths

_decode = msgspec.msgpack.Decoder(list[tuple[str, list[bytes]]]).decode


class Spill:
    """Writes spans into an open file without a name. `lean` and `full` say for each partition where its spans are."""

    def __init__(self, file: int, partitions: int) -> None:
        self._file, self._at = file, 0
        self._waiting: list[list[tuple[str, list[bytes]]]] = [[] for _ in range(partitions)]
        self._counts = [0] * partitions
        self._others: list[list[Span]] = [[] for _ in range(partitions)]
        self.lean: list[Extents] = [[] for _ in range(partitions)]
        self.full: list[Extents] = [[] for _ in range(partitions)]

    def add(self, trace_id: str, parts: list[bytes]) -> None:
        """Some spans of a trace, packed. Raises `OSError` where there is no room."""
        at = self._partition(trace_id)
        self._waiting[at].append((trace_id, parts))
        self._counts[at] += len(parts)
        if self._counts[at] >= WAITING:
            self._flush(at)

    def add_span(self, span: Span) -> None:
        """A span that the tolerant reader made."""
        at = self._partition(span.trace_id)
        self._others[at].append(span)
        if len(self._others[at]) >= WAITING:
            self._flush(at)

    def flush(self) -> None:
        """Write what is waiting."""
        for at in range(len(self._waiting)):
            self._flush(at)

    def _partition(self, trace_id: str) -> int:
        return int(trace_id[-4:], 16) % len(self._waiting)

    def _flush(self, at: int) -> None:
        if self._waiting[at]:
            self.lean[at].append(self._write(pack(self._waiting[at])))
            self._waiting[at] = []
            self._counts[at] = 0
        if self._others[at]:
            self.full[at].append(self._write(pickle.dumps(self._others[at])))
            self._others[at] = []

    def _write(self, data: bytes) -> tuple[int, int]:
        begin, rest = self._at, memoryview(data)
        while rest:
            written = os.pwrite(self._file, rest, self._at)
            self._at += written
            rest = rest[written:]
        return begin, len(data)


def spilled(file: int, extents: Extents) -> Iterator[tuple[str, list[bytes]]]:
    """The spans of a partition, a few of a trace at a time, packed."""
    for offset, length in extents:
        yield from _decode(os.pread(file, length, offset))


def spilled_spans(file: int, extents: Extents) -> Iterator[Span]:
    """The spans of a partition that the tolerant reader made. What is read here was written here."""
    for offset, length in extents:
        yield from cast("list[Span]", pickle.loads(os.pread(file, length, offset)))  # noqa: S301
