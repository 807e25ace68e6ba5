"""The steps of a connection that a driver takes without blocking: libpq's by psycopg, and pika's."""

import selectors
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.trace import StatusCode, Tracer

from lambda_latency.runtime.drivers.connections import OPENING
from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.drivers.postgres import Attempt
from lambda_latency.runtime.drivers.pymongo import instrument
from lambda_latency.runtime.drivers.rabbitmq import stepping
from lambda_latency.runtime.replace import replaced
from tests.runtime.conftest import Function
from tests.runtime.tree import listed

SYSTEM = {"db.system": "mysql", "db.name": "shop"}
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def tracer_of(function: Function) -> Tracer:
    """That of the runtime."""
    return function.runtime.provider.get_tracer("lambda_latency.runtime")


def tree(function: Function) -> list[str]:
    """Its spans, the parts of connections among them."""
    return listed(function.memory.get_finished_spans())


def test_an_attempt_of_libpq_is_a_connect_until_it_waits_to_read(function: Function) -> None:
    """The second address is an attempt of its own; the library's generator gets what it is sent."""
    sent: list[object] = []

    def attempt(*waits: int) -> Iterator[tuple[int, int]]:
        for wait in waits:
            got = yield 3, wait
            sent.append(got)
        if len(waits) == 1:
            raise ConnectionRefusedError("connection failed")
        return "connected"  # type: ignore[return-value]

    def handler(*_: object) -> None:
        with opening(tracer_of(function), SYSTEM, "localhost", 5432):
            connect = OPENING.get()
            assert connect is not None
            with pytest.raises(ConnectionRefusedError):
                list(Attempt(attempt(WRITE), connect))
            second = Attempt(attempt(WRITE, WRITE, READ, WRITE, READ), connect)
            assert [next(second), *(second.send(number) for number in range(4))] == [
                (3, WRITE), (3, WRITE), (3, READ), (3, WRITE), (3, READ)
            ]  # fmt: skip
            with pytest.raises(StopIteration, match="connected"):
                second.send(4)

    function.invoke(handler)
    assert sent == [None, *range(5)]
    assert tree(function)[1:] == ["orders-create > connect", "connect > tcp ERROR", "connect > tcp",
                                  "connect > handshake"]  # fmt: skip


def test_an_attempt_that_is_given_up_ends_with_its_error(function: Function) -> None:
    """It may be thrown into."""

    def attempt() -> Iterator[tuple[int, int]]:
        yield 3, WRITE

    def throw_into(waits: Iterator[tuple[int, int]]) -> None:
        attempt_of = OPENING.get()
        assert attempt_of is not None
        steps = Attempt(waits, attempt_of)
        next(steps)
        steps.throw(TimeoutError("connection timeout expired"))

    def handler(*_: object) -> None:
        given_up = pytest.raises(TimeoutError)
        with given_up, opening(tracer_of(function), SYSTEM, "localhost", 5432):
            throw_into(attempt())

    function.invoke(handler)
    assert tree(function)[1:] == ["orders-create > connect ERROR", "connect > tcp ERROR"]


class Services:
    """What does not block, and calls back: at once here."""

    def ask(self, *, host: str, on_done: Callable[[object], None]) -> str:
        """With the host's name, or the error that it is."""
        on_done(OSError(host) if host == "gone" else host)
        return "asked"


def test_a_step_that_does_not_block_lasts_until_it_calls_back(function: Function) -> None:
    """With the next one after it, unless it has failed."""
    replaced(Services, "ask", stepping(lambda arguments: str(arguments["host"]), "handshake"))
    done: list[object] = []

    def handler(*_: object) -> None:
        for host in ("tcp", "gone", ""):
            with opening(tracer_of(function), SYSTEM, "localhost", 5672):
                assert Services().ask(host=host, on_done=done.append) == "asked"
        assert Services().ask(host="tcp", on_done=done.append) == "asked"

    function.invoke(handler)
    assert list(map(str, done)) == ["tcp", "gone", "", "tcp"]
    assert tree(function)[1:] == [
        "orders-create > connect", "connect > tcp", "connect > handshake",
        "orders-create > connect", "connect > gone ERROR",
        "orders-create > connect", "connect > handshake",
    ]  # fmt: skip


class Topology:
    """Has some servers, and answers or raises."""

    def __init__(self, servers: list[str], suitable: list[str], *, fails: bool) -> None:
        self.description = SimpleNamespace(
            known_servers=servers,
            apply_selector=lambda _: suitable,
            server_descriptions=lambda: {("db.internal", 27017): 1},
        )
        self._fails = fails

    def select_server(self, selector: Any, operation: str, **_: object) -> str:
        """As pymongo's."""
        if self._fails:
            raise TimeoutError("no server")
        return f"{selector} {operation}"


@pytest.mark.parametrize(
    ("servers", "suitable", "fails", "expected"),
    [
        ([], [], True, [("find", "find", StatusCode.ERROR)]),
        (["secondary"], [], True, [("find", "find", StatusCode.ERROR)]),
        ([], [], False, [("connect", None, StatusCode.UNSET)]),
        (["primary"], ["primary"], False, []),
    ],
)
def test_an_operation_that_finds_no_server_has_its_span(
    function: Function,
    servers: list[str],
    suitable: list[str],
    fails: bool,
    expected: list[tuple[str, object, StatusCode]],
) -> None:
    """A wait that ends well is a connect: the command that follows has a span of its own."""

    class Own(Topology):
        select_server = Topology.select_server

    library = SimpleNamespace(pool=SimpleNamespace(Pool=type("Pool", (), {"connect": lambda _: None})),
                              topology=SimpleNamespace(Topology=Own))  # fmt: skip
    tracer = function.runtime.provider.get_tracer("lambda_latency.runtime")
    undo = instrument(SimpleNamespace(synchronous=library), tracer)

    def handler(*_: object) -> None:
        try:
            assert Own(servers, suitable, fails=fails).select_server("primary", "find") == "primary find"
        except TimeoutError:
            assert fails

    function.invoke(handler)
    while undo:
        undo.pop()()
    spans = [span for span in function.spans if span.name != "orders-create"]
    facts = [(span.name, (span.attributes or {}).get("db.operation"), span.status.status_code) for span in spans]
    assert facts == expected
