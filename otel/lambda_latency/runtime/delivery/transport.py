"""POST requests over a persistent connection, with one time limit for connect, send, wait and read together.

A timeout of `http.client` limits each socket operation alone, so a server that sends single bytes holds its caller.
Python cannot interrupt the lookup of a name, so a thread of its own does it.
"""

from __future__ import annotations

import time
from functools import partial
from http.client import BadStatusLine, HTTPException, RemoteDisconnected

# Before the import of the function, which may replace them, by a socket with a proxy for example.
from socket import IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, getaddrinfo, socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lambda_latency.runtime.threads import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ssl import SSLContext

    from lambda_latency.runtime.settings import Settings

CONTENT_TYPE = "application/x-protobuf"
# Of zlib: the format of each compression
WINDOWS = {"gzip": 31, "deflate": 15}


def transport_to(settings: Settings) -> Transport:
    """Return a transport to the collector, or to X-Ray, for which it signs each request."""
    if settings.export != "otlp":
        headers = settings.headers.lines if settings.headers else ()
        return Transport(settings.endpoint, None, headers, settings.compression, settings.certificate)
    from lambda_latency.runtime.delivery.signing import signed

    return Transport(settings.endpoint, signed)


class Transport:
    """A persistent connection to one address. `signed` returns the header lines that sign a request.

    `headers` are more headers of each request, `compression` is that of its body, `certificate` a file with the
    certificates that are trusted in place of the system's.
    """

    def __init__(
        self,
        url: str,
        signed: Callable[[str, str, str, bytes], bytes] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        compression: str = "none",
        certificate: str = "",
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.address = f"{parts.scheme}://{host}:{self._port}{parts.path or '/'}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._port != (443 if self._tls else 80):
            host = f"{host}:{self._port}"
        lines = {"Host": host, "User-Agent": "lambda-latency", "Content-Type": CONTENT_TYPE} | dict(headers)
        self._window = WINDOWS.get(compression, 0)
        if self._window:
            lines["Content-Encoding"] = compression
        head = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), ""]
        self._head = "\r\n".join(head).encode("latin-1")
        self._signed = signed and partial(signed, host, target, CONTENT_TYPE)
        self._certificate = certificate
        self._context: SSLContext | None = None
        self._socket: socket | None = None

    def post(self, body: bytes, seconds: float) -> Reply:
        """Send a request and return the answer. Raises `OSError` (`TimeoutError` after `seconds`) or `HTTPException`.

        A connection that the receiver has closed (idle limit, freeze) is replaced, and the request sent once more.
        """
        deadline = time.monotonic() + seconds
        if self._window:
            body = packed(body, self._window)
        while True:
            is_new = self._socket is None
            try:
                return self._exchange(body, deadline)
            except (OSError, HTTPException) as error:
                self.close()
                if is_new or isinstance(error, TimeoutError):
                    raise

    def close(self) -> None:
        """Close the connection; the next `post` opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, body: bytes, deadline: float) -> Reply:
        head = self._head + (self._signed(body) if self._signed else b"") + b"Content-Length: %d\r\n\r\n" % len(body)
        if self._socket is None:
            self._socket = self._connected(deadline)
        self._socket.settimeout(left(deadline))
        self._socket.sendall(head + body)
        connection = self._socket

        def receive() -> bytes:
            connection.settimeout(left(deadline))
            return connection.recv(65536)

        answer = read_answer(receive)
        if not answer.reusable:
            self.close()
        return answer

    def _connected(self, deadline: float) -> socket:
        """Try each address of the host within one limit; `socket.create_connection` would have a limit for each."""
        failure = OSError(f"{self._host} has no address")
        for family, kind, protocol, _, address in self._addresses(deadline):
            connection = socket(family, kind, protocol)
            try:
                connection.settimeout(left(deadline))
                connection.connect(address)
                connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
                return self._secured(connection, deadline) if self._tls else connection
            except OSError as error:
                connection.close()
                failure = error
        raise failure

    def _addresses(self, deadline: float) -> list[Any]:
        """Return the addresses of the host, as `getaddrinfo` has them."""
        look_up = partial(getaddrinfo, self._host, self._port, type=SOCK_STREAM)
        if self._host == "localhost" or ":" in self._host or not self._host.strip("0123456789."):
            return look_up()
        addresses: list[Any] = []
        failures: list[Exception] = []

        def run() -> None:
            try:
                addresses.extend(look_up())
            except (OSError, UnicodeError) as error:  # the second for a name that cannot be one
                failures.append(error if isinstance(error, OSError) else OSError(f"{self._host}: {error}"))

        if not started(run).wait(left(deadline)):
            raise TimeoutError(f"the lookup of {self._host} timed out")
        for failure in failures:
            raise failure
        return addresses

    def _secured(self, connection: socket, deadline: float) -> socket:
        import ssl

        if self._context is None:
            # once, because it reads a hundred certificates
            self._context = ssl.create_default_context(cafile=self._certificate or None)
        connection.settimeout(left(deadline))
        return self._context.wrap_socket(connection, server_hostname=self._host)


def packed(body: bytes, window: int) -> bytes:
    """Return a compressed body."""
    import zlib

    packer = zlib.compressobj(wbits=window)
    return packer.compress(body) + packer.flush()


def left(deadline: float) -> float:
    """Return the seconds until the deadline. Raises `TimeoutError` after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


