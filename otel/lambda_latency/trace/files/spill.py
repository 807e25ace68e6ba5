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

MOST_WAITING = 12_000  # rows of all partitions that wait in memory before they are written: some 1 MB
Extents: TypeAlias = list[tuple[int, int]]  # offsets and lengths in bytes

_encode_into = msgspec.msgpack.Encoder().encode_into
_decode = msgspec.msgpack.Decoder(list[tuple[str, list[Any]]]).decode
FIELDS = 8  # written for each row
ARRAY = b"\xdd"  # MessagePack's sign of an array, whose length follows in four bytes


class Spill:
    """Writes rows to an open file, given as a file descriptor.

    `extents` has the offsets and lengths of the rows of each partition. A shape is written as its index in `shapes`.
    Rows wait as bytes: as objects they would take four times the memory.
    """

    def __init__(self, file: int, partitions: int) -> None:
        self._file, self._at = file, 0
        self._numbers: dict[Shape, int] = {}
        self._waiting = [bytearray() for _ in range(partitions)]
        self._traces = [0] * partitions  # that wait
        self._rows = 0
        self.shapes: list[Shape] = []
        self.extents: list[Extents] = [[] for _ in range(partitions)]

    def take(self, traces: Rows) -> None:
        """Take over all rows of `traces` and empty it. Raises `OSError` if the disk is full."""
        numbers, shapes, waiting = self._numbers, self.shapes, self._waiting
        for trace_id, rows in traces.items():
            flat: list[Any] = []
            for row in rows:
                number = numbers.get(row.shape)
                if number is None:
                    number = numbers[row.shape] = len(shapes)
                    shapes.append(row.shape)
                name = None if row.name == row.shape.name else row.name
                flat += (row.span_id, row.parent_id, row.start_ns, row.end_ns, number, name, row.attempts, row.route)
            at = int(trace_id[-4:], 16) % len(waiting)
            _encode_into((trace_id, flat), waiting[at], -1)
            self._traces[at] += 1
            self._rows += len(rows)
            if self._rows >= MOST_WAITING:
                self.flush()
        traces.clear()

    def flush(self) -> None:
        """Write the rows that wait in memory. Raises `OSError` if the disk is full."""
        pieces: list[bytes | bytearray] = []
        at = self._at
        for waiting, traces, extents in zip(self._waiting, self._traces, self.extents, strict=True):
            if traces:
                pieces += (ARRAY, traces.to_bytes(4, "big"), waiting)
                extents.append((at, len(ARRAY) + 4 + len(waiting)))
                at += extents[-1][1]
        self._write(b"".join(pieces))
        for waiting in self._waiting:
            waiting.clear()
        self._traces = [0] * len(self._traces)
        self._rows = 0

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._file, rest, self._at)
            self._at += written
            rest = rest[written:]


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
