"""A file as documents: binary, or JSON a line, over many lines, or one behind the other; cut or broken."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import msgspec

from lambda_latency.trace.blocks import Block, begins, blocks, whole
from lambda_latency.trace.problem import Problem
from lambda_latency.trace.protobuf import is_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambda_latency.trace.sources import Source

__all__ = ["documents", "is_by_line", "split", "why_not_json"]

BOM = b"\xef\xbb\xbf"
HEAD = 64  # bytes that tell text from what is none
TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")

_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_decode_any = msgspec.json.Decoder().decode


def documents(
    source: Source,
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> Iterator[Block]:
    """The documents of a file, many at a time, as far as it can be read; `step` hears how many bytes were taken in.

    Where each line is a document they are lines with their numbers and offsets. A document over many lines has the
    number of its first line, and no offset. With `between` the file has a document a line, of which those count that
    begin from the first of these offsets up to the second.
    """
    if between is None and is_binary(begins(source, HEAD)):
        data = whole(source, problems)
        step(len(data))
        yield Block([1], [data], (), len(data))
        return
    found = blocks(source, problems, step, between)
    begin, rest = _first_two(found)
    if not begin and between is None and not _problems_of(problems, source):
        problems.append(Problem(source.name, None, "empty: no trace in it", "counted"))
    together = itertools.chain(begin, rest)
    if (between is not None and between[0] > 0) or _are_documents([line for block in begin for line in block.lines]):
        yield from together
        return
    # What lies over many lines is looked at as a whole, and only then, where it is none, as lines.
    number = begin[0].numbers[0] if begin else 0
    text = b"".join([b"".join(block.lines) for block in together])
    if text and (why_not_json(text) is None or not any(map(_is_document, text.splitlines(keepends=True)))):
        yield Block([number], [text], (), len(text))
    elif text:
        yield from (block._replace(offsets=()) for block in blocks(source, []))


def _problems_of(problems: Sequence[Problem], source: Source) -> list[Problem]:
    """Those of one source."""
    return [one for one in problems if one.source == source.name]


def is_by_line(source: Source) -> bool:
    """Whether each line of a file is a document, so that it can be read from anywhere."""
    if is_binary(begins(source, HEAD)):
        return False
    begin, _ = _first_two(blocks(source, []))
    return _are_documents([line for block in begin for line in block.lines])


def split(text: bytes) -> Iterator[bytes]:
    """The documents in a text, one behind the other. What is behind the last of them comes as it is."""
    text = text.removeprefix(BOM)
    left = memoryview(text)
    while left:
        try:
            _decode_raw(left)
        except msgspec.DecodeError as error:
            trailing = TRAILING.search(str(error))
            if trailing is not None:
                end = int(trailing[1]) - 1  # it counts from 1 here
                yield bytes(left[:end])
                left = left[end:]
                continue
        except RecursionError:
            pass
        yield text if len(left) == len(text) else bytes(left)  # a large one is not copied
        return


def why_not_json(text: bytes) -> str | None:
    """Why a text is not a JSON document, or several; None where it is."""
    for document in split(text):
        try:
            _decode_raw(document)
        except RecursionError:
            return "not read: nested too deeply"
        except msgspec.DecodeError as error:
            return _reason(document, str(error))
    return None


def _reason(document: bytes, error: str) -> str:
    try:
        document.decode()
    except UnicodeDecodeError:
        return "not text: bytes that are no UTF-8"
    if "truncated" in error:
        return "cut: the JSON ends too early"
    what = error.removeprefix("JSON is malformed: ")
    return f"{'not JSON' if document.rstrip().endswith((b'}', b']')) else 'cut or not JSON'}: {what}"


def _are_documents(lines: Sequence[bytes]) -> bool:
    """Whether the first lines of a file are documents by themselves, or the first of such is broken."""
    if not lines or why_not_json(lines[0]) is None:
        return bool(lines)
    # A list that is written over many lines may have a line that is a document.
    return len(lines) > 1 and lines[0].strip() != b"[" and _is_document(lines[1])


def _is_document(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[") and line.strip() not in (b"{}", b"[]") and why_not_json(line) is None


def _first_two(found: Iterator[Block]) -> tuple[list[Block], Iterable[Block]]:
    """The blocks with the first two lines, and those after them."""
    begin = list(itertools.islice(found, 1))
    while begin and sum(len(block.lines) for block in begin) < 2:
        more = next(found, None)
        if more is None:
            break
        begin.append(more)
    return begin, found
