"""A file as documents: binary, or JSON a line, over many lines, or one behind the other; cut or broken."""

from __future__ import annotations

import io
import itertools
import re
from typing import TYPE_CHECKING

import msgspec

from lambda_latency.trace.blocks import Block, Text, blocks, texts
from lambda_latency.trace.problem import Problem
from lambda_latency.trace.protobuf import is_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.trace.sources import Source

__all__ = ["AT_ONCE", "LARGE", "documents", "is_by_line", "split", "why_not_json"]

LARGE = 4 * 1024 * 1024  # bytes: decoded at once, a document takes ten times its size
AT_ONCE = 1000  # spans that are decoded together of a large one
BOM = b"\xef\xbb\xbf"
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

    Where each line is a document they are lines with their numbers and offsets. A document over many lines, or a binary
    one, has the number of its first line, and no offset. With `between` the file has a document a line, of which those
    count that begin from the first of these offsets up to the second.
    """
    found = texts(source, problems, between[0] if between is not None else 0)
    begin = _first_two(found)
    together = itertools.chain(begin, found)
    if (between is not None and between[0] > 0) or _are_documents(begin):
        yield from blocks(together, step, between)
        return
    # What lies over many lines is looked at as a whole, and only then, where it is none, as lines.
    whole, told = io.BytesIO(), 0  # which gives what it holds without a copy
    for text in together:
        whole.write(text.text)
        step(text.taken - told)
        told = text.taken
    document = whole.getvalue()
    number = next((number for text in begin for number in text.block().numbers), 0)
    if number and (
        is_binary(document)
        or why_not_json(document) is None
        or not any(map(_is_document, document.splitlines(keepends=True)))
    ):
        yield Block([number], [document], (), len(document))
    elif number:
        yield from (block._replace(offsets=()) for block in blocks(texts(source, [])))
    elif not any(one.source == source.name for one in problems):
        problems.append(Problem(source.name, None, "empty: no trace in it", "counted"))


def is_by_line(source: Source) -> bool:
    """Whether each line of a file is a document, so that it can be read from anywhere."""
    return _are_documents(_first_two(texts(source, [])))


def split(text: bytes) -> Iterator[tuple[bytes, str | None]]:
    """The documents in a text, one behind the other, and why the last of them is none; None where it is one."""
    left = memoryview(text.removeprefix(BOM))
    while left:
        end, reason = len(left), None
        try:
            _decode_raw(left)
        except RecursionError:
            reason = "not read: nested too deeply"
        except msgspec.DecodeError as error:
            trailing = TRAILING.search(str(error))
            if trailing is not None:
                end = int(trailing[1]) - 1  # it counts from 1 here
            else:
                reason = _reason(bytes(left), str(error))
        yield text if end == len(text) else bytes(left[:end]), reason  # a large one is not copied
        left = left[end:]


def why_not_json(text: bytes) -> str | None:
    """Why a text is not a JSON document, or several; None where it is."""
    return next((reason for _, reason in split(text) if reason is not None), None)


def _reason(document: bytes, error: str) -> str:
    try:
        document.decode()
    except UnicodeDecodeError:
        return "not text: the bytes are not UTF-8"
    if "truncated" in error:
        return "cut: the JSON ends too early"
    what = error.removeprefix("JSON is malformed: ")
    return f"{'not JSON' if document.rstrip().endswith((b'}', b']')) else 'cut or not JSON'}: {what}"


def _are_documents(begin: Sequence[Text]) -> bool:
    """Whether the first lines of a file are documents by themselves, or the first of such is broken."""
    if begin and is_binary(begin[0].text):
        return False
    lines = [line for text in begin for line in text.block().lines[:2]]
    if not lines or why_not_json(lines[0]) is None:
        return bool(lines)
    # A list that is written over many lines may have a line that is a document.
    return len(lines) > 1 and lines[0].strip() != b"[" and _is_document(lines[1])


def _is_document(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[") and line.strip() not in (b"{}", b"[]") and why_not_json(line) is None


def _first_two(found: Iterator[Text]) -> list[Text]:
    """The texts with the first two lines that are not empty."""
    begin: list[Text] = []
    for text in found:
        begin.append(text)
        if sum(len(one.block().lines) for one in begin) > 1:
            break
    return begin