MOST = 65536  # the most bytes that are read of an answer


class Reply:
    """An answer: its status, head and body as far as it was read; whether its connection can be used again."""

    __slots__ = ("_folded", "_head", "body", "reusable", "status")

    def __init__(self, status: int, head: bytes = b"", body: bytes = b"") -> None:
        self.status = status
        self._head, self._folded = head, head.lower()
        self.body, self.reusable = body, False

    def header(self, name: bytes) -> bytes:
        """Return the value of a header, whose name is given in lower case; empty without it."""
        line = b"\r\n" + name + b":"
        position = self._folded.find(line)
        return self._head[position + len(line) :].partition(b"\r\n")[0].strip() if position >= 0 else b""


def read_answer(receive: Callable[[], bytes]) -> Reply:
    """Read an answer, with its body if it says where that ends. `receive` returns the next bytes, empty at the end.

    Raises exceptions of `http.client` if the bytes are not an answer. A body that is cut off changes no status.
    """
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = receive()
            if not more or len(data) > MOST:
                if not data:
                    raise RemoteDisconnected("Remote end closed connection without response")
                raise BadStatusLine(repr(data[:100]))
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        status_line = head.partition(b"\r\n")[0]
        words = status_line.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (len(words[1]) == 3 and words[1].isdigit()):
            raise BadStatusLine(repr(status_line[:100]))
        status = int(words[1])
        if status >= 200:  # a lower status precedes the final answer
            break
    answer = Reply(status, head, data)
    closes = words[0] != b"HTTP/1.1" or answer.header(b"connection").lower() == b"close"
    try:
        answer.reusable = read_body(answer, receive, closes=closes) and not closes
    except (OSError, HTTPException):
        answer.reusable = False
    return answer


def read_body(answer: Reply, receive: Callable[[], bytes], *, closes: bool) -> bool:
    """Read a body that is not too long; returns whether its end is known. `closes`: the connection ends it."""
    length = b"0" if answer.status in (204, 304) else answer.header(b"content-length")
    if coding := answer.header(b"transfer-encoding").lower():
        return coding == b"chunked" and read_chunks(answer, receive) and not length
    if length.isdigit() and (len(length) > 9 or int(length) > MOST):
        return False
    size = int(length) if length.isdigit() else MOST if closes else 0
    while len(answer.body) < size and (more := receive()):
        answer.body += more
    return length.isdigit() and len(answer.body) == size


def read_chunks(answer: Reply, receive: Callable[[], bytes]) -> bool:
    """As `read_body`, for a body in chunks."""
    data, answer.body = answer.body, b""
    while True:
        while b"\r\n" not in data and len(data) < MOST and (more := receive()):
            data += more
        line, _, data = data.partition(b"\r\n")
        digits = line.partition(b";")[0].strip()
        if not 0 < len(digits) < 5 or digits.strip(b"0123456789abcdefABCDEF"):
            return False
        size = int(digits, 16)
        while len(data) < size + 2 and (more := receive()):
            data += more
        if not size or len(data) < size + 2:
            return data == b"\r\n"
        answer.body, data = answer.body + data[:size], data[size + 2 :]
        if len(answer.body) > MOST:
            return False
