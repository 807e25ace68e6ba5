"""DNS, TCP and TLS of a new connection in asyncio are spans below the call."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime.certificate import certificate
from tests.runtime.drivers.test_connections import plain, steps
from tests.runtime.stubs import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.runtime.conftest import Function


aiohttp: Any = pytest.importorskip("aiohttp")
httpx: Any = pytest.importorskip("httpx")


async def with_aiohttp(url: str, context: ssl.SSLContext | None) -> None:
    """aiohttp"""
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context or True) as answer:
        await answer.read()


async def with_httpx(url: str, context: ssl.SSLContext | None) -> None:
    """httpx"""
    async with httpx.AsyncClient(verify=context or True, timeout=20) as client:
        await client.get(url)


CALLS = [with_aiohttp, with_httpx]


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Server, ssl.SSLContext]]:
    """A server over TLS, and who trusts it."""
    path = tmp_path / "localhost.pem"
    path.write_bytes(certificate("localhost"))
    with Server(certificate=str(path)) as running:
        yield running, ssl.create_default_context(cafile=str(path))


@pytest.mark.parametrize("call", CALLS)
def test_a_new_connection_is_a_lookup_and_a_connect(function: Function, server: Server, call: Any) -> None:
    """With the host and the port of each, although the connect is to an address."""
    function.invoke(lambda *_: asyncio.run(call(f"http://localhost:{server.port}/", None)))
    peer = {"server.address": "localhost", "server.port": server.port}
    assert steps(function, *peer) == [("dns", "UNSET", peer), ("tcp", "UNSET", peer)]


@pytest.mark.parametrize("call", CALLS)
def test_a_secure_one_has_a_handshake_too(function: Function, secure: tuple[Server, ssl.SSLContext], call: Any) -> None:
    """One, with the version that was agreed on."""
    server, context = secure
    function.invoke(lambda *_: asyncio.run(call(f"https://localhost:{server.port}/", context)))
    assert plain(steps(function)) == ["dns", "tcp", "tls"]
    assert steps(function, "server.address", "tls.protocol.version")[2][2] == {
        "server.address": "localhost",
        "tls.protocol.version": "1.3",
    }


@pytest.mark.parametrize("call", CALLS)
def test_an_address_needs_no_lookup(function: Function, server: Server, call: Any) -> None:
    """Only names are looked up."""
    function.invoke(lambda *_: asyncio.run(call(server.url, None)))
    assert plain(steps(function)) == ["tcp"]


@pytest.mark.parametrize("call", CALLS)
def test_a_refused_connection_fails_in_its_connect(function: Function, call: Any) -> None:
    """With the type of the error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    def handler(*_: object) -> None:
        with contextlib.suppress(aiohttp.ClientError, httpx.HTTPError):
            asyncio.run(call(f"http://localhost:{port}/", None))

    function.invoke(handler)
    assert plain(steps(function)) == ["dns", "tcp ERROR"]
    assert steps(function, "error.type")[1][2] == {"error.type": "ConnectionRefusedError"}


@pytest.mark.parametrize("call", CALLS)
def test_a_certificate_that_nobody_trusts_fails_in_the_handshake(
    function: Function, secure: tuple[Server, ssl.SSLContext], call: Any
) -> None:
    """What came before is fine."""

    def handler(*_: object) -> None:
        with contextlib.suppress(aiohttp.ClientError, httpx.HTTPError):
            asyncio.run(call(f"https://localhost:{secure[0].port}/", None))

    function.invoke(handler)
    assert plain(steps(function)) == ["dns", "tcp", "tls ERROR"]


def test_what_is_no_call_has_no_steps(function: Function, server: Server) -> None:
    """A connection that the function opens by itself."""

    async def opened() -> None:
        _, writer = await asyncio.open_connection("localhost", server.port)
        writer.close()
        await writer.wait_closed()

    function.invoke(lambda *_: asyncio.run(opened()))
    assert [span.name for span in function.memory.get_finished_spans()] == ["orders-create"]


def test_loops_are_as_before_when_the_runtime_stops(start: Callable[..., Function]) -> None:
    """The methods that were replaced."""
    base, selector = asyncio.base_events.BaseEventLoop, asyncio.selector_events.BaseSelectorEventLoop

    def replaced() -> list[object]:
        return [base.getaddrinfo, base.create_connection, base.start_tls, selector.sock_connect]

    before = replaced()
    function = start()
    during = replaced()
    function.runtime.stop()
    assert [one is other for one, other in zip(before, during, strict=True)] == [False] * 4
    assert replaced() == before
