"""DNS, TCP and TLS of a new connection are spans below the call, and a connection that is used again has none."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
import pytest
import requests
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

import lambda_latency.runtime.drivers.connections
from tests.runtime.conftest import Function
from tests.runtime.stubs import Answer, Server, certificate
from tests.runtime.tree import identity

ROOT = Path(__file__).parents[4]
OLD = ROOT / "build" / "urllib3-1.26"
GONE = "no-such-host.example.com"
ITEM = b'{"Item": {"id": {"S": "1"}}}'

Step = tuple[str, str, dict[str, Any]]


def with_requests(url: str, trusted: str | None, proxy: str | None = None, session: Any = requests) -> None:
    """requests"""
    proxies = {"http": proxy, "https": proxy} if proxy else None
    session.get(f"{url}/a", verify=trusted or True, timeout=20, proxies=proxies)


def with_boto3(url: str, trusted: str | None, proxy: str | None = None, client: Any = None) -> None:
    """boto3"""
    (client or dynamodb(url, trusted, proxy)).get_item(TableName="orders", Key={"id": {"S": "1"}})


def dynamodb(url: str, trusted: str | None, proxy: str | None = None) -> Any:
    """A client that asks once."""
    config = Config(retries={"total_max_attempts": 1}, proxies={"http": proxy, "https": proxy} if proxy else None)
    return boto3.client("dynamodb", endpoint_url=url, verify=trusted, config=config)


def with_urllib(url: str, trusted: str | None) -> None:
    """urllib"""
    context = ssl.create_default_context(cafile=trusted)
    with urllib.request.urlopen(f"{url}/a", timeout=20, context=context) as answer:
        answer.read()


def with_httpx(url: str, trusted: str | None) -> None:
    """httpx"""
    httpx = pytest.importorskip("httpx")
    with httpx.Client(verify=ssl.create_default_context(cafile=trusted), timeout=20) as client:
        client.get(f"{url}/a")


def with_httpx_awaited(url: str, trusted: str | None) -> None:
    """httpx in asyncio"""
    httpx = pytest.importorskip("httpx")

    async def awaited() -> None:
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=trusted), timeout=20) as client:
            await client.get(f"{url}/a")

    asyncio.run(awaited())


def with_aiohttp(url: str, trusted: str | None) -> None:
    """aiohttp"""
    aiohttp = pytest.importorskip("aiohttp")

    async def awaited() -> None:
        context = ssl.create_default_context(cafile=trusted)
        async with aiohttp.ClientSession() as session, session.get(f"{url}/a", ssl=context) as answer:
            await answer.read()

    asyncio.run(awaited())


CALLS = [with_requests, with_boto3, with_urllib, with_httpx, with_httpx_awaited, with_aiohttp]
PROXIED = [with_requests, with_boto3]


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate of `localhost`, as a file with its key."""
    path = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    path.write_bytes(certificate("localhost"))
    return str(path)


@pytest.fixture
def secure(trusted: str) -> Iterator[Server]:
    """The same server over TLS."""
    with Server(otherwise=Answer(body=ITEM), certificate=trusted) as running:
        yield running


def steps(function: Function, *keys: str) -> list[Step]:
    """The children of the call, by start: name, status and some attributes."""
    spans = function.memory.get_finished_spans()
    calls = {identity(span) for span in spans if span.kind.name == "CLIENT"}
    return [
        (span.name, span.status.status_code.name, {key: (span.attributes or {}).get(key) for key in keys})
        for span in sorted(spans, key=lambda span: span.start_time or 0)
        if span.parent is not None and span.parent.span_id in calls
    ]


def plain(traced: list[Step]) -> list[str]:
    """Names, and what is an ERROR."""
    return [name + (" ERROR" if status == "ERROR" else "") for name, status, _ in traced]


@pytest.mark.parametrize("call", CALLS)
def test_a_new_connection_is_a_lookup_and_a_connect(function: Function, server: Server, call: Any) -> None:
    """With the host and the port of each."""
    server.otherwise = Answer(body=ITEM)
    function.invoke(lambda *_: call(f"http://localhost:{server.port}", None))
    peer = {"server.address": "localhost", "server.port": server.port}
    assert steps(function, *peer) == [("dns", "UNSET", peer), ("tcp", "UNSET", peer)]


@pytest.mark.parametrize("call", CALLS)
def test_a_secure_one_has_a_handshake_too(function: Function, secure: Server, trusted: str, call: Any) -> None:
    """One, however many layers a client has, and with the version that was agreed on."""
    function.invoke(lambda *_: call(f"https://localhost:{secure.port}", trusted))
    assert plain(steps(function)) == ["dns", "tcp", "tls"]
    assert steps(function, "server.address", "tls.protocol.version")[2][2] == {
        "server.address": "localhost",
        "tls.protocol.version": "1.3",
    }


@pytest.mark.parametrize("call", CALLS)
def test_an_address_needs_no_lookup(function: Function, server: Server, call: Any) -> None:
    """Only names are looked up."""
    server.otherwise = Answer(body=ITEM)
    function.invoke(lambda *_: call(server.url, None))
    assert plain(steps(function)) == ["tcp"]


