"""What is added to a call's span after the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind

from lambda_latency.runtime.copies import peer_of

if TYPE_CHECKING:
    from tests.runtime.conftest import Function

UPSTREAM = "opentelemetry.instrumentation.requests"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://payments.example.com/v1/charges", "payments.example.com", 443),
        ("http://127.0.0.1:8080", "127.0.0.1", 8080),
        ("http://[::1]:8080/a", "::1", 8080),
        ("https://user:secret@payments.example.com?token=secret#part", "payments.example.com", 443),
        ("HTTPS://Payments.Example.COM/", "payments.example.com", 443),
        ("ftp://files.example.com/a", "files.example.com", 0),
    ],
)
def test_a_peer_is_host_and_port(url: str, host: str, port: int) -> None:
    """Nothing else of the address."""
    assert peer_of(url) == {"peer.service": host, "net.peer.name": host, "net.peer.port": port}


@pytest.mark.parametrize(
    "url", ["", "no address", "http://", "http://user:pa/ss@host/", "http://[::1", "http://h:99999/"]
)
def test_what_is_no_address_has_no_peer(url: str) -> None:
    """And nothing of it is told in the log: it may hold a password where a port should be."""
    assert peer_of(url) == {}


@pytest.mark.parametrize(
    ("scope", "kind", "peer"),
    [
        (UPSTREAM, SpanKind.CLIENT, "payments.example.com"),
        (UPSTREAM, SpanKind.SERVER, None),
        ("the.handlers.own", SpanKind.CLIENT, None),
    ],
)
def test_only_upstreams_calls_are_completed(function: Function, scope: str, kind: SpanKind, peer: str | None) -> None:
    """A handler's own spans say what it has written, whether the tracer's first or a later one."""

    def handler(_event: object, _context: object) -> None:
        tracer = function.runtime.provider.get_tracer(scope)
        for _ in range(2):
            address: dict[str, Any] = {"http.url": "https://payments.example.com/v1"}
            tracer.start_span("call", kind=kind, attributes=address).end()

    function.invoke(handler)
    assert [(span.attributes or {}).get("peer.service") for span in function.spans] == [None, peer, peer]
