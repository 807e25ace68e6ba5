"""Export requests as lines of OTLP/JSON: what a sender posts, plain or gzip, JSON or protobuf, within bounds.

A small body may stand for a huge one: bytes after decompression are counted, and so are the objects that reading it
would make.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from typing import Any

import msgspec
from msgspec import Raw

MOST_OBJECTS = 1_000_000  # of a body; each takes about 100 bytes when it is read
SMALL = 256 * 1024  # a body in protobuf that cannot hold too many objects
LONGEST_VARINT = 70  # bits
GZIP = 16 + zlib.MAX_WBITS

_members = msgspec.json.Decoder(dict[str, Raw]).decode
# The fields that hold messages, by the kind of message: what makes an object for each of a few bytes.
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


class RefusedError(Exception):
    """An export request that is not taken: the status and the reason, for the sender and for the page."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def decompressed(body: bytes, encoding: str, most: int) -> bytes:
    """The plain body. Raises `RefusedError`."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise RefusedError(415, f"Content-Encoding {encoding[:40]!r} is not known: send gzip, or none")
    plain, rest = bytearray(), body
    try:
        while rest:
            member = zlib.decompressobj(GZIP)
            plain += member.decompress(rest, most + 1 - len(plain))
            if len(plain) > most:
                raise RefusedError(413, f"more than {most:,} bytes after decompression")
            if not member.eof:
                raise RefusedError(400, "the gzip stream is cut")
            rest = member.unused_data
    except zlib.error as error:
        raise RefusedError(400, f"not gzip: {error}") from None
    return bytes(plain)


def from_json(body: bytes) -> bytes:
    """A body in OTLP/JSON as one line; empty if it has no spans. Raises `RefusedError`."""
    if len(body) > MOST_OBJECTS and body.count(b"{") + body.count(b"[") > MOST_OBJECTS:
        raise RefusedError(413, f"more than {MOST_OBJECTS:,} objects: export less at a time")
    try:
        members = _members(body)
        if not members:
            return b""
        if "resourceSpans" not in members:
            raise RefusedError(400, f"no resourceSpans: expected an OTLP export request, got {', '.join(members)[:60]}")
        return msgspec.json.format(body, indent=-1) if b"\n" in body or b"\r" in body else body
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RefusedError(400, f"not OTLP/JSON: {error}") from None
    except RecursionError:
        raise RefusedError(400, "nested too deeply") from None


def needs_formats() -> str:
    """What protobuf needs, if it is not installed; else empty."""
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
    """A body in protobuf as a line of OTLP/JSON; empty if it has no spans. Raises `RefusedError`."""
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    if len(body) > SMALL:
        _count(body, MOST_OBJECTS)
    try:
        message = ExportTraceServiceRequest.FromString(body)
        document: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    except (DecodeError, RecursionError) as error:
        raise RefusedError(400, f"not OTLP as protobuf: {error}"[:200]) from None
    found = False
    for resource in document.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                found = True
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = b64decode(holder[key]).hex()
    return json.dumps(document, separators=(",", ":")).encode() if found else b""


def _count(body: bytes, most: int) -> None:
    """Raises `RefusedError` if a message has more than so many fields that hold messages, or ends inside one."""
    todo, seen, end_of_all = [("request", 0, len(body))], 0, len(body)
    while todo:
        kind, at, end = todo.pop()
        nested = NESTED.get(kind, {})
        while at < end:
            tag, at = _varint(body, at, end)
            wire, number = tag & 7, tag >> 3
            if wire == 2:
                length, at = _varint(body, at, end)
                if number in nested:
                    seen += 1
                    if nested[number] in NESTED:
                        todo.append((nested[number], at, min(at + length, end)))
                at += length
            elif wire == 0:
                _, at = _varint(body, at, end)
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            else:
                raise RefusedError(400, "not OTLP as protobuf: a field of an unknown kind")
            if seen > most or at > end_of_all:
                if at > end_of_all:
                    raise RefusedError(400, "not OTLP as protobuf: it is cut")
                raise RefusedError(413, f"more than {most:,} objects: export less at a time")


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    found = shift = 0
    while at < end and shift < LONGEST_VARINT:
        byte = body[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
        shift += 7
    raise RefusedError(400, "not OTLP as protobuf: a number is cut")
