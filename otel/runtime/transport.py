"""One POST over a connection that is kept, with one bound over all of it: connecting, sending, waiting, reading.

A timeout of `http.client` bounds each socket operation alone: a server that answers a byte at a time holds its caller.
Not bounded: the lookup of a name, which Python cannot interrupt; `localhost` needs none.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Transport"]

LARGEST_ANSWER = 65536


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
        response = HTTPResponse(cast("socket.socket", Answer(self._socket, deadline)), method="POST")
        try:
            response.begin()
            response.read(LARGEST_ANSWER)
            if response.will_close or not response.isclosed():
                self.close()
            return response.status
        finally:
            response.close()

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


class Answer(io.RawIOBase):
    """What comes back on a connection, read no longer than the deadline. Has of a socket what HTTPResponse uses."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002
        """The answer as a file."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        """One read."""
        self._connection.settimeout(left(self._deadline))
        return self._connection.recv_into(target)


def left(deadline: float) -> float:
    """Seconds until the deadline; raises TimeoutError after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds
