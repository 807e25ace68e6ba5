"""Files as lines and as JSON documents: gzip or plain, one document a line or one over many lines, cut or broken."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import zlib
from typing import TYPE_CHECKING, NamedTuple

from otel.trace.document import is_trace_document
from otel.trace.problem import Problem

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator

    from otel.trace.sources import Source

__all__ = ["Document", "count_lines", "documents", "documents_by_line", "is_compressed", "lines", "parse"]

GZIP = b"\x1f\x8b"
LONGEST_LINE = 256 * 1024 * 1024  # above it something is wrong with the file, and reading on may end the process
BUFFER = 1024 * 1024


class Document(NamedTuple):
    """A parsed document, the text that it was parsed from, and the line on which it begins."""

    line: int
    value: object
    text: bytes


def lines(  # noqa: C901 - a call in it is what the time would go to
    source: Source,
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    begins: array[int] | None = None,
    between: tuple[int, int] | None = None,
) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, as far as it can be read; empty ones and endless ones are left out.

    `step` hears how many bytes of the file were taken in; `begins` gets the offset of each line, unless compressed.
    With `between` only the lines that begin from the first of these offsets up to the second count, and are numbered.
    """
    try:
        with io.BufferedReader(io.FileIO(source.path), BUFFER) as file, _plain(file) as stream:
            told = at = 0
            compressed = stream is not file
            if compressed:
                begins = None
            elif between is not None and between[0]:
                file.seek(between[0] - 1)  # a line that begins before is another's, up to its end
                told = at = between[0] - 1 + len(file.readline())
            for number in itertools.count(1):
                if between is not None and at >= between[1]:
                    step(at - told)
                    return
                line = stream.readline(LONGEST_LINE)
                if not line:
                    step(at - told)
                    return
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    problems.append(Problem(source.name, number, f"longer than {LONGEST_LINE // 1024 // 1024} MiB"))
                    while line and not line.endswith(b"\n"):
                        at += len(line)
                        line = stream.readline(BUFFER)
                elif not line.isspace():
                    if begins is not None:
                        begins.append(at)
                    yield number, line
                # `tell` is a call of the system each time: where bytes are lines, their lengths say the same.
                at = file.tell() if compressed else at + len(line)
                if at - told > BUFFER:
                    step(at - told)
                    told = at
    except (OSError, EOFError, zlib.error) as error:
        # A broken gzip still gives the lines before the break: they were read already.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(source.name, None, reason))


def count_lines(source: Source, end: int) -> int:
    """How many lines of a file begin before an offset that a line begins at or after."""
    with source.path.open("rb") as file:
        before = end - 1
        count = 1 if end else 0
        while before > 0 and (text := file.read(min(BUFFER, before))):
            count += text.count(b"\n")
            before -= len(text)
    return count


def is_compressed(source: Source) -> bool:
    """Is it gzip, by its content?"""
    with source.path.open("rb") as file:
        return file.read(2) == GZIP


def _plain(file: io.BufferedReader[io.FileIO]) -> io.BufferedReader[io.FileIO] | gzip.GzipFile:
    if file.peek(2)[:2] == GZIP:  # by content: a name says what somebody meant, not what is inside
        return gzip.GzipFile(fileobj=file, mode="rb")
    return file


def documents(source: Source, numbered: Iterator[tuple[int, bytes]], problems: list[Problem]) -> Iterator[Document]:
    """Each JSON document in the lines of a file; what is none is added to `problems`."""
    first = next(numbered, None)
    if first is None:
        return
    number, line = first
    value, reason = parse(line)
    if reason is None:
        yield Document(number, value, line)
    else:
        # Either one document over many lines, or the first line of many is broken. Where the second one is a document
        # by itself they are lines; else only all of it together tells.
        second = next(numbered, None)
        following = [second] if second is not None else []
        if second is None or is_trace_document(parse(second[1])[0]):
            problems.append(Problem(source.name, number, reason))
            numbered = itertools.chain(following, numbered)
        else:
            rest = [*following, *numbered]
            text = b"".join([line, *(text for _, text in rest)])
            value, whole = parse(text)
            if whole is None:
                yield Document(number, value, text)
                return
            broken: list[Problem] = []
            read = list(documents_by_line(source, iter(rest), broken))
            if any(is_trace_document(one.value) for one in read):
                problems += [Problem(source.name, number, reason), *broken]
                yield from read
            else:
                problems.append(Problem(source.name, number, whole))
            return
    yield from documents_by_line(source, numbered, problems)


def documents_by_line(
    source: Source, numbered: Iterator[tuple[int, bytes]], problems: list[Problem]
) -> Iterator[Document]:
    """Each line as a document of its own; what is none is added to `problems`."""
    for number, line in numbered:
        value, reason = parse(line)
        if reason is None:
            yield Document(number, value, line)
        else:
            problems.append(Problem(source.name, number, reason))


def parse(text: bytes) -> tuple[object, str | None]:
    """A document, or why it is none."""
    try:
        return json.loads(text.strip().decode("utf-8-sig")), None
    except UnicodeDecodeError:
        return None, "not text: bytes that are no UTF-8"
    except json.JSONDecodeError as error:
        if not text.rstrip().endswith((b"}", b"]")):
            return None, f"cut or not JSON: {error.msg} (column {error.colno})"
        return None, f"not JSON: {error.msg} (column {error.colno})"
    except RecursionError:
        return None, "not read: nested too deeply"
    except ValueError as error:
        return None, f"not JSON: {error}"
