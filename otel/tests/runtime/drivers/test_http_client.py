"""A call of http.client by hand is a span from its request to its response."""

import socket
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from tests.runtime.conftest import Function
from tests.runtime.stubs import Answer, Server
from tests.runtime.tree import identity


def calls(function: Function) -> list[tuple[str, str, Any]]:
    """Name, kind of status and HTTP's status of each."""
    return [
        (span.name, span.status.status_code.name, (span.attributes or {}).get("http.status_code"))
        for span in function.spans
        if span.kind.name == "CLIENT"
    ]


def get(port: int, path: str = "/orders", **more: Any) -> Any:
    """One call, and what it answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, **more)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_call_is_one_span_that_its_header_names(function: Function, server: Server) -> None:
    """With the host, and the caller's own headers as they were."""
    assert function.invoke(lambda *_: get(server.port, headers={"X-Own": "1"})) == (200, b"{}")
    (span,) = [span for span in function.spans if span.kind.name == "CLIENT"]
    attributes = span.attributes or {}
    assert calls(function) == [("GET", "UNSET", 200)]
    assert (attributes["http.url"], attributes["net.peer.name"]) == (f"{server.url}/orders", "127.0.0.1")
    (request,) = server.requests
    assert request.headers["x-own"] == "1"
    assert f"Parent={identity(span):016x}" in request.headers["x-amzn-trace-id"]


def test_a_status_of_an_error_is_an_error(function: Function, server: Server) -> None:
    """It is the server's answer."""
    server.otherwise = Answer(503)
    assert function.invoke(lambda *_: get(server.port))[0] == 503
    assert calls(function) == [("GET", "ERROR", 503)]


def test_a_refused_connection_is_an_error_with_its_connect_below(function: Function) -> None:
    """The exception goes on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    def handler(*_: object) -> None:
        with pytest.raises(ConnectionRefusedError):
            get(port)

    function.invoke(handler)
    assert calls(function) == [("GET", "ERROR", None)]
    (tcp,) = [span for span in function.memory.get_finished_spans() if span.name == "tcp"]
    (call,) = [span for span in function.spans if span.kind.name == "CLIENT"]
    assert tcp.parent is not None
    assert tcp.parent.span_id == identity(call)


def test_a_response_that_nobody_asks_for_ends_with_its_connection(function: Function, server: Server) -> None:
    """No span is left open."""

    def handler(*_: object) -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/orders")
        connection.close()

    function.invoke(handler)
    assert calls(function) == [("GET", "UNSET", None)]


def test_a_library_above_it_makes_the_only_span(function: Function, server: Server) -> None:
    """Also after a call by hand."""

    def handler(*_: object) -> None:
        get(server.port)
        requests.get(server.url, timeout=20)

    function.invoke(handler)
    assert calls(function) == [("GET", "UNSET", 200), ("GET", "UNSET", 200)]


def test_what_nobody_records_has_no_span_and_says_so(
    function: Function, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To whom it calls."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0")
    assert function.invoke(lambda *_: get(server.port)) == (200, b"{}")
    assert function.spans == ()
    assert server.requests[0].headers["x-amzn-trace-id"].endswith("Sampled=0")


def test_http_client_is_as_before_when_the_runtime_stops(start: Callable[..., Function], server: Server) -> None:
    """After a call, which puts the rest on."""
    originals = [vars(HTTPConnection)[name] for name in ("request", "getresponse", "close")]
    function = start()
    function.invoke(lambda *_: get(server.port))
    function.runtime.stop()
    assert [vars(HTTPConnection)[name] for name in ("request", "getresponse", "close")] == originals
