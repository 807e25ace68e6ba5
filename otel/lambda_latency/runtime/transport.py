"""One POST over a connection that is kept, with one bound over all of it: connecting, sending, waiting, reading.

A timeout of `http.client` bounds each socket operation alone: a server that answers a byte at a time holds its caller.
Not bounded: the lookup of a name, which Python cannot interrupt; `localhost` needs none.
"""

from __future__ import annotations

import socket
import time
from http.client import HTTPException
from urllib.parse import urlsplit

from lambda_latency.runtime.answer import read_answer

__all__ = ["Transport"]


class Transport:
    """A kept connection to one address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.address = f"{parts.scheme}://{host}:{self._port}{parts.path or '/'}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {target} HTTP/1.1\r\nHost: {host}:{self._port}\r\nUser-Agent: lambda-latency\r\n"
            "Content-Type: application/x-protobuf\r\nContent-Length: "
        ).encode("ascii")
        self._socket: socket.socket | None = None

    def post(self, body: bytes, seconds: float) -> int:
        """Send and return the answer's status; raises OSError (TimeoutError after `seconds`) or HTTPException.

        A kept connection that the other side has closed meanwhile (its idle limit, or our freeze) is replaced once.
        """
        deadline = time.monotonic() + seconds
        kept = self._socket is not None
        try:
            return self._exchange(body, deadline)
        except TimeoutError:
            self.close()
            raise
        except (OSError, HTTPException):
            self.close()
            if not kept:
                raise
        try:
            return self._exchange(body, deadline)
        except (OSError, HTTPException):
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next `post` opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, body: bytes, deadline: float) -> int:
        if self._socket is None:
            self._socket = self._connected(deadline)
        self._socket.settimeout(left(deadline))
        self._socket.sendall(self._head + b"%d\r\n\r\n" % len(body) + body)
        connection = self._socket

        def receive() -> bytes:
            connection.settimeout(left(deadline))
            return connection.recv(65536)

        answer = read_answer(receive)
        if not answer.kept:
            self.close()
        return answer.status

    def _connected(self, deadline: float) -> socket.socket:
        """Try each of the host's addresses, under one bound; `socket.create_connection` gives each its own."""
        failure = OSError(f"{self._host} has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(left(deadline))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self._secured(connection, deadline) if self._tls else connection
            except OSError as error:
                connection.close()
                failure = error
        raise failure

    def _secured(self, connection: socket.socket, deadline: float) -> socket.socket:
        import ssl

        connection.settimeout(left(deadline))
        return ssl.create_default_context().wrap_socket(connection, server_hostname=self._host)


def left(deadline: float) -> float:
    """Seconds until the deadline; raises TimeoutError after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds
