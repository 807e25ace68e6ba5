"""One HTTP request on a connection of its own, and waiting for what other threads and processes do."""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.sandbox.state import until

PATIENCE = 20  # seconds until a test that waits for something that never comes fails: no test is meant to see it


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = PATIENCE,
) -> Reply:
    """Send one request to 127.0.0.1 and read the whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        names = {name: ", ".join(response.headers.get_all(name, ())) for name in response.headers}
        return Reply(response.status, names, response.read())
    finally:
        connection.close()


def eventually(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; fail where it never does."""
    assert until(lambda: bool(condition()), PATIENCE), "what the test waits for never came"


def port_of(url: str) -> int:
    """Of an address that has one."""
    port = urlsplit(url).port
    assert port is not None
    return port
