"""Trace files in pieces of whole lines: plain, gzip or zstd. A broken file is read up to the first error."""

from __future__ import annotations

import io
import os
import shutil
import stat
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, compress
from pathlib import Path
from typing import Any, NamedTuple

from lambda_latency.trace.files.sources import Source
from lambda_latency.trace.model.problem import Problem
from lambda_latency.unpacking import UNPACKING_ERRORS, is_packed, limit_of, unpacking

# bytes; a longer line means a broken file and could exhaust the memory
LONGEST_LINE = 256 * 1024 * 1024
LONGEST_UNPACKED_LINE = 64 * 1024 * 1024  # a file that is this small on disk must not take as much
BUFFER = 1024 * 1024
SOUGHT = 32 * 1024  # bytes that are read for a line at an offset
BLOCK = 256 * 1024  # bytes of lines that are read and decoded together


class Block(NamedTuple):
    """Consecutive lines without the empty ones, their numbers (from 1) and their byte offsets.

    `end` is the offset behind the last line. In a compressed file offsets are those of the decompressed text. `offsets`
    is empty in a file that is not one document a line.
    """

    numbers: Sequence[int]
    lines: Sequence[bytes]
    offsets: Sequence[int]
    end: int

    def until(self, count: int) -> Block:
        """The first `count` lines."""
        if count >= len(self.lines):
            return self
        end = self.offsets[count] if self.offsets else self.end
        return Block(self.numbers[:count], self.lines[:count], self.offsets[:count], end)


class Chunk:
    """Consecutive whole lines as one text; `number` and `offset` are the number and the offset of the first line.

    `consumed` is the number of bytes of the file that were read up to the end of the text. In a compressed file these
    are compressed bytes, while `offset` is an offset in the decompressed text.
    """

    __slots__ = ("_count", "consumed", "number", "offset", "text")

    def __init__(self, number: int, offset: int, text: bytes, consumed: int) -> None:
        self.number, self.offset, self.text, self.consumed = number, offset, text, consumed
        self._count: int | None = None

    @property
    def count(self) -> int:
        """The number of lines. After `block` it is known, which saves a look at each byte."""
        return self.text.count(b"\n") if self._count is None else self._count

    def block(self) -> Block:
        """The lines of the text, without the empty ones."""
        if self.text.isspace():  # millions of empty lines make no objects
            self._count = self.text.count(b"\n")
            return Block((), (), (), self.offset + len(self.text))
        is_one = self.text.find(b"\n", 0, -1) < 0  # a large line is not copied
        lines = [self.text] if is_one else io.BytesIO(self.text).readlines()  # `splitlines` splits at carriage returns
        self._count = len(lines)
        *offsets, end = accumulate(map(len, lines), initial=self.offset)
        numbers: Sequence[int] = range(self.number, self.number + len(lines))
        if any(map(bytes.isspace, lines)):
            has_text = [not line.isspace() for line in lines]
            numbers, offsets = list(compress(numbers, has_text)), list(compress(offsets, has_text))
            lines = list(compress(lines, has_text))
        return Block(numbers, lines, offsets, end)


