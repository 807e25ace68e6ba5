"""A server's answer, as much of it as is needed: `http.client` takes longer to read one than a span takes to make."""

from __future__ import annotations

from http.client import BadStatusLine, RemoteDisconnected
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answer", "read_answer"]

MOST = 65536  # bytes of an answer that are read


class Answer:
    """Status; headers, their names in lower case; whether the connection can be used again."""

    __slots__ = ("headers", "kept", "status")

    def __init__(self, status: int, headers: dict[bytes, bytes], *, kept: bool) -> None:
        self.status = status
        self.headers = headers
        self.kept = kept


def read_answer(receive: Callable[[], bytes]) -> Answer:
    """Read one, to its end where it has a length. `receive` gives the next bytes, none at the end of the connection.

    Raises http.client's own exceptions for what is no answer.
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
        first, *lines = head.split(b"\r\n")
        words = first.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            raise BadStatusLine(repr(first[:100]))
        status = int(words[1])
        if status >= 200:  # else more is to come
            break
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    length = b"0" if status in (204, 304) else headers.get(b"content-length", b"")
    kept = words[0] == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close" and length.isdigit()
    if kept and b"transfer-encoding" not in headers and int(length) <= MOST:
        while len(data) < int(length):
            more = receive()
            if not more:
                break
            data += more
        return Answer(status, headers, kept=len(data) == int(length))
    return Answer(status, headers, kept=False)
