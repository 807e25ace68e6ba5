"""Keeps rows on disk between reading and analysis, in partitions by trace id that are loaded one at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from lambda_latency.trace.model.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.trace.model.row import Rows
    from lambda_latency.trace.model.shape import Shape

__all__ = ["Extents", "Spill", "spilled"]

MOST_WAITING = 20_000  # rows of all partitions that wait in memory before they are written: some 12 MB
Extents: TypeAlias = list[tuple[int, int]]  # offsets and lengths in bytes

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, list[Any]]]).decode
FIELDS = 8  # written for each row


class Spill:
    """Writes rows to an open file, given as a file descriptor.

    `extents` has the offsets and lengths of the rows of each partition. A shape is written as its index in `shapes`.
    """

    def __init__(self, file: int, partitions: int) -> None:
        self._file, self._at = file, 0
        self._numbers: dict[Shape, int] = {}
        self._waiting: list[list[tuple[str, list[Any]]]] = [[] for _ in range(partitions)]
        self._count = 0
        self.shapes: list[Shape] = []
        self.extents: list[Extents] = [[] for _ in range(partitions)]

    def take(self, traces: Rows) -> None:
        """Take over all rows of `traces` and empty it. Raises `OSError` if the disk is full."""
        numbers, shapes = self._numbers, self.shapes
        for trace_id, rows in traces.items():
            flat: list[Any] = []
            for row in rows:
                number = numbers.get(row.shape)
                if number is None:
                    number = numbers[row.shape] = len(shapes)
                    shapes.append(row.shape)
                name = None if row.name == row.shape.name else row.name
                flat += (row.span_id, row.parent_id, row.start_ns, row.end_ns, number, name, row.attempts, row.route)
            at = int(trace_id[-4:], 16) % len(self._waiting)
            self._waiting[at].append((trace_id, flat))
            self._count += len(rows)
            if self._count >= MOST_WAITING:
                self.flush()
        traces.clear()

    def flush(self) -> None:
        """Write the rows that wait in memory. Raises `OSError` if the disk is full."""
        for waiting, extents in zip(self._waiting, self.extents, strict=True):
            if waiting:
                extents.append(self._write(_encode(waiting)))
                waiting.clear()
        self._count = 0

    def _write(self, data: bytes) -> tuple[int, int]:
        begin, rest = self._at, memoryview(data)
        while rest:
            written = os.pwrite(self._file, rest, self._at)
            self._at += written
            rest = rest[written:]
        return begin, len(data)


def spilled(file: int, extents: Extents, shapes: Sequence[Shape]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of a partition by trace id, in the pieces that were taken over: a trace may have several."""
    for offset, length in extents:
        for trace_id, flat in _decode(os.pread(file, length, offset)):
            fields = iter(flat)
            yield trace_id, [_row(shapes[one[4]], *one) for one in zip(*[fields] * FIELDS, strict=True)]


def _row(
    shape: Shape,
    span_id: str,
    parent_id: str,
    start_ns: int,
    end_ns: int,
    _: int,
    name: str | None,
    attempts: list[int] | None,
    route: str,
) -> Row:
    between = (attempts[0], attempts[1]) if attempts is not None else None
    return Row(span_id, parent_id, start_ns, end_ns, shape, shape.name if name is None else name, between, route)
