"""Reads OTLP as protobuf: one message, or several with a length before each, as collectors write them into files.

https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter#file-format: the
length has four bytes, and each message may be JSON or packed with zstd. Other writers use a varint as the length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from lambda_latency.trace.files.blocks import ZSTD
from lambda_latency.trace.model.problem import NO_TRACES
from lambda_latency.trace.readers.dialects import resource_spans

NO_OTLP = "no trace file: its bytes are neither text nor OTLP as protobuf"
REMEDY = "OTLP as protobuf needs the extra formats"
FIRST = b"\n"  # the tag of `resource_spans`, which is the first byte of a message
LOOKED_AT = 16  # bytes
IDS = (16, 8)  # bytes of a trace id and of a span id
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f")
NAMED = {
    b"PAR1": "Parquet: turn it into OTLP first (the tool that wrote it can), or ask its source for JSON",
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"BZh": "bzip2: unpack it first, or pack it with gzip or zstd",
    b"\xfd7zXZ": "xz: unpack it first, or pack it with gzip or zstd",
    b"\xff\xfe": "UTF-16: write it as UTF-8",
    b"\xfe\xff": "UTF-16: write it as UTF-8",
}

TAR_AT = 257  # where a tar archive has its name

Problem = Callable[[str], object]

_decode = msgspec.json.Decoder().decode


def is_binary(begin: bytes) -> bool:
    """Whether a file that begins with these bytes is not text."""
    if begin.startswith(tuple(NAMED)):
        return True
    head = begin[:LOOKED_AT]
    return head[:1] not in (b"{", b"[") and not CONTROLS.isdisjoint(head)


def protobuf_resources(document: bytes, problem: Problem) -> Iterator[dict[str, Any]]:
    """The resources of all messages of a file, as OTLP/JSON has them.

    `problem` is called with the reason for each part that is left out.
    """
    if document[TAR_AT:].startswith(b"ustar"):
        problem("not read: a tar archive: unpack it first")
        return
    for begin, what in NAMED.items():
        if document.startswith(begin):
            problem(f"not read: {what}")
            return
    try:
        from opentelemetry.proto.trace.v1.trace_pb2 import TracesData  # noqa: F401 - whether the package is there
    except ImportError:
        problem(REMEDY)
        return
    from google.protobuf.message import DecodeError

    for number, message in enumerate(_messages(document, problem), 1):
        try:
            plain = _unpacked(message)
            decoded = _decode(plain) if plain[:1] == b"{" else _decode_message(plain)
            if decoded is None:
                problem(NO_TRACES)
            else:
                yield from resource_spans(decoded, problem)
        except (DecodeError, msgspec.DecodeError, OSError, UnicodeError, RecursionError) as error:
            kind = f"message {number} is no OTLP ({type(error).__name__}): write the file again, or leave it out"
            problem(kind if number > 1 else NO_OTLP)


def _unpacked(message: bytes) -> bytes:
    if not message.startswith(ZSTD):
        return message
    from lambda_latency.trace.files.zstd import unpacked

    return unpacked(message)


def _decode_message(message: bytes) -> dict[str, Any] | None:
    """A message of traces with the names of OTLP/JSON; None if it has logs or metrics. Raises `DecodeError`.

    Messages do not name their type: some of logs and metrics decode as traces whose spans have no valid ids.
    """
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    try:
        found, failure = TracesData.FromString(message), None
    except DecodeError as error:
        found, failure = TracesData(), error
    spans = [span for one in found.resource_spans for scope in one.scope_spans for span in scope.spans]
    if (spans or failure) and not any((len(span.trace_id), len(span.span_id)) == IDS for span in spans):
        with suppress(DecodeError):
            logs = LogsData.FromString(message)
            if any(scope.log_records for one in logs.resource_logs for scope in one.scope_logs):
                return None
        with suppress(DecodeError):
            metrics = MetricsData.FromString(message)
            if any(scope.metrics for one in metrics.resource_metrics for scope in one.scope_metrics):
                return None
    if failure is not None:
        raise failure
    return MessageToDict(found)


def _messages(data: bytes, problem: Problem) -> Iterator[bytes]:
    """The messages of a file. `problem` is called if the last one is cut."""
    framed = _framed(data, _by_four)
    if framed is None and not data.startswith(FIRST):
        framed = _framed(data, _by_varint)
    if framed is None:
        yield data
        return
    messages, rest = framed
    yield from messages
    if rest:
        problem(f"cut: the last {rest} bytes are a part of a message, after {len(messages)} whole ones")


def _framed(data: bytes, length_at: Any) -> tuple[list[bytes], int] | None:
    """The messages and the number of bytes behind them; None if there is none, or one has a wrong first byte."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        length, begin = length_at(data, at)
        if length is None or begin + length > len(data):
            break
        message = data[begin : begin + length]
        if message[:1] not in (FIRST, b"{") and not message.startswith(ZSTD):
            return None
        found.append(message)
        at = begin + length
    return (found, len(data) - at) if found else None


def _by_four(data: bytes, at: int) -> tuple[int | None, int]:
    return (int.from_bytes(data[at : at + 4], "big"), at + 4) if at + 4 <= len(data) else (None, at)


def _by_varint(data: bytes, at: int) -> tuple[int | None, int]:
    length = shift = 0
    while at < len(data) and shift < 35:
        byte = data[at]
        at, length, shift = at + 1, length | (byte & 127) << shift, shift + 7
        if byte < 128:
            return length, at
    return None, at