def texts(source: Source, problems: list[Problem], begin: int = 0) -> Iterator[Chunk]:
    """The lines of a file that begin at or after the offset `begin`. Their numbers count from there.

    A line of `LONGEST_LINE` bytes or more, of `LONGEST_UNPACKED_LINE` in a packed file, is left out. An error ends the
    iteration; `problems` gets both.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), BUFFER) as file, _plain(file) as stream:
            offset, compressed = begin, stream is not file
            if offset:
                # The rest of a line that begins before `begin` is skipped
                file.seek(offset - 1)
                offset += len(file.readline()) - 1
            consumed = (lambda _: file.tell()) if compressed else int
            longest = LONGEST_UNPACKED_LINE if compressed else LONGEST_LINE
            yield from _texts(stream, offset, source.name, problems, consumed, longest)
    except UNPACKING_ERRORS as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(source.name, None, reason))


def lines_at(source: Source, offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The offset and the bytes of the line at each offset, ascending. A file that cannot be read ends the iteration.

    A compressed file is decompressed up to the last offset: that takes less time than a look at all of its lines.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), SOUGHT) as file, _plain(file) as stream:
            yield from _sought(file, offsets) if stream is file else _passed(stream, offsets)
    except UNPACKING_ERRORS:
        return


def _sought(file: io.BufferedReader[Any], offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    for offset in offsets:
        file.seek(offset)
        yield offset, file.readline()


def _passed(stream: io.BufferedReader[Any], offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    begin, text = 0, b""
    for offset in offsets:
        while begin + len(text) <= offset:
            begin += len(text)
            text = stream.read1(BLOCK)
            if not text:
                return
        line = text[offset - begin : text.find(b"\n", offset - begin) + 1]
        if not line:  # it ends in the next text
            line = text[offset - begin :] + stream.readline()
            begin, text = offset + len(line), b""
        yield offset, line


def blocks(
    chunks: Iterable[Chunk], step: Callable[[int], None] = lambda _: None, between: tuple[int, int] | None = None
) -> Iterator[Block]:
    """The lines of chunks, from the first offset of `between` on. `step` and `between` are those of `documents`."""
    reported = between[0] if between is not None else 0
    for chunk in chunks:
        whole = chunk.block()
        block = whole if between is None else whole.until(bisect_left(whole.offsets, between[1]))
        if block.lines:
            yield block
        position = chunk.consumed if block is whole else block.end
        step(position - reported)
        reported = position
        if block is not whole:
            return


def _texts(
    stream: io.BufferedReader[Any],
    offset: int,
    name: str,
    problems: list[Problem],
    consumed: Callable[[int], int],
    longest: int,
) -> Iterator[Chunk]:
    """Yield whole lines, about `BLOCK` bytes at a time. `consumed`: the bytes of the file up to an offset just read."""
    number = 1
    broken: Exception | None = None
    while broken is None:
        text, last_line, broken = _read_lines(stream, longest)
        if not text:
            break
        endless = len(text) - last_line >= longest and not text.endswith(b"\n")
        whole = text[:last_line] if endless else text
        chunk = Chunk(number, offset, whole, consumed(offset + len(whole)))
        if whole:
            yield chunk
        offset, number = offset + len(text), number + chunk.count
        if endless:
            problems.append(Problem(name, number, f"longer than {longest // 1024 // 1024} MiB"))
            number += 1
            skipped = b" "
            while skipped and not skipped.endswith(b"\n"):
                skipped = stream.readline(BLOCK)
                offset += len(skipped)
    if broken is not None:
        raise broken


def _read_lines(stream: io.BufferedReader[Any], longest: int) -> tuple[bytes, int, Exception | None]:
    """Return some whole lines, the offset of the last one in them, and the error that ended the reading."""
    read: list[bytes] = []
    try:
        last_line = _read(stream, read, longest)
    except UNPACKING_ERRORS as error:
        text = b"".join(read)
        return text[: text.rfind(b"\n") + 1], 0, error
    return b"".join(read), last_line, None


def _read(stream: io.BufferedReader[Any], read: list[bytes], longest: int) -> int:
    """Add the pieces of some whole lines to `read`, up to an error; returns the offset of the last line."""
    read.append(stream.readline(longest))
    if not read[0].endswith(b"\n") or len(read[0]) >= BLOCK:
        return 0
    read.append(stream.read1(BLOCK))
    last_line = len(read[0]) + read[1].rfind(b"\n") + 1
    partial = len(read[0]) + len(read[1]) - last_line
    if partial:
        read.append(stream.readline(max(longest - partial, 0)))
    return last_line


def _plain(file: io.BufferedReader[io.FileIO]) -> io.BufferedReader[Any]:
    status = os.fstat(file.fileno())
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        raise OSError("a device, not a file")
    if not is_packed(file.peek(4)):  # by content, because the name of a file may be wrong
        return file
    return unpacking(file, limit_of(status.st_size))


def is_compressed(source: Source) -> bool:
    """Whether a file is gzip or zstd, by its content. Raises `OSError` if it cannot be read."""
    with source.path.open("rb") as file:
        return is_packed(file.read(4))


def unpack(source: Source, path: Path) -> bool:
    """Write the plain bytes of a packed file to `path`; False if an error ends it, which reading the file reports."""
    try:
        with source.path.open("rb") as file, path.open("wb") as plain:
            shutil.copyfileobj(unpacking(file, limit_of(source.path.stat().st_size)), plain)
    except UNPACKING_ERRORS:
        return False
    return True


def count_lines(source: Source, end: int) -> int:
    """The number of lines of a plain file that begin before the offset `end`. A line must begin at or after `end`.

    Raises `OSError` if the file cannot be read.
    """
    with source.path.open("rb") as file:
        remaining = end - 1
        count = 1 if end else 0
        while remaining > 0 and (text := file.read(min(BLOCK, remaining))):
            count += text.count(b"\n")
            remaining -= len(text)
    return count
