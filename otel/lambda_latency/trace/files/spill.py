"""Spills compact spans to disk between reading and analysis, in partitions by trace id that are loaded one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from lambda_latency.trace.model.compact_span import CompactSpan, CompactTraces
from lambda_latency.trace.model.signature import Signature

# Rows of all partitions that wait in memory before they are written: some 1 MB
MOST_WAITING = 12_000
Extents: TypeAlias = list[tuple[int, int]]  # offsets and lengths in bytes

_encode_into = msgspec.msgpack.Encoder().encode_into
_decode = msgspec.msgpack.Decoder(list[tuple[str, list[Any]]]).decode
FIELDS = 8  # written for each row
# MessagePack's sign of an array, whose length follows in four bytes
ARRAY = b"\xdd"


class Spill:
    """Writes rows to an open file, given as a file descriptor.

    `extents` has the offsets and lengths of the rows of each partition. A signature is written as its index in
    `signatures`. Rows wait as bytes: as objects they would take four times the memory.
    """

    def __init__(self, file: int, partitions: int) -> None:
        self._file, self._at = file, 0
        self._numbers: dict[Signature, int] = {}
        self._waiting = [bytearray() for _ in range(partitions)]
        self._traces = [0] * partitions  # that wait
        self._spans = 0
        self.signatures: list[Signature] = []
        self.extents: list[Extents] = [[] for _ in range(partitions)]

    def add(self, traces: CompactTraces) -> None:
        """Take over all rows of `traces` and empty it. Raises `OSError` if the disk is full."""
        numbers, signatures, waiting = self._numbers, self.signatures, self._waiting
        for trace_id, compact_spans in traces.items():
            flat: list[Any] = []
            for compact in compact_spans:
                number = numbers.get(compact.signature)
                if number is None:
                    number = numbers[compact.signature] = len(signatures)
                    signatures.append(compact.signature)
                name = None if compact.name == compact.signature.name else compact.name
                flat += (
                    compact.span_id,
                    compact.parent_id,
                    compact.start_ns,
                    compact.end_ns,
                    number,
                    name,
                    compact.attempts,
                    compact.route,
                )
            partition = partition_of(trace_id, len(waiting))
            _encode_into((trace_id, flat), waiting[partition], -1)
            self._traces[partition] += 1
            self._spans += len(compact_spans)
            if self._spans >= MOST_WAITING:
                self.flush()
        traces.clear()

    def flush(self) -> None:
        """Write the rows that wait in memory. Raises `OSError` if the disk is full."""
        pieces: list[bytes | bytearray] = []
        offset = self._at
        for waiting, traces, extents in zip(self._waiting, self._traces, self.extents, strict=True):
            if traces:
                pieces += (ARRAY, traces.to_bytes(4, "big"), waiting)
                extents.append((offset, len(ARRAY) + 4 + len(waiting)))
                offset += extents[-1][1]
        unwritten = memoryview(b"".join(pieces))
        while unwritten:
            written = os.pwrite(self._file, unwritten, self._at)
            self._at += written
            unwritten = unwritten[written:]
        for waiting in self._waiting:
            waiting.clear()
        self._traces = [0] * len(self._traces)
        self._spans = 0


def partition_of(trace_id: str, partitions: int) -> int:
    """The number of the partition of a trace."""
    return int(trace_id[-4:], 16) % partitions


def read_spilled(
    file: int, extents: Extents, signatures: Sequence[Signature]
) -> Iterator[tuple[str, list[CompactSpan]]]:
    """The rows of a partition by trace id, in the pieces that were taken over: a trace may have several."""
    for offset, length in extents:
        for trace_id, flat in _decode(os.pread(file, length, offset)):
            fields = iter(flat)
            yield trace_id, [_row(compact, signatures) for compact in zip(*[fields] * FIELDS, strict=True)]


def _row(fields: tuple[Any, ...], signatures: Sequence[Signature]) -> CompactSpan:
    span_id, parent_id, start_ns, end_ns, number, name, attempts, route = fields
    signature = signatures[number]
    between = (attempts[0], attempts[1]) if attempts is not None else None
    if name is None:
        name = signature.name
    return CompactSpan(span_id, parent_id, start_ns, end_ns, signature, name, between, route)
