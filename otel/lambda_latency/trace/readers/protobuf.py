"""Reads OTLP as protobuf: one message, or several with a length before each, as collectors write them into files.

https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter#file-format: the
length has four bytes, and each message may be JSON or packed with zstd. Other writers use a varint as the length.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from lambda_latency.trace.model.problem import NO_TRACES
from lambda_latency.trace.readers.dialects import OnProblem, resource_spans
from lambda_latency.trace.readers.otlp_message import decode_any
from lambda_latency.unpacking import UNPACKING_ERRORS, ZSTD, unpacked

NO_OTLP = "no trace file: its bytes are neither text nor OTLP as protobuf"
REMEDY = "OTLP as protobuf needs the extra formats"
# The tag of `resource_spans`, which is the first byte of a message
FIRST = b"\n"
LOOKED_AT = 16  # bytes
AT_ONCE = 1024 * 1024  # bytes of resources that are decoded together, and one that is larger
MOST_ZEROS = 8  # one byte of so many: a field without content has a zero as its length
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
MARK = "__otel_otlp_stdout"  # a member of a line in a function's log


def is_binary(begin: bytes) -> bool:
    """Whether a file that begins with these bytes is not text."""
    if begin.startswith(tuple(NAMED)):
        return True
    head = begin[:LOOKED_AT]
    return head[:1] not in (b"{", b"[") and not CONTROLS.isdisjoint(head)


def protobuf_resources(document: bytes, problem: OnProblem) -> Iterator[dict[str, Any]]:
    """The resources of all messages of a file, as OTLP/JSON has them."""
    remedy = _remedy_for(document)
    if remedy:
        problem(f"not read: {remedy}")
        return
    try:
        from opentelemetry.proto.trace.v1.trace_pb2 import TracesData  # noqa: F401 - whether the package is there
    except ImportError:
        problem(REMEDY)
        return
    from google.protobuf.message import DecodeError

    for number, message in enumerate(_messages(document, problem), 1):
        try:
            for decoded in _decoded(unpacked(message) if message.startswith(ZSTD) else message):
                if decoded is None:
                    problem(NO_TRACES)
                else:
                    yield from resource_spans(decoded, problem)
        except (DecodeError, msgspec.DecodeError, OSError, UnicodeError, RecursionError) as error:
            problem(_why_not_read(number, error))


def _remedy_for(document: bytes) -> str:
    """What a file of another kind is, and what to do with it; empty if it may be OTLP."""
    if document[TAR_AT:].startswith(b"ustar"):
        return "a tar archive: unpack it first"
    return next((remedy for begin, remedy in NAMED.items() if document.startswith(begin)), "")


def _why_not_read(number: int, error: Exception) -> str:
    is_broken = not isinstance(error, OSError)
    if number == 1 and is_broken:
        return NO_OTLP
    reason = type(error).__name__ if is_broken else error
    return f"message {number} is no OTLP ({reason}): write the file again, or leave it out"


def is_printed(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a line in the log of a function, which holds the spans of one export, packed.

    Exporters for Python, Node.js and Rust print these lines: https://github.com/dev7a/serverless-otlp-forwarder.
    """
    return MARK in members


def printed_resources(document: bytes, problem: OnProblem) -> Iterator[dict[str, Any]]:
    """The resources of a line, as OTLP/JSON has them."""
    printed = decode_any(document)
    payload = printed.get("payload")
    try:
        request = base64.b64decode(payload, validate=True) if printed.get("base64") else msgspec.json.encode(payload)
        if printed.get("content-encoding") == "gzip":
            request = unpacked(request)
    except (TypeError, ValueError, *UNPACKING_ERRORS) as error:
        problem(f"not a payload of OTLP: {error}")
        return
    yield from protobuf_resources(request, problem)


def _decoded(message: bytes) -> Iterator[Any]:
    """The documents of a plain message; None for one without traces. Raises `DecodeError` or `OSError`."""
    if message[:1] == b"{":
        yield decode_any(message)
    else:
        yield from map(_decode_message, _pieces(message))


def _pieces(message: bytes) -> Iterator[bytes]:
    """A message as several with fewer resources; as it is if it has fields of other kinds. Raises `OSError`."""
    begin = end = 0
    while end < len(message):
        length, body = _by_varint(message, end + 1) if message[end : end + 1] == FIRST else (None, end)
        if length is None or body + length > len(message):
            break
        if begin < end and body + length - begin > AT_ONCE:
            yield _checked(message[begin:end])
            begin = end
        end = body + length
    if begin < len(message):
        yield _checked(message[begin:])


def _checked(piece: bytes) -> bytes:
    if len(piece) >= AT_ONCE // 2 and piece.count(0) * MOST_ZEROS > len(piece):
        raise OSError("fields without content, more than traces have")
    return piece


def _decode_message(message: bytes) -> dict[str, Any] | None:
    """A message of traces with the names of OTLP/JSON; None if it has logs or metrics. Raises `DecodeError`.

    Messages do not name their type: some of logs and metrics decode as traces whose spans have no valid ids.
    """
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    try:
        traces, failure = TracesData.FromString(message), None
    except DecodeError as error:
        traces, failure = TracesData(), error
    spans = [span for resource in traces.resource_spans for scope in resource.scope_spans for span in scope.spans]
    has_ids = any((len(span.trace_id), len(span.span_id)) == IDS for span in spans)
    if (spans or failure) and not has_ids and _has_logs_or_metrics(message):
        return None
    if failure is not None:
        raise failure
    return MessageToDict(traces)


def _has_logs_or_metrics(message: bytes) -> bool:
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

    with suppress(DecodeError):
        logs = LogsData.FromString(message)
        if any(scope.log_records for resource in logs.resource_logs for scope in resource.scope_logs):
            return True
    with suppress(DecodeError):
        metrics = MetricsData.FromString(message)
        return any(scope.metrics for resource in metrics.resource_metrics for scope in resource.scope_metrics)
    return False


def _messages(content: bytes, problem: OnProblem) -> Iterator[bytes]:
    """The messages of a file. `problem` is called if the last one is cut."""
    framed = _framed(content, _by_four)
    if framed is None and not content.startswith(FIRST):
        framed = _framed(content, _by_varint)
    if framed is None:
        yield content
        return
    messages, rest_size = framed
    yield from messages
    if rest_size:
        problem(f"cut: the last {rest_size} bytes are a part of a message, after {len(messages)} whole ones")


def _framed(content: bytes, length_at: Any) -> tuple[list[bytes], int] | None:
    """The messages and the number of bytes behind them; None if there is none, or one has a wrong first byte."""
    messages: list[bytes] = []
    offset = 0
    while offset < len(content):
        length, body = length_at(content, offset)
        if length is None or body + length > len(content):
            break
        message = content[body : body + length]
        if message[:1] not in (FIRST, b"{") and not message.startswith(ZSTD):
            return None
        messages.append(message)
        offset = body + length
    return (messages, len(content) - offset) if messages else None


def _by_four(content: bytes, offset: int) -> tuple[int | None, int]:
    end = offset + 4
    return (int.from_bytes(content[offset:end], "big"), end) if end <= len(content) else (None, offset)


def _by_varint(content: bytes, offset: int) -> tuple[int | None, int]:
    length = shift = 0
    while offset < len(content) and shift < 35:
        byte = content[offset]
        offset, length, shift = offset + 1, length | (byte & 127) << shift, shift + 7
        if byte < 128:
            return length, offset
    return None, offset
