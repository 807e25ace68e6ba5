"""The HTTP server of every local part: on 127.0.0.1, a given or a free port, with low latency for small responses."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USUAL_LINE = re.compile(rb"([A-Z]+) (/(?!/)[!-~]*) HTTP/1\.1\r\n")
FIELD = re.compile(rb"([\w!#$%&'*+.^`|~-]+):([^\r\n]*)\r?\n")
MOST_FIELDS, LONGEST_FIELD = 100, 64 * 1024


class Handler(BaseHTTPRequestHandler):
    """Keep-alive, buffered, without Nagle's algorithm, so that a response does not wait 40-90 ms for a delayed ACK."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    raw_requestline: bytes

    def parse_request(self) -> bool:
        """Reads the line and the header fields of a request; False after a refusal.

        The standard library's parser is one of e-mails: it costs more than the rest of a small request.
        """
        line = USUAL_LINE.fullmatch(self.raw_requestline)
        if line is None:
            return super().parse_request()
        self.requestline = self.raw_requestline.decode("ascii").rstrip()
        self.command, self.path, self.request_version = line[1].decode(), line[2].decode(), "HTTP/1.1"
        self.headers = self.MessageClass()
        self.close_connection = True
        for _ in range(MOST_FIELDS + 1):
            text = self.rfile.readline(LONGEST_FIELD)
            if text in (b"\r\n", b"\n", b""):
                break
            field = FIELD.fullmatch(text)
            if field is None:
                self.send_error(HTTPStatus.BAD_REQUEST, "A header field is malformed or too long")
                return False
            self.headers[field[1].decode()] = field[2].decode("latin-1").strip(" \t")
        else:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"More than {MOST_FIELDS} header fields")
            return False
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        return self.headers.get("Expect", "").lower() != "100-continue" or self.handle_expect_100()

    def body(self) -> bytes:
        """The request's body, with a length or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        # trailers, which an HTTP/1.1 client may send, are ignored
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def handle_expect_100(self) -> bool:
        """Sends `100 Continue` at once: boto3 waits for it up to 1 s before it sends an object to S3."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    ) -> None:
        """Sends one complete answer. An answer to HEAD may have the length that one to GET would have."""
        self.send_response_only(status)
        fields = list(headers.items() if isinstance(headers, Mapping) else headers)
        for name, value in fields:
            self.send_header(name, value)
        if self.command != "HEAD" or "content-length" not in {name.lower() for name, _ in fields}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Logs nothing, because spans record the requests."""


class Server(ThreadingHTTPServer):
    """Serves on its own threads, from construction until `close`.

    It accepts on a blocking thread instead of `serve_forever`, whose polling would wake the command hundreds of times
    a second once a few dozen environments have a server each.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0, limit: int | None = None) -> None:
        """Listen; beyond `limit` open connections (None: any number) further ones are closed at once."""
        super().__init__(("127.0.0.1", port), handler)
        self._limit = limit
        self._open: set[socket.socket] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name=f"http {self.port}", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def server_bind(self) -> None:
        # HTTPServer's method looks up the host's name, which may take seconds
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def close(self) -> None:
        """Stops listening and closes the open connections."""
        if self._closing:
            return
        self._closing = True
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread; closing alone would not
        self._thread.join()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._limit is not None and len(self._open) >= self._limit:
            request.close()
            return
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Logs nothing: clients that disconnect (killed at their deadline) are expected."""

    def _accept(self) -> None:
        while not self._closing:
            try:
                self.process_request(*self.socket.accept())
            except OSError as error:
                # The client disconnected before the accept, or the server ends
                if error.errno == errno.EMFILE:
                    time.sleep(0.1)  # until other connections are closed


def wait_for_hangup(connection: socket.socket) -> None:
    """Waits until the peer disconnects; discards what it still sends."""
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    """Resets a connection at once, as a crashed host does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # close() would wait for the handler's files, and shutdown() would send a FIN first
    os.close(connection.detach())


def wait_for_signal() -> None:
    """Wait until a signal handler raises an exception in this thread, while servers work on others.

    The kernel may deliver a signal to any thread; `signal.pause` and locks would then keep sleeping. The wake-up
    descriptor is written in every case.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        original = signal.set_wakeup_fd(writer.fileno())
        try:
            while True:
                reader.recv(1)
        finally:
            signal.set_wakeup_fd(original)
