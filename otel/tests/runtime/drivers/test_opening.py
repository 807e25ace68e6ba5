"""A driver's connection is a span with its parts: lookup, connect, TLS and the driver's own handshake."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.opening import opening, waiting, watch_sockets
from tests.runtime.conftest import Function
from tests.runtime.tree import listed

SYSTEM = {"db.system": "mysql", "db.name": "shop"}


class Greeter:
    """Greets whoever connects, so many of them; nobody after that."""

    def __init__(self, greetings: int = 1) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(greetings,), daemon=True)

    def __enter__(self) -> Greeter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(20)
        self._server.close()

    def _serve(self, greetings: int) -> None:
        for _ in range(greetings):
            client, _ = self._server.accept()
            with client:
                client.sendall(b"hello")


class Driver:
    """A database's driver, as most of them are written."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def connect(self) -> bytes:
        """By `create_connection`."""
        with socket.create_connection((self.host, self.port), 20) as connected:
            return connected.recv(5)

    def connect_by_hand(self) -> bytes:
        """By a socket of its own."""
        address = socket.getaddrinfo(self.host, self.port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
        with socket.socket() as connected:
            connected.settimeout(20)
            connected.connect(address)
            return connected.recv(5)

    async def connect_async(self) -> bytes:
        """By asyncio."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        with closing(writer):
            return await reader.read(5)


@pytest.fixture
def tracer(function: Function) -> Iterator[Tracer]:
    """That of the runtime, with the driver's three ways traced by it."""
    made = function.runtime.provider.get_tracer("lambda_latency.runtime")

    def connect(driver: Driver) -> Any:
        return opening(made, SYSTEM, driver.host, driver.port)

    undo = watch_sockets(made)
    undo += [within(Driver, name, connect) for name in ("connect", "connect_by_hand", "connect_async")]
    yield made
    for restore in reversed(undo):
        restore()


def tree(function: Function) -> list[str]:
    """Its spans, the parts of connections among them."""
    return listed(function.memory.get_finished_spans())


ALL = ["Lambda > orders-create", "orders-create > connect", "connect > dns", "connect > tcp", "connect > handshake"]


def called(driver: Driver, way: int) -> bytes:
    """By the driver as it is then: the fixture replaces its methods."""
    if way == 2:
        return asyncio.run(driver.connect_async())
    return driver.connect() if way == 0 else driver.connect_by_hand()


@pytest.mark.usefixtures("tracer")
@pytest.mark.parametrize("way", [0, 1, 2], ids=["create_connection", "a socket of its own", "asyncio"])
def test_a_connection_is_a_call_with_its_parts(function: Function, way: int) -> None:
    """With whom it goes to; the parts have that too."""
    with Greeter() as server:
        assert function.invoke(lambda *_: called(Driver("localhost", server.port), way)) == b"hello"
    assert tree(function) == ALL
    by_name = {span.name: span.attributes or {} for span in function.memory.get_finished_spans()}
    peer = {"server.address": "localhost", "server.port": server.port}
    assert {key: by_name["connect"][key] for key in (*SYSTEM, *peer, "net.peer.name")} == {
        **SYSTEM,
        **peer,
        "net.peer.name": "localhost",
    }
    for step in ("dns", "tcp", "handshake"):
        assert {key: by_name[step][key] for key in peer} == peer


@pytest.mark.usefixtures("tracer")
@pytest.mark.parametrize("way", [0, 1, 2], ids=["create_connection", "a socket of its own", "asyncio"])
def test_a_refused_one_fails_in_its_connect(function: Function, way: int) -> None:
    """Nothing is said to be a handshake."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    def handler(*_: object) -> None:
        with pytest.raises(ConnectionRefusedError):
            called(Driver("localhost", port), way)

    function.invoke(handler)
    assert tree(function) == [
        *ALL[:1],
        "orders-create > connect ERROR",
        "connect > dns",
        "connect > tcp ERROR",
    ]


def test_what_fails_after_the_connect_is_the_handshake(function: Function, tracer: Tracer) -> None:
    """Whatever the driver raises."""

    def handler(*_: object) -> None:
        with (
            Greeter() as server,
            pytest.raises(PermissionError),
            opening(tracer, SYSTEM, "localhost", server.port),
            socket.create_connection(("localhost", server.port), 20),
        ):
            raise PermissionError("Access denied")

    function.invoke(handler)
    assert tree(function)[1:] == ["orders-create > connect ERROR", "connect > dns", "connect > tcp",
                                  "connect > handshake ERROR"]  # fmt: skip


@pytest.mark.usefixtures("tracer")
def test_inside_of_a_call_the_parts_are_its_own(function: Function, tracer: Tracer) -> None:
    """A Redis command opens its connection."""

    def handler(*_: object) -> None:
        with Greeter() as server, tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT):
            Driver("localhost", server.port).connect_by_hand()

    function.invoke(handler)
    assert tree(function) == ["Lambda > orders-create", "orders-create > GET", "GET > dns", "GET > tcp",
                              "GET > handshake"]  # fmt: skip


@pytest.mark.usefixtures("tracer")
def test_a_socket_file_is_no_connection_to_speak_of(function: Function, tracer: Tracer) -> None:
    """Nothing is looked up or agreed on."""

    def handler(*_: object) -> None:
        with opening(tracer, SYSTEM, "/run/mysqld/mysqld.sock", 3306):
            pass

    function.invoke(handler)
    assert tree(function) == ["Lambda > orders-create"]


@pytest.mark.usefixtures("tracer")
@pytest.mark.parametrize("way", [0, 1, 2], ids=["create_connection", "a socket of its own", "asyncio"])
def test_what_nobody_records_has_no_span(function: Function, monkeypatch: pytest.MonkeyPatch, way: int) -> None:
    """And connects."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0")
    with Greeter() as server:
        assert function.invoke(lambda *_: called(Driver("localhost", server.port), way)) == b"hello"
    assert tree(function) == []


