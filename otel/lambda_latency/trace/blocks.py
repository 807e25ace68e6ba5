"""Files as lines, many at a time: gzip, zstd or plain, as far as they can be read."""

from __future__ import annotations

import gzip
import io
import zlib
from bisect import bisect_left
from itertools import accumulate, compress
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.trace.problem import Problem
from lambda_latency.trace.zstd import ZSTD, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.trace.sources import Source

__all__ = ["Block", "begins", "blocks", "count_lines", "is_compressed", "lines", "whole"]

UNREADABLE = (OSError, EOFError, zlib.error)
GZIP = b"\x1f\x8b"
LONGEST_LINE = 256 * 1024 * 1024  # above it something is wrong with the file, and reading on may end the process
BUFFER = 1024 * 1024
BLOCK = 256 * 1024  # bytes that are read, and whose lines are decoded, together


class Block(NamedTuple):
    """Lines that follow each other, their numbers, and the offsets that they begin at.

    `end` is the offset behind the last. Where a file is compressed there are no offsets to go to.
    """

    numbers: Sequence[int]
    lines: Sequence[bytes]
    offsets: Sequence[int]
    end: int

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """Each with its number."""
        return zip(self.numbers, self.lines, strict=True)

    def until(self, last: int) -> Block:
        """The first of them."""
        if last >= len(self.lines):
            return self
        end = self.offsets[last] if self.offsets else self.end
        return Block(self.numbers[:last], self.lines[:last], self.offsets[:last], end)

    def after(self, first: int) -> Block:
        """All but the first of them."""
        return Block(self.numbers[first:], self.lines[first:], self.offsets[first:], self.end)


def blocks(
    source: Source,
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> Iterator[Block]:
    """The lines of a file, as far as it can be read; empty ones and endless ones are left out.

    `step` hears how many bytes of the file were taken in. With `between` only the lines that begin from the first of
    these offsets up to the second count, and are numbered.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), BUFFER) as file, _plain(file) as stream:
            told = at = between[0] if between is not None else 0
            if at:
                file.seek(at - 1)  # a line that begins before is another's, up to its end
                at += len(file.readline()) - 1
            for block in _blocks(stream, at, source.name, problems):
                found = block if between is None else block.until(bisect_left(block.offsets, between[1]))
                if found.lines:
                    yield found if stream is file else found._replace(offsets=())
                now = found.end if stream is file else file.tell()
                step(now - told)
                told = now
                if found is not block:
                    return
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(source.name, None, reason))


def lines(
    source: Source,
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> Iterator[tuple[int, bytes]]:
    """As `blocks`, each line by itself, with its number."""
    for block in blocks(source, problems, step, between):
        yield from block.numbered()


def _blocks(
    stream: io.BufferedReader[Any] | gzip.GzipFile, at: int, name: str, problems: list[Problem]
) -> Iterator[Block]:
    readline, longest, number = stream.readline, LONGEST_LINE, 1
    broken: Exception | None = None
    line = b"\n"
    while line and broken is None:
        found: list[bytes] = []
        size = length = 0
        try:
            while size < BLOCK and length < longest and (line := readline(longest)):
                found.append(line)
                length = len(line)
                size += length
        except UNREADABLE as error:  # what was read before the break is not lost with it
            broken = error
        endless = length == longest and not line.endswith(b"\n")
        if endless:
            found.pop()
        *offsets, end = accumulate(map(len, found), initial=at)
        if found:
            yield _without_empty(Block(range(number, number + len(found)), found, offsets, end))
        at, number = end, number + len(found)
        if endless:
            problems.append(Problem(name, number, f"longer than {longest // 1024 // 1024} MiB"))
            at, number = at + length, number + 1
            while line and not line.endswith(b"\n"):
                line = readline(BLOCK)
                at += len(line)
    if broken is not None:
        raise broken


def _without_empty(block: Block) -> Block:
    if not any(map(bytes.isspace, block.lines)):
        return block
    full = [not line.isspace() for line in block.lines]
    return Block(
        list(compress(block.numbers, full)),
        list(compress(block.lines, full)),
        list(compress(block.offsets, full)),
        block.end,
    )


def _plain(file: io.BufferedReader[io.FileIO]) -> io.BufferedReader[Any] | gzip.GzipFile:
    begin = file.peek(4)[:4]
    if begin[:2] == GZIP:  # by content: a name says what somebody meant, not what is inside
        return gzip.GzipFile(fileobj=file, mode="rb")
    return opened(file) if begin == ZSTD else file


def is_compressed(source: Source) -> bool:
    """Is it gzip or zstd, by its content?"""
    with source.path.open("rb") as file:
        begin = file.read(4)
    return begin[:2] == GZIP or begin == ZSTD


def begins(source: Source, size: int) -> bytes:
    """The first bytes of what is in a file; nothing where it cannot be read."""
    try:
        with io.BufferedReader(io.FileIO(source.path)) as file, _plain(file) as stream:
            return stream.read(size)
    except UNREADABLE:
        return b""


def whole(source: Source, problems: list[Problem]) -> bytes:
    """All that is in a file, as far as it can be read."""
    found: list[bytes] = []
    try:
        with io.BufferedReader(io.FileIO(source.path)) as file, _plain(file) as stream:
            while some := stream.read(BUFFER):
                found.append(some)
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(source.name, None, reason))
    return b"".join(found)


def count_lines(source: Source, end: int) -> int:
    """How many lines of a file begin before an offset that a line begins at or after."""
    with source.path.open("rb") as file:
        before = end - 1
        found = 1 if end else 0
        while before > 0 and (text := file.read(min(BLOCK, before))):
            found += text.count(b"\n")
            before -= len(text)
    return found
