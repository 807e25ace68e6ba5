"""One connection for many requests, and one kind of error."""

from __future__ import annotations

import contextlib
import http.client

import pytest

from lambda_latency.http import Client, Handler, Server, request


class Told(Handler):
    """Says what it received, and from which port; `/cut` promises more than it sends, `/noise` is no HTTP."""

    def do_PUT(self) -> None:
        body = self.body()
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            self.close_connection = True
        elif self.path == "/noise":
            self.wfile.write(b"SSH-2.0\r\n")
            self.close_connection = True
        else:
            port = str(self.client_address[1])
            self.answer(201, f"{self.path} {self.headers['X-A']} ".encode() + body, {"X-Port": port})


def test_one_request_has_its_whole_answer() -> None:
    """The path with its query as it stands, the headers, the body; the status, headers and body that come back."""
    with contextlib.closing(Server(Told)) as server:
        status, headers, body = request("PUT", f"http://{server.address}/a%2f//?b=c/d", b"hello", {"X-A": "1"})
    assert (status, body, headers["content-length"]) == (201, b"/a%2f//?b=c/d 1 hello", "21")


def test_a_client_keeps_its_connection_and_opens_another_after_an_error() -> None:
    """All errors are of the system, also for an answer that is cut off or is not HTTP."""
    with contextlib.closing(Server(Told)) as server, contextlib.closing(Client(f"http://{server.address}")) as client:
        ports = []
        for target in ("/", "/", "/cut", "/", "/noise", "/"):
            try:
                ports.append(client.request("PUT", target).headers["X-Port"])
            except OSError as error:
                assert isinstance(error.__cause__, http.client.HTTPException)  # noqa: PT017 - in the midst of others
                ports.append(type(error).__name__)
    first, again, cut, second, noise, third = ports
    assert (first == again, cut, noise, len({first, second, third})) == (True, "ConnectionError", "ConnectionError", 3)


def test_nobody_listens() -> None:
    """The system's own error comes through."""
    server = Server(Told)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        request("PUT", f"http://{server.address}/")
