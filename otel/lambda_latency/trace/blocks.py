"""Files as texts of whole lines, and as lines, many at a time: gzip, zstd or plain, as far as they can be read."""

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
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambda_latency.trace.sources import Source

__all__ = ["Block", "Text", "blocks", "count_lines", "is_compressed", "texts"]

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

    def until(self, last: int) -> Block:
        """The first of them."""
        if last >= len(self.lines):
            return self
        end = self.offsets[last] if self.offsets else self.end
        return Block(self.numbers[:last], self.lines[:last], self.offsets[:last], end)

    def after(self, first: int) -> Block:
        """All but the first of them."""
        return Block(self.numbers[first:], self.lines[first:], self.offsets[first:], self.end)


class Text(NamedTuple):
    """Whole lines that follow each other as one text: the number of the first, and the offset that it begins at.

    `taken` is how far into the file reading went for it, which is another place where the file is compressed.
    """

    number: int
    at: int
    text: bytes
    taken: int
    compressed: bool

    def block(self) -> Block:
        """The same, line by line, without empty ones."""
        found = [self.text] if self.text.find(b"\n", 0, -1) < 0 else _lines_of(self.text)  # a large one is not copied
        *offsets, end = accumulate(map(len, found), initial=self.at)
        numbers: Sequence[int] = range(self.number, self.number + len(found))
        if any(map(bytes.isspace, found)):
            full = [not line.isspace() for line in found]
            numbers, offsets = list(compress(numbers, full)), list(compress(offsets, full))
            found = list(compress(found, full))
        return Block(numbers, found, () if self.compressed else offsets, end)


def texts(source: Source, problems: list[Problem], begin: int = 0) -> Iterator[Text]:
    """The lines of a file, as far as it can be read, without endless ones.

    They are those that begin at the offset `begin` or behind it, and are numbered from there.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), BUFFER) as file, _plain(file) as stream:
            at, compressed = begin, stream is not file
            if at:
                file.seek(at - 1)  # a line that begins before is another's, up to its end
                at += len(file.readline()) - 1
            for number, first, text in _texts(stream, at, source.name, problems):
                yield Text(number, first, text, file.tell() if compressed else first + len(text), compressed)
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(source.name, None, reason))


def blocks(
    found: Iterable[Text], step: Callable[[int], None] = lambda _: None, between: tuple[int, int] | None = None
) -> Iterator[Block]:
    """Texts line by line. `step` hears how many bytes of the file were taken in.

    With `between`, two offsets in the file, only the lines that begin before the second of them count.
    """
    told = between[0] if between is not None else 0
    for text in found:
        whole = text.block()
        block = whole if between is None else whole.until(bisect_left(whole.offsets, between[1]))
        if block.lines:
            yield block
        now = text.taken if block is whole else block.end
        step(now - told)
        told = now
        if block is not whole:
            return


def _texts(
    stream: io.BufferedReader[Any] | gzip.GzipFile, at: int, name: str, problems: list[Problem]
) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of some whole lines at a time."""
    number = 1
    broken: Exception | None = None
    while broken is None:
        text, last = b"", 0  # `last` is where the last line begins
        try:
            text = stream.readline(LONGEST_LINE)
            if text.endswith(b"\n") and len(text) < BLOCK:
                text += stream.read1(BLOCK)
                last = text.rfind(b"\n") + 1
                if last < len(text):
                    text += stream.readline(max(LONGEST_LINE - (len(text) - last), 0))
        except UNREADABLE as error:  # what was read before the break is not lost with it
            broken, text = error, text[: text.rfind(b"\n") + 1]
        if not text:
            break
        endless = len(text) - last >= LONGEST_LINE and not text.endswith(b"\n")
        whole = text[:last] if endless else text
        if whole:
            yield number, at, whole
        at, number = at + len(text), number + whole.count(b"\n")
        if endless:
            problems.append(Problem(name, number, f"longer than {LONGEST_LINE // 1024 // 1024} MiB"))
            number += 1
            while text and not text.endswith(b"\n"):
                text = stream.readline(BLOCK)
                at += len(text)
    if broken is not None:
        raise broken


def _lines_of(text: bytes) -> list[bytes]:
    return io.BytesIO(text).readlines()  # splitlines would cut at carriage returns too


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


def count_lines(source: Source, end: int) -> int:
    """How many lines of a file begin before an offset that a line begins at or after."""
    with source.path.open("rb") as file:
        before = end - 1
        found = 1 if end else 0
        while before > 0 and (text := file.read(min(BLOCK, before))):
            found += text.count(b"\n")
            before -= len(text)
    return found