@pytest.mark.parametrize("with_session", [True, False], ids=["requests", "boto3"])
def test_a_connection_that_is_used_again_calls_nothing_of_ours(
    function: Function, secure: Server, trusted: str, with_session: bool
) -> None:
    """Every Python function that the second call runs is looked at."""
    url, called = f"https://localhost:{secure.port}", list[str]()
    if with_session:
        session = requests.Session()

        def call() -> None:
            with_requests(url, trusted, session=session)
    else:
        client = dynamodb(url, trusted)

        def call() -> None:
            with_boto3(url, trusted, client=client)

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename == lambda_latency.runtime.drivers.connections.__file__:
            called.append(frame.f_code.co_name)

    def handler(*_: object) -> None:
        call()
        sys.setprofile(look)
        try:
            call()
        finally:
            sys.setprofile(None)

    function.invoke(handler)
    assert (plain(steps(function)), called) == (["dns", "tcp", "tls"], [])
    assert len([span for span in function.spans if span.kind.name == "CLIENT"]) == 2


ERRORS = (requests.ConnectionError, BotoCoreError, urllib.error.URLError, OSError, Exception)


@pytest.mark.parametrize("call", CALLS)
def test_a_refused_connection_fails_in_its_connect(function: Function, call: Any) -> None:
    """With the type of the error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    def handler(*_: object) -> None:
        with contextlib.suppress(*ERRORS):
            call(f"http://localhost:{port}", None)

    function.invoke(handler)
    assert plain(steps(function)) == ["dns", "tcp ERROR"]
    assert steps(function, "error.type")[1][2] == {"error.type": "ConnectionRefusedError"}


@pytest.mark.parametrize("call", CALLS)
def test_a_name_that_is_not_found_fails_in_its_lookup(
    start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch, call: Any
) -> None:
    """Nothing is connected."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == GONE:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    function = start()

    def handler(*_: object) -> None:
        with contextlib.suppress(*ERRORS):
            call(f"http://{GONE}", None)

    function.invoke(handler)
    assert plain(steps(function)) == ["dns ERROR"]
    assert steps(function, "error.type")[0][2] == {"error.type": "gaierror"}


@pytest.mark.parametrize("call", CALLS)
def test_a_certificate_that_nobody_trusts_fails_in_the_handshake(function: Function, secure: Server, call: Any) -> None:
    """What came before is fine."""

    def handler(*_: object) -> None:
        with contextlib.suppress(*ERRORS):
            call(f"https://localhost:{secure.port}", None)

    function.invoke(handler)
    assert plain(steps(function)) == ["dns", "tcp", "tls ERROR"]
    assert steps(function, "error.type")[2][2] == {"error.type": "SSLCertVerificationError"}


@pytest.mark.parametrize("call", PROXIED)
def test_through_a_proxy_the_proxy_is_connected_to(function: Function, secure: Server, trusted: str, call: Any) -> None:
    """And the handshake is with whom is called."""
    with Proxy(secure.port) as proxy:
        function.invoke(
            lambda *_: call(f"https://localhost:{secure.port}", trusted, proxy=f"http://localhost:{proxy.port}")
        )
    assert steps(function, "server.address", "server.port") == [
        ("dns", "UNSET", {"server.address": "localhost", "server.port": proxy.port}),
        ("tcp", "UNSET", {"server.address": "localhost", "server.port": proxy.port}),
        ("tls", "UNSET", {"server.address": "localhost", "server.port": None}),
    ]


def test_what_is_not_recorded_has_no_steps(function: Function, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """And works."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0")
    function.invoke(lambda *_: with_requests(server.url, None))
    assert (function.memory.get_finished_spans(), len(server.requests)) == ((), 1)


def test_what_is_no_call_has_no_steps(function: Function, server: Server) -> None:
    """A connection of asyncio that the function opens by itself."""

    async def opened() -> None:
        _, writer = await asyncio.open_connection("localhost", server.port)
        writer.close()
        await writer.wait_closed()

    function.invoke(lambda *_: asyncio.run(opened()))
    assert [span.name for span in function.memory.get_finished_spans()] == ["orders-create"]


def test_everything_is_as_before_when_the_runtime_stops(start: Callable[..., Function]) -> None:
    """The functions that were replaced, and the methods of loops."""
    base, selector = asyncio.base_events.BaseEventLoop, asyncio.selector_events.BaseSelectorEventLoop

    def replaced() -> list[object]:
        return [
            socket.getaddrinfo,
            socket.create_connection,
            ssl.SSLContext.wrap_socket,
            urllib3.util.connection.create_connection,
            vars(urllib3.connection)["ssl_wrap_socket"],
            base.getaddrinfo,
            base.create_connection,
            base.start_tls,
            selector.sock_connect,
        ]

    originals = replaced()
    function = start()
    during = replaced()
    function.runtime.stop()
    assert [original is function_now for original, function_now in zip(originals, during, strict=True)] == [False] * 9
    assert replaced() == originals


@pytest.mark.skipif("urllib3-1.26" in os.environ.get("PYTHONPATH", ""), reason="this is the run with urllib3 1.26")
def test_it_is_the_same_with_urllib3_1_26() -> None:
    """That of Lambda's older Pythons. `make test` brings it."""
    if not OLD.exists():
        if os.environ.get("CI"):
            pytest.fail(f"no {OLD}: run make test")
        pytest.skip(f"no {OLD}: run make test")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(OLD), str(ROOT / "otel"), str(ROOT)])}
    code = "import sys, pytest, urllib3; assert urllib3.__version__ < '2'; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-q", "-p", "no:cacheprovider", "-W", "default", __file__]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


class Proxy:
    """Takes one CONNECT, and passes on what comes to a port of this machine until one side has had enough."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        gc.collect()  # clients that were let go close their connections
        self._thread.join(20)
        self._server.close()

    def _serve(self) -> None:
        client, _ = self._server.accept()
        with client, socket.create_connection(("127.0.0.1", self._target)) as target, contextlib.suppress(OSError):
            while b"\r\n\r\n" not in client.recv(65536):
                pass
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                for ready in select.select([client, target], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (target if ready is client else client).sendall(data)
