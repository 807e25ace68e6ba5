"""Decodes export requests to lines of OTLP/JSON: plain or gzip, JSON or protobuf, within bounds.

A small body may expand to a huge one: bytes after decompression are counted, and so are the objects that reading it
would make.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import msgspec
from msgspec import Raw

from lambda_latency.unpacking import UNPACKING_ERRORS, TooLargeError, unpacked

MOST_OBJECTS = 1_000_000  # of a body; each takes about 100 bytes when it is read
SMALL = 256 * 1024  # a body in protobuf that cannot hold too many objects
LONGEST_VARINT = 70  # bits

_members = msgspec.json.Decoder(dict[str, Raw]).decode
WIRE_BYTES = {1: 8, 5: 4}  # the size of a field of fixed size, by its wire type
# The fields that hold messages, by the kind of message: each makes an object of a few bytes.
NESTED = {
    "request": {1: "resource"},
    "resource": {1: "attributes", 2: "scope"},
    "scope": {1: "attributes", 2: "span"},
    "span": {9: "pair", 11: "event", 13: "link", 15: "status"},
    "attributes": {1: "pair", 3: "pair"},
    "event": {3: "pair"},
    "link": {4: "pair"},
    "pair": {2: "value"},
    "value": {5: "list", 6: "map"},
    "list": {1: "value"},
    "map": {1: "pair"},
}


class ExportError(Exception):
    """An export request is refused: the HTTP status and the reason, for the sender and for the page."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the plain body of at most `limit` bytes. Raises `ExportError`."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise ExportError(415, f"Content-Encoding {encoding[:40]!r} is not known: send gzip, or none")
    try:
        return unpacked(body, limit)
    except TooLargeError:
        raise ExportError(413, f"more than {limit:,} bytes after decompression") from None
    except EOFError:
        raise ExportError(400, "the gzip stream is cut") from None
    except UNPACKING_ERRORS as error:
        raise ExportError(400, f"not gzip: {error}") from None


def from_json(body: bytes) -> bytes:
    """Return a body in OTLP/JSON as one line; empty if it has no spans. Raises `ExportError`."""
    if len(body) > MOST_OBJECTS and body.count(b"{") + body.count(b"[") > MOST_OBJECTS:
        raise ExportError(413, f"more than {MOST_OBJECTS:,} objects: export less at a time")
    try:
        members = _members(body)
        if not members:
            return b""
        if "resourceSpans" not in members:
            raise ExportError(400, f"no resourceSpans: expected an OTLP export request, got {', '.join(members)[:60]}")
        return msgspec.json.format(body, indent=-1) if b"\n" in body or b"\r" in body else body
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ExportError(400, f"not OTLP/JSON: {error}") from None
    except RecursionError:
        raise ExportError(400, "nested too deeply") from None


def needs_formats() -> str:
    """Say what protobuf needs if it is not installed; else return an empty text."""
    from importlib.util import find_spec

    try:
        if find_spec("opentelemetry.proto.collector.trace.v1") and find_spec("google.protobuf"):
            return ""
    except ImportError:
        pass
    from lambda_latency.installing import install_command

    return (
        f"protobuf needs the extra formats: {install_command('formats')}, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/json"
    )


def from_protobuf(body: bytes) -> bytes:
    """Return a body in protobuf as a line of OTLP/JSON; empty if it has no spans. Raises `ExportError`."""
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    if len(body) > SMALL:
        _check_objects(body, MOST_OBJECTS)
    try:
        message = ExportTraceServiceRequest.FromString(body)
        document: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    except (DecodeError, RecursionError) as error:
        raise ExportError(400, f"not OTLP as protobuf: {error}"[:200]) from None
    has_spans = False
    for resource in document.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                has_spans = True
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = b64decode(holder[key]).hex()
    return json.dumps(document, separators=(",", ":")).encode() if has_spans else b""


def _check_objects(body: bytes, limit: int) -> None:
    """Raise `ExportError` if more than `limit` fields of a message hold messages, or if it ends inside one."""
    pending, count, body_end = [("request", 0, len(body))], 0, len(body)
    while pending:
        kind, position, end = pending.pop()
        nested = NESTED.get(kind, {})
        while position < end:
            tag, position = _varint(body, position, end)
            wire_type, field = tag & 7, tag >> 3
            if wire_type == 2:
                length, position = _varint(body, position, end)
                if field in nested:
                    count += 1
                    if nested[field] in NESTED:
                        pending.append((nested[field], position, min(position + length, end)))
                position += length
            elif wire_type == 0:
                _, position = _varint(body, position, end)
            elif wire_type in WIRE_BYTES:
                position += WIRE_BYTES[wire_type]
            else:
                raise ExportError(400, "not OTLP as protobuf: a field of an unknown kind")
            if position > body_end:
                raise ExportError(400, "not OTLP as protobuf: it is cut")
            if count > limit:
                raise ExportError(413, f"more than {limit:,} objects: export less at a time")


def _varint(body: bytes, position: int, end: int) -> tuple[int, int]:
    number = shift = 0
    while position < end and shift < LONGEST_VARINT:
        byte = body[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
    raise ExportError(400, "not OTLP as protobuf: a number is cut")
