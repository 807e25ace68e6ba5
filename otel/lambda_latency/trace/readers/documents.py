"""Splits a trace file into documents: binary, JSON by line, JSON over many lines, or several in a row."""

from __future__ import annotations

import io
import itertools
import re
from typing import TYPE_CHECKING

import msgspec

from lambda_latency.trace.files.blocks import Block, Text, blocks, texts
from lambda_latency.trace.model.problem import Problem
from lambda_latency.trace.readers.protobuf import is_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.trace.files.sources import Source

LARGE = 4 * 1024 * 1024  # bytes; a document that is decoded at once takes ten times its size in memory
AT_ONCE = 1000  # spans of a large document that are decoded together
BOM = b"\xef\xbb\xbf"
# What console exporters print that is no JSON.
PRINTED = (
    (b"traceId: '", "Node's console exporter prints objects, not JSON"),
    (b"#<struct OpenTelemetry::SDK::Trace::SpanData", "Ruby's console exporter prints objects, not JSON"),
    (b"Activity.TraceId:", ".NET's console exporter prints text, not JSON"),
    (b"  trace_id      : ", "C++'s console exporter prints text, not JSON"),
)
WRITE_OTLP = "write OTLP by a collector's file exporter"
TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")

_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_decode_any = msgspec.json.Decoder().decode


def documents(
    source: Source,
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> Iterator[Block]:
    """The documents of a file, many at a time, up to the first error.

    If each line is a document, a block has their numbers and offsets. A binary document and JSON over many lines have
    the number of the first line that is not empty, and no offset. `step` is called with the number of bytes that were
    read since its last call. `between` are two offsets in a file with one document a line: the lines that begin at or
    after the first and before the second are read.
    """
    found = texts(source, problems, between[0] if between is not None else 0)
    begin = _first_two(found)
    together = itertools.chain(begin, found)
    if (between is not None and between[0] > 0) or _are_documents(begin):
        yield from blocks(together, step, between)
        return
    # Any other file is tried as a whole, and line by line if it is not a document as a whole.
    whole, reported = io.BytesIO(), 0  # `getvalue` makes no copy
    for text in together:
        whole.write(text.text)
        step(text.taken - reported)
        reported = text.taken
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
    elif not any(problem.source == source.name for problem in problems):
        problems.append(Problem(source.name, None, "empty: no trace in it", "counted"))


def is_by_line(source: Source) -> bool:
    """Whether each line of a file is a document, by its first two; then reading can start at any line."""
    return _are_documents(_first_two(texts(source, [])))


def split(text: bytes) -> Iterator[tuple[bytes, str | None]]:
    """The documents that follow each other in a text, each with None; the last with the reason if it cannot be read."""
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
                end = int(trailing[1]) - 1  # msgspec counts these bytes from 1
            else:
                reason = _reason(bytes(left), str(error))
        yield text if end == len(text) else bytes(left[:end]), reason  # a large document is not copied
        left = left[end:]


def why_not_json(text: bytes) -> str | None:
    """The reason why a text is not one JSON document or several in a row; None if it is."""
    return next((reason for _, reason in split(text) if reason is not None), None)


def _reason(document: bytes, error: str) -> str:
    printed = next((reason for mark, reason in PRINTED if mark in document), None)
    if printed is not None:
        return f"{printed}: {WRITE_OTLP}"
    try:
        document.decode()
    except UnicodeDecodeError:
        return "not text: the bytes are not UTF-8"
    if "truncated" in error:
        return "cut: the JSON ends too early"
    what = error.removeprefix("JSON is malformed: ")
    return f"{'not JSON' if document.rstrip().endswith((b'}', b']')) else 'cut or not JSON'}: {what}"


def _are_documents(begin: Sequence[Text]) -> bool:
    """Whether a file has one document a line, by its first two lines that are not empty; the first may be broken."""
    if begin and is_binary(begin[0].text):
        return False
    lines = [line for text in begin for line in text.block().lines[:2]]
    if not lines or why_not_json(lines[0]) is None:
        return bool(lines)
    # If a list is written over many lines, its second line may be a document by itself.
    return len(lines) > 1 and lines[0].strip() != b"[" and _is_document(lines[1])


def _is_document(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[") and line.strip() not in (b"{}", b"[]") and why_not_json(line) is None


def _first_two(found: Iterator[Text]) -> list[Text]:
    """The texts up to the second line that is not empty."""
    begin: list[Text] = []
    for text in found:
        begin.append(text)
        if sum(len(each.block().lines) for each in begin) > 1:
            break
    return begin