def test_sockets_are_watched_once_and_left_as_they_were(function: Function) -> None:
    """However many drivers ask for it."""
    made, original = function.runtime.provider.get_tracer("lambda_latency.runtime"), socket.socket.connect
    (undo,) = watch_sockets(made)
    assert (watch_sockets(made), socket.socket.connect is original) == ([], False)
    undo()
    assert socket.socket.connect is original


def test_the_wait_for_a_connection_of_a_pool_is_a_span_where_it_waits(function: Function, tracer: Tracer) -> None:
    """With the call's own database."""

    def handler(*_: object) -> None:
        with tracer.start_as_current_span(
            "connect", kind=trace.SpanKind.CLIENT, attributes={**SYSTEM, "net.peer.name": "db"}
        ):
            for waits in (False, True):
                with waiting(tracer, {}, "", waits=waits):
                    pass

    function.invoke(handler)
    assert tree(function)[1:] == ["orders-create > connect", "connect > pool"]
    (pool,) = [span for span in function.memory.get_finished_spans() if span.name == "pool"]
    attributes = pool.attributes or {}
    assert {key: attributes[key] for key in (*SYSTEM, "server.address")} == {**SYSTEM, "server.address": "db"}


def test_a_wait_that_fails_is_an_error(function: Function, tracer: Tracer) -> None:
    """The library's own."""

    def handler(*_: object) -> None:
        with pytest.raises(queue.Empty), waiting(tracer, SYSTEM, "db", waits=True):
            queue.Queue[int]().get_nowait()

    function.invoke(handler)
    assert tree(function)[1:] == ["orders-create > pool ERROR"]


class Subject:
    """Something with a method of each kind."""

    def plain(self) -> str:
        """A method."""
        return "plain"

    async def coroutine(self) -> str:
        """A coroutine function."""
        await asyncio.sleep(0)
        return "coroutine"

    @classmethod
    def of_class(cls) -> str:
        """A class method."""
        return cls.__name__


def test_a_function_of_each_kind_runs_inside() -> None:
    """A coroutine until its end; each is what it was afterwards."""
    steps: list[str] = []

    @contextmanager
    def noted(*_: object) -> Iterator[None]:
        steps.append("begin")
        yield
        steps.append("end")

    originals = dict(vars(Subject))
    undo = [within(Subject, name, noted) for name in ("plain", "coroutine", "of_class")]
    subject = Subject()
    assert (subject.plain(), asyncio.run(subject.coroutine()), Subject.of_class()) == ("plain", "coroutine", "Subject")
    assert steps == ["begin", "end"] * 3
    assert asyncio.iscoroutinefunction(Subject.coroutine)
    assert [restore() for restore in undo] == [True, True, True]
    assert [restore() for restore in undo] == [False, False, False]
    assert {name: vars(Subject)[name] for name in ("plain", "coroutine", "of_class")} == {
        name: originals[name] for name in ("plain", "coroutine", "of_class")
    }


def test_a_library_that_is_not_as_it_was_is_called_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """One line of the log says that the call is not traced."""

    def context(subject: Any, *_: object) -> Any:
        return subject.gone

    undo = within(Subject, "plain", context)
    try:
        assert Subject().plain() == "plain"
    finally:
        undo()
    (message,) = caplog.messages
    assert message.startswith(
        "lambda-latency: tracing a call by tests.runtime.drivers.test_opening failed (AttributeError:"
    )
