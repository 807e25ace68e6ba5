"""The OTLP/HTTP receiver of `lambda-latency live`, on 127.0.0.1. It says why it refuses."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from lambda_latency.http import Handler, Server
from lambda_latency.live.decoding import ExportError, decompressed, from_json, from_protobuf, needs_formats

if TYPE_CHECKING:
    from collections.abc import Callable

TRACES = "/v1/traces"
OTHERS = ("/v1/metrics", "/v1/logs", "/v1/profiles")
PIECE = 64 * 1024
IDLE_S = 120.0  # for the next request of a connection
BODY_S = 20.0  # for a whole body
AT_ONCE = 2  # bodies that are decoded at a time; each may take several times its size
LARGE, LARGE_AT_ONCE = 1024 * 1024, 3  # bodies of more bytes are received so many at a time
FIRST_S = 10.0  # for the first request of a connection
MOST_OPEN = 300  # connections
MOST_REASONS = 5  # of refusals that a page shows
GRPC, GRPC_PORT = "PRI * HTTP/2.0", 4317  # how a connection of gRPC begins, and where gRPC's senders look first
# https://www.rfc-editor.org/rfc/rfc9113: empty SETTINGS, then GOAWAY with HTTP_1_1_REQUIRED and a text for people
SETTINGS, GOAWAY, HTTP_1_1_REQUIRED = b"\0\0\0\4\0\0\0\0\0", 7, 13
JSON, PROTOBUF = "application/json", "application/x-protobuf"
TO_HTTP = "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"


class Receiver:
    """Serves `/v1/traces`. `store` gets each export request as a line of OTLP/JSON and returns whether it has room.

    On `grpc_port` (0: none; gRPC's own is nobody's duty: it may be taken) senders of gRPC are told what to set, and
    `says` is called with it once.
    """

    def __init__(
        self,
        store: Callable[[bytes], bool],
        port: int,
        limit: int,
        *,
        grpc_port: int = 0,
        says: Callable[[str], object] = str,
    ) -> None:
        self.store, self.limit, self._says = store, limit, says
        self.decoding = threading.BoundedSemaphore(AT_ONCE)
        self.receiving = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._lock = threading.Lock()
        self._refused: dict[str, int] = {}
        self._other_exports = 0
        handler = type("OtlpHandler", (_Handler,), {"receiver": self})
        self._servers = [Server(handler, port, MOST_OPEN)]
        if grpc_port:
            with suppress(OSError):
                self._servers.append(Server(handler, grpc_port, MOST_OPEN))

    @property
    def address(self) -> str:
        return self._servers[0].address

    @property
    def port(self) -> int:
        return self._servers[0].port

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    def state(self) -> dict[str, object]:
        """Return the number of refusals, those of the most frequent reasons, and of exports of other signals."""
        with self._lock:
            frequent = sorted(self._refused.items(), key=lambda refusal: -refusal[1])
            return {
                "endpoint": f"http://{self.address}",
                "exports_refused": sum(self._refused.values()),
                "refusals": frequent[:MOST_REASONS],
                "other_signals": self._other_exports,
            }

    def refuse(self, reason: str) -> None:
        """Count a refusal."""
        with self._lock:
            if reason in self._refused or len(self._refused) < 100:
                self._refused[reason] = self._refused.get(reason, 0) + 1

    def refuse_grpc(self) -> bytes:
        """Count a connection of gRPC, and return what it is answered."""
        advice = f"{TO_HTTP} and OTEL_EXPORTER_OTLP_ENDPOINT=http://{self.address}"
        reason = f"a sender speaks gRPC: {advice}"
        if reason not in self._refused:
            self._says(reason)
        self.refuse(reason)
        debug = bytes(4) + HTTP_1_1_REQUIRED.to_bytes(4, "big") + f"lambda-latency takes HTTP alone: {advice}".encode()
        return SETTINGS + len(debug).to_bytes(3, "big") + bytes([GOAWAY, 0]) + bytes(4) + debug

    def leave_out(self) -> None:
        """Count an export of metrics or logs."""
        with self._lock:
            self._other_exports += 1


class _Handler(Handler):
    timeout = FIRST_S
    receiver: Receiver

    def parse_request(self) -> bool:
        if self.raw_requestline.decode("latin-1").strip() == GRPC:
            self.wfile.write(self.receiver.refuse_grpc())
            self.close_connection = True
            return False
        self.connection.settimeout(IDLE_S)
        return super().parse_request()

    def do_POST(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            self._check_host()
            body = self._read()
            if path in OTHERS:
                self.receiver.leave_out()
                return self._answer(200, kind)
            if path != TRACES:
                raise ExportError(404, f"no such path {path[:60]!r}: traces go to {TRACES}")
            if kind not in (JSON, PROTOBUF):
                raise ExportError(415, f"Content-Type {kind[:60]!r} is not known: send {PROTOBUF} or {JSON}")
            if kind == PROTOBUF and (missing := needs_formats()):
                raise ExportError(415, missing)
            with self.receiver.decoding:
                plain = decompressed(body, self.headers.get("Content-Encoding", "").lower(), self.receiver.limit)
                line = from_json(plain) if kind == JSON else from_protobuf(plain)
                del plain, body
            if line and not self.receiver.store(line):
                return self.answer(503, b"more spans arrive than can be read\n", {"Retry-After": "1"})
        except ExportError as error:
            self.receiver.refuse(str(error))
            return self._answer(error.status, "", str(error))
        return self._answer(200, kind)

    def do_GET(self) -> None:
        text = (
            f"lambda-latency live takes traces here: POST {TRACES}. Its page has another address, which it printed.\n"
        )
        self.answer(405, text.encode(), {"Allow": "POST", "Content-Type": "text/plain"})

    def _check_host(self) -> None:
        """Refuse another site's page, which may post a form: it names its origin, or a host that is this machine."""
        host = (self.headers.get("Host") or "").rpartition(":")[0].lower()
        if host not in ("127.0.0.1", "localhost", "host.docker.internal"):
            self.close_connection = True
            raise ExportError(421, "this receiver answers to 127.0.0.1 and localhost only")
        if self.headers.get("Origin") is not None:
            self.close_connection = True
            raise ExportError(403, "a browser's page asked: browsers are not allowed to send here")

    def _answer(self, status: int, kind: str, text: str = "") -> None:
        if status == 200:
            return self.answer(200, b"{}" if kind == JSON else b"", {"Content-Type": kind or JSON})
        return self.answer(status, f"{text}\n".encode(), {"Content-Type": "text/plain; charset=utf-8"})

    def _read(self) -> bytes:
        """Read the body, with a length or in chunks, within the bounds of size and time. Raises `ExportError`."""
        deadline = time.monotonic() + BODY_S
        try:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                with self.receiver.receiving:
                    return self._chunks(deadline)
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                raise ExportError(411, "a Content-Length is missing")
            with self.receiver.receiving if int(length) > LARGE else nullcontext():
                return self._exactly(int(length), 0, deadline)
        except ExportError:
            self.close_connection = True  # what follows is the rest of the body
            raise
        except OSError:
            self.close_connection = True
            raise ExportError(408, f"the body took more than {BODY_S:.0f} s") from None

    def _chunks(self, deadline: float) -> bytes:
        parts = bytearray()
        while True:
            size = self.rfile.readline(100).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                raise ExportError(400, "a chunk has no length") from None
            if length <= 0:
                break
            parts += self._exactly(length, len(parts), deadline)
            self.rfile.readline(10)
        while self.rfile.readline(1000).strip():  # trailers
            pass
        return bytes(parts)

    def _exactly(self, length: int, received: int, deadline: float) -> bytes:
        if length + received > self.receiver.limit:
            raise ExportError(413, f"more than {self.receiver.limit:,} bytes: export less at a time")
        received_body = bytearray()
        while len(received_body) < length:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self.connection.settimeout(left_s)
            piece = self.rfile.read1(min(PIECE, length - len(received_body)))
            if not piece:
                raise ExportError(400, "the body is cut")
            received_body += piece
        self.connection.settimeout(IDLE_S)
        return bytes(received_body)
