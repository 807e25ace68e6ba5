"""The HTTP client of every local part: a request, its whole answer, and errors of one kind."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """A response that was read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Client:
    """Sends requests to the host of `url` over one connection, which it opens again after an error."""

    def __init__(self, url: str, timeout_s: float = 60) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout_s)

    def request(
        self, method: str, target: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request for `target`, a path with its query. Raises `OSError` without a complete answer."""
        try:
            self._connection.request(method, target, body, dict(headers or {}))
            response = self._connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except OSError:
            self.close()
            raise
        except http.client.HTTPException as error:
            self.close()
            raise ConnectionError(repr(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def request(
    method: str,
    url: str,
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 60,
) -> Answer:
    """Send one request over a connection of its own. Raises `OSError` without a complete answer."""
    with contextlib.closing(Client(url, timeout_s)) as client:
        return client.request(method, "/" + url.removeprefix("http://").partition("/")[2], body, headers)
