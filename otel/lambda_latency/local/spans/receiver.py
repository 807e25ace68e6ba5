"""The receivers of the laptop's trace store: OTLP/HTTP, and an emulator of Lambda's X-Ray daemon.

The kit and ADOT's layer send to the daemon by UDP without a collector. A datagram is a line of JSON, `T1S` (`T1U` for
spans that are not sampled), and an OTLP export request in base64.
"""

from __future__ import annotations

import binascii
import contextlib
import gzip
import io
import json
import secrets
import socket
import threading
import zlib
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lambda_latency.http import Handler, Server

MAX_BODY = 20 * 1024 * 1024  # the collector's own limit, after decompression
HEADER = b'{"format":"json","version":1}\n'
SAMPLED, UNSAMPLED = b"T1S", b"T1U"
LARGEST = 65_536
# Receive buffer: datagrams that arrive during decoding must not be lost
RECEIVE_BUFFER = 4 * 1024 * 1024


def serve_receiver(keep: Callable[[dict[str, Any]], None]) -> Server:
    """Serves `/v1/traces`; `keep` receives each export request as OTLP/JSON (hex ids)."""
    return Server(type("Receiver", (_Receiver,), {"keep": staticmethod(keep)}))


class _Receiver(Handler):
    keep: Callable[[dict[str, Any]], None]

    def do_POST(self) -> None:
        body = self.body()
        if self.path != "/v1/traces":
            return self.answer(404)
        kind = self.headers.get_content_type()
        try:
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                raise ValueError(f"more than {MAX_BODY} bytes")
            if kind == "application/x-protobuf":
                document = from_protobuf(body)
            elif kind == "application/json":
                document = json.loads(body)
                if not isinstance(document, dict):
                    raise ValueError("an export request is a JSON object")
            else:
                return self.answer(415)
        except (ValueError, OSError, EOFError, zlib.error, DecodeError) as error:
            return self.answer(400, str(error).encode())
        except RecursionError:
            return self.answer(400, b"nested too deeply")
        self.keep(document)
        return self.answer(200, b"" if kind == "application/x-protobuf" else b"{}", {"Content-Type": kind})


def from_protobuf(body: bytes) -> dict[str, Any]:
    """Converts an export request to OTLP/JSON, with ids in hex, not in base64. Raises protobuf's `DecodeError`."""
    document: dict[str, Any] = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    for resource in document.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = b64decode(holder[key]).hex()
    return document


class Daemon:
    """Listens on 127.0.0.1. `keep` receives each export request as OTLP/JSON, `log` a line per invalid datagram."""

    def __init__(self, keep: Callable[[dict[str, Any]], None], log: Callable[[str], None]) -> None:
        self._keep, self._log = keep, log
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):  # macOS refuses more than its limit
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        # The datagram that ends the thread; no sender can guess it
        self._last = secrets.token_bytes(16)
        self._thread = threading.Thread(target=self._work, name="daemon", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The address, `host:port`: the value of AWS_XRAY_DAEMON_ADDRESS."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """Stops listening, after all datagrams that were sent before are stored."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(self._last, self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _work(self) -> None:
        while (datagram := self._socket.recv(LARGEST)) != self._last:
            try:
                document = decoded(datagram)
            except (ValueError, DecodeError, RecursionError) as error:
                self._log(f"a datagram of {len(datagram)} bytes was dropped: {error}")
                continue
            if document is not None:
                self._keep(document)


def decoded(datagram: bytes) -> dict[str, Any] | None:
    """The export request in a datagram; None for spans that are not sampled. Raises ValueError for anything else."""
    kind, body = datagram[len(HEADER) :][:3], datagram[len(HEADER) + 3 :]
    if not datagram.startswith(HEADER) or kind not in (SAMPLED, UNSAMPLED):
        raise ValueError(f"it must begin with {HEADER!r} and {SAMPLED!r}, got {datagram[:40]!r}")
    if kind == UNSAMPLED:
        return None
    try:
        return from_protobuf(b64decode(body, validate=True))
    except binascii.Error as error:
        raise ValueError(f"the rest after {SAMPLED!r} is not base64: {error}") from error
