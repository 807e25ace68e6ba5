"""The OTLP/HTTP receiver of `lambda-latency live`, on 127.0.0.1. It says why it refuses."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from lambda_latency.http import Handler, Server
from lambda_latency.live.decoding import RefusedError, decompressed, from_json, from_protobuf, needs_formats

if TYPE_CHECKING:
    from collections.abc import Callable

TRACES = "/v1/traces"
OTHERS = ("/v1/metrics", "/v1/logs", "/v1/profiles")
PIECE = 64 * 1024
IDLE_S = 120.0  # for the next request of a connection
BODY_S = 20.0  # for a whole body
AT_ONCE = 2  # bodies that are decoded at a time: each may take several times its size
LARGE, LARGE_AT_ONCE = 1024 * 1024, 3  # bodies of more bytes are received so many at a time
GRPC = "PRI * HTTP/2.0"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
TO_HTTP = "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"


class Receiver:
    """Serves `/v1/traces`. `keep` receives each export request as a line of OTLP/JSON; False: there is no room now."""

    def __init__(self, keep: Callable[[bytes], bool], port: int, most: int) -> None:
        self.keep, self.most = keep, most
        self.decoding = threading.BoundedSemaphore(AT_ONCE)
        self.receiving = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._lock = threading.Lock()
        self._refused: dict[str, int] = {}
        self._others = 0
        self._server = Server(type("OtlpHandler", (_Handler,), {"receiver": self}), port)

    @property
    def address(self) -> str:
        return self._server.address

    @property
    def port(self) -> int:
        return self._server.port

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def state(self) -> dict[str, object]:
        """What was refused, with the most frequent reason, and the exports of other signals, which are not kept."""
        with self._lock:
            most = max(self._refused, key=self._refused.__getitem__, default="")
            return {
                "endpoint": f"http://{self.address}",
                "exports_refused": sum(self._refused.values()),
                "refusal": most,
                "other_signals": self._others,
            }

    def refuse(self, reason: str) -> None:
        """Count a refusal."""
        with self._lock:
            if reason in self._refused or len(self._refused) < 100:
                self._refused[reason] = self._refused.get(reason, 0) + 1

    def leave_out(self) -> None:
        """Count an export of metrics or logs."""
        with self._lock:
            self._others += 1


class _Handler(Handler):
    timeout = IDLE_S
    receiver: Receiver

    def parse_request(self) -> bool:
        if self.raw_requestline.decode("latin-1").strip() == GRPC:
            self.receiver.refuse(f"a sender speaks gRPC: {TO_HTTP}")
            self.close_connection = True
            return False
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
                raise RefusedError(404, f"no such path {path[:60]!r}: traces go to {TRACES}")
            if kind not in (JSON, PROTOBUF):
                raise RefusedError(415, f"Content-Type {kind[:60]!r} is not known: send {PROTOBUF} or {JSON}")
            if kind == PROTOBUF and (missing := needs_formats()):
                raise RefusedError(415, missing)
            with self.receiver.decoding:
                plain = decompressed(body, self.headers.get("Content-Encoding", "").lower(), self.receiver.most)
                line = from_json(plain) if kind == JSON else from_protobuf(plain)
                del plain, body
            if line and not self.receiver.keep(line):
                return self.answer(503, b"more spans arrive than can be read\n", {"Retry-After": "1"})
        except RefusedError as error:
            self.receiver.refuse(str(error))
            return self._answer(error.status, "", str(error))
        return self._answer(200, kind)

    def do_GET(self) -> None:
        text = (
            f"lambda-latency live takes traces here: POST {TRACES}. Its page has another address, which it printed.\n"
        )
        self.answer(405, text.encode(), {"Allow": "POST", "Content-Type": "text/plain"})

    def _check_host(self) -> None:
        """A page of another site may post a form: it names its origin, or a host that resolves to this machine."""
        host = (self.headers.get("Host") or "").rpartition(":")[0].lower()
        if host not in ("127.0.0.1", "localhost", "host.docker.internal"):
            self.close_connection = True
            raise RefusedError(421, "this receiver answers to 127.0.0.1 and localhost only")
        if self.headers.get("Origin") is not None:
            self.close_connection = True
            raise RefusedError(403, "a browser's page asked: browsers are not allowed to send here")

    def _answer(self, status: int, kind: str, text: str = "") -> None:
        if status == 200:
            return self.answer(200, b"{}" if kind == JSON else b"", {"Content-Type": kind or JSON})
        return self.answer(status, f"{text}\n".encode(), {"Content-Type": "text/plain; charset=utf-8"})

    def _read(self) -> bytes:
        """The body, with a length or in chunks, within the bound and a limit of time. Raises `RefusedError`."""
        end = time.monotonic() + BODY_S
        try:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                with self.receiver.receiving:
                    return self._chunks(end)
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                raise RefusedError(411, "a Content-Length is missing")
            with self.receiver.receiving if int(length) > LARGE else nullcontext():
                return self._exactly(int(length), 0, end)
        except RefusedError:
            self.close_connection = True  # what follows is the rest of the body
            raise
        except OSError:
            self.close_connection = True
            raise RefusedError(408, f"the body took more than {BODY_S:.0f} s") from None

    def _chunks(self, end: float) -> bytes:
        parts = bytearray()
        while True:
            size = self.rfile.readline(100).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                raise RefusedError(400, "a chunk has no length") from None
            if length <= 0:
                break
            parts += self._exactly(length, len(parts), end)
            self.rfile.readline(10)
        while self.rfile.readline(1000).strip():  # trailers
            pass
        return bytes(parts)

    def _exactly(self, length: int, before: int, end: float) -> bytes:
        if length + before > self.receiver.most:
            raise RefusedError(413, f"more than {self.receiver.most:,} bytes: export less at a time")
        parts = bytearray()
        while len(parts) < length:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.connection.settimeout(left)
            some = self.rfile.read1(min(PIECE, length - len(parts)))
            if not some:
                raise RefusedError(400, "the body is cut")
            parts += some
        self.connection.settimeout(IDLE_S)
        return bytes(parts)
