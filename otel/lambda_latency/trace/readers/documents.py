"""Splits a trace file into documents: binary, JSON by line, JSON over many lines, or several in a row."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from lambda_latency.trace.files.blocks import Block, Chunk, blocks, texts
from lambda_latency.trace.files.sources import Source
from lambda_latency.trace.model.problem import Problem
from lambda_latency.trace.readers.protobuf import is_binary

# bytes; a document that is decoded at once takes ten times its size in memory
LARGE = 4 * 1024 * 1024
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
FEWEST_BYTES = 6  # of a document for each value in it: a span's attribute takes ten or more for each of its values
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")

_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


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
    begin = between[0] if between is not None else 0
    chunks = texts(source, problems, begin)
    first_chunks = _first_two(chunks)
    all_chunks = itertools.chain(first_chunks, chunks)
    if begin > 0 or _are_documents(first_chunks):
        yield from blocks(all_chunks, step, between)
        return
    # Any other file is tried as a whole, and line by line if it is not a document as a whole.
    document = _joined(all_chunks, step)
    number = next((number for chunk in first_chunks for number in chunk.block().numbers), 0)
    if number and _is_one_document(document):
        yield Block([number], [document], (), len(document))
    elif number:
        yield from (block._replace(offsets=()) for block in blocks(texts(source, [])))
    elif source.name not in [problem.source for problem in problems]:
        problems.append(Problem(source.name, None, "empty: no trace in it", "counted"))


def _joined(chunks: Iterable[Chunk], step: Callable[[int], None]) -> bytes:
    whole, reported = io.BytesIO(), 0  # `getvalue` makes no copy
    for chunk in chunks:
        whole.write(chunk.text)
        step(chunk.consumed - reported)
        reported = chunk.consumed
    return whole.getvalue()


def _is_one_document(text: bytes) -> bool:
    """Whether a file is read as one document: it is binary or JSON, or none of its lines is a document."""
    if is_binary(text) or why_not_json(text) is None:
        return True
    return not any(map(_is_document, text.splitlines(keepends=True)))


def is_by_line(source: Source) -> bool:
    """Whether each line of a file is a document, by its first two; then reading can start at any line."""
    return _are_documents(_first_two(texts(source, [])))


def split(text: bytes) -> Iterator[tuple[bytes, str | None]]:
    """The documents that follow each other in a text, each with None; the last with the reason if it cannot be read."""
    remaining = memoryview(text.removeprefix(BOM))
    while remaining:
        end, reason = len(remaining), None
        try:
            _decode_raw(remaining)
        except RecursionError:
            reason = "not read: nested too deeply"
        except msgspec.DecodeError as error:
            trailing = TRAILING.search(str(error))
            if trailing is not None:
                end = int(trailing[1]) - 1  # msgspec counts these bytes from 1
            else:
                reason = _reason(bytes(remaining), str(error))
        yield text if end == len(text) else bytes(remaining[:end]), reason  # a large document is not copied
        remaining = remaining[end:]


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
    mistake = error.removeprefix("JSON is malformed: ")
    return f"{'not JSON' if document.rstrip().endswith((b'}', b']')) else 'cut or not JSON'}: {mistake}"


def is_hollow(text: bytes) -> bool:
    """Whether a large document has so many values, each so short, that reading it would take many times its size."""
    if len(text) <= LARGE or _values(text) * FEWEST_BYTES < len(text):
        return False
    in_texts = sum(_values(string[0]) for string in STRING.finditer(text))
    return (_values(text) - in_texts) * FEWEST_BYTES >= len(text)


def _values(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _are_documents(first_chunks: Sequence[Chunk]) -> bool:
    """Whether a file has one document a line, by its first two lines that are not empty; the first may be broken."""
    if first_chunks and is_binary(first_chunks[0].text):
        return False
    lines = [line for chunk in first_chunks for line in chunk.block().lines[:2]]
    if not lines or why_not_json(lines[0]) is None:
        return bool(lines)
    # If a list is written over many lines, its second line may be a document by itself.
    return len(lines) > 1 and lines[0].strip() != b"[" and _is_document(lines[1])


def _is_document(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[") and line.strip() not in (b"{}", b"[]") and why_not_json(line) is None


def _first_two(chunks: Iterator[Chunk]) -> list[Chunk]:
    """The chunks up to the second line that is not empty, without those before the first such line."""
    first_chunks: list[Chunk] = []
    count = 0
    for chunk in chunks:
        count += len(chunk.block().lines)
        if count:
            first_chunks.append(chunk)
        if count > 1:
            break
    return first_chunks
