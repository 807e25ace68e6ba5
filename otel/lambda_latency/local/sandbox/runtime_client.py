"""Replaces the native part of AWS's runtime client, which exists for Linux only, with its names and arguments.

The bootstrap loads this file: as it does, it imports nothing of the kit. It speaks HTTP by a socket, because a call by
`http.client` would be a span of the function.
"""

from __future__ import annotations

import http.client
import os
import socket
from functools import cache
from io import BufferedRWPair

INVOCATION = "/2018-06-01/runtime/invocation"
DEADLINE = "Lambda-Runtime-Deadline-Ms"


def initialize_client(user_agent: str) -> None:
    """Nothing is sent before the first call."""


def next() -> tuple[bytes, dict[str, str | int]]:  # noqa: A001 - the name that AWS's client calls
    """Waits for the next event; its body and headers, of which the deadline is a number."""
    event, headers = _call("GET", "/next")
    return event, {**headers, DEADLINE: int(headers[DEADLINE])}


def post_invocation_result(invoke_id: str, result: bytes, content_type: str, *_: object) -> None:
    """Sends what the handler returned."""
    _call("POST", f"/{invoke_id}/response", result, content_type)


def post_error(invoke_id: str, error: str, *_: object) -> None:
    """Sends the error of an invocation, without its description for X-Ray, which the local API does not read."""
    _call("POST", f"/{invoke_id}/error", error.encode())


def _call(
    method: str, path: str, body: bytes = b"", content_type: str = "application/json"
) -> tuple[bytes, http.client.HTTPMessage]:
    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    connection = _connected(address)
    lines = (
        f"{method} {INVOCATION}{path} HTTP/1.1",
        f"Host: {address}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    )
    connection.write("\r\n".join((*lines, "\r\n")).encode() + body)
    connection.flush()
    status = int(connection.readline().split()[1])
    headers = http.client.parse_headers(connection)
    answer = connection.read(int(headers["Content-Length"]))
    if status >= 300:
        raise RuntimeError(f"{method} {path} was answered with {status}: {answer[:200]!r}")
    return answer, headers


@cache
def _connected(address: str) -> BufferedRWPair:
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection.makefile("rwb")
