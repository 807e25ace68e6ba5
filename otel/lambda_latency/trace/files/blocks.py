"""Trace files in pieces of whole lines: plain, gzip or zstd. A broken file is read up to the first error."""

from __future__ import annotations

import gzip
import io
import zlib
from bisect import bisect_left
from itertools import accumulate, compress
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.trace.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambda_latency.trace.files.sources import Source

UNREADABLE = (OSError, EOFError, zlib.error)
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
LONGEST_LINE = 256 * 1024 * 1024  # bytes; a longer line means a broken file and could exhaust the memory
BUFFER = 1024 * 1024
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


class Text:
    """Consecutive whole lines as one text; `number` and `at` are the number and the byte offset of the first line.

    `taken` is the number of bytes of the file that were read up to the end of the text. In a compressed file these are
    compressed bytes, while `at` is an offset in the decompressed text.
    """

    __slots__ = ("_count", "at", "number", "taken", "text")

    def __init__(self, number: int, at: int, text: bytes, taken: int) -> None:
        self.number, self.at, self.text, self.taken = number, at, text, taken
        self._count: int | None = None

    @property
    def count(self) -> int:
        """The number of lines. After `block` it is known, which saves a look at each byte."""
        return self.text.count(b"\n") if self._count is None else self._count

    def block(self) -> Block:
        """The lines of the text, without the empty ones."""
        found = [self.text] if self.text.find(b"\n", 0, -1) < 0 else _lines_of(self.text)  # a large line is not copied
        self._count = len(found)
        *offsets, end = accumulate(map(len, found), initial=self.at)
        numbers: Sequence[int] = range(self.number, self.number + len(found))
        if any(map(bytes.isspace, found)):
            full = [not line.isspace() for line in found]
            numbers, offsets = list(compress(numbers, full)), list(compress(offsets, full))
            found = list(compress(found, full))
        return Block(numbers, found, offsets, end)


def texts(source: Source, problems: list[Problem], begin: int = 0) -> Iterator[Text]:
    """The lines of a file that begin at or after the offset `begin`. Their numbers count from there.

    A line of `LONGEST_LINE` bytes or more is left out. An error ends the iteration; `problems` gets both.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), BUFFER) as file, _plain(file) as stream:
            at, compressed = begin, stream is not file
            if at:
                file.seek(at - 1)  # the rest of a line that begins before `begin` is skipped
                at += len(file.readline()) - 1
            taken = (lambda _: file.tell()) if compressed else int
            yield from _texts(stream, at, source.name, problems, taken)
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(source.name, None, reason))


def lines_at(source: Source, offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The offset and the bytes of the line at each offset, ascending. A file that cannot be read ends the iteration.

    A compressed file is decompressed up to the last offset: that takes less time than a look at all of its lines.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), BUFFER) as file, _plain(file) as stream:
            yield from _sought(file, offsets) if stream is file else _passed(stream, offsets)
    except UNREADABLE:
        return


def _sought(file: io.BufferedReader[Any], offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    for offset in offsets:
        file.seek(offset)
        yield offset, file.readline()


def _passed(stream: io.BufferedReader[Any] | gzip.GzipFile, offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
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
    found: Iterable[Text], step: Callable[[int], None] = lambda _: None, between: tuple[int, int] | None = None
) -> Iterator[Block]:
    """The lines of texts. `step` is called with the number of bytes of the file that were read since the last call.

    `between` are the first and the last offset of a part of the file. `found` must begin at the first one; lines that
    begin at or after the last one are left out.
    """
    reported = between[0] if between is not None else 0
    for text in found:
        whole = text.block()
        block = whole if between is None else whole.until(bisect_left(whole.offsets, between[1]))
        if block.lines:
            yield block
        now = text.taken if block is whole else block.end
        step(now - reported)
        reported = now
        if block is not whole:
            return


def _texts(
    stream: io.BufferedReader[Any] | gzip.GzipFile,
    at: int,
    name: str,
    problems: list[Problem],
    taken: Callable[[int], int],
) -> Iterator[Text]:
    """Whole lines, about `BLOCK` bytes at a time. `taken` returns the bytes of the file up to an offset just read."""
    number = 1
    broken: Exception | None = None
    while broken is None:
        read: list[bytes] = []
        last = 0  # the offset of the last line in `text`
        try:
            last = _read(stream, read)
        except UNREADABLE as error:
            broken = error
        text = b"".join(read)
        if broken is not None:
            text = text[: text.rfind(b"\n") + 1]  # the whole lines before the error are kept
        if not text:
            break
        endless = len(text) - last >= LONGEST_LINE and not text.endswith(b"\n")
        whole = text[:last] if endless else text
        found = Text(number, at, whole, taken(at + len(whole)))
        if whole:
            yield found
        at, number = at + len(text), number + found.count
        if endless:
            problems.append(Problem(name, number, f"longer than {LONGEST_LINE // 1024 // 1024} MiB"))
            number += 1
            while text and not text.endswith(b"\n"):
                text = stream.readline(BLOCK)
                at += len(text)
    if broken is not None:
        raise broken


def _read(stream: io.BufferedReader[Any] | gzip.GzipFile, read: list[bytes]) -> int:
    """Add the pieces of some whole lines to `read`, up to an error; returns the offset of the last line."""
    read.append(stream.readline(LONGEST_LINE))
    if not read[0].endswith(b"\n") or len(read[0]) >= BLOCK:
        return 0
    read.append(stream.read1(BLOCK))
    last = len(read[0]) + read[1].rfind(b"\n") + 1
    rest = len(read[0]) + len(read[1]) - last
    if rest:
        read.append(stream.readline(max(LONGEST_LINE - rest, 0)))
    return last


def _lines_of(text: bytes) -> list[bytes]:
    return io.BytesIO(text).readlines()  # bytes.splitlines would also split at carriage returns


def _plain(file: io.BufferedReader[io.FileIO]) -> io.BufferedReader[Any] | gzip.GzipFile:
    begin = file.peek(4)[:4]
    if begin[:2] == GZIP:  # by content, because the name of a file may be wrong
        return gzip.GzipFile(fileobj=file, mode="rb")
    if begin != ZSTD:
        return file
    from lambda_latency.trace.files.zstd import opened

    return opened(file)


def is_compressed(source: Source) -> bool:
    """Whether a file is gzip or zstd, by its content. Raises `OSError` if it cannot be read."""
    with source.path.open("rb") as file:
        begin = file.read(4)
    return begin[:2] == GZIP or begin == ZSTD


def count_lines(source: Source, end: int) -> int:
    """The number of lines of a plain file that begin before the offset `end`. A line must begin at or after `end`.

    Raises `OSError` if the file cannot be read.
    """
    with source.path.open("rb") as file:
        before = end - 1
        found = 1 if end else 0
        while before > 0 and (text := file.read(min(BLOCK, before))):
            found += text.count(b"\n")
            before -= len(text)
    return found
