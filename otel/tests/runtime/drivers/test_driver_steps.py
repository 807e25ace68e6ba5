"""The steps of a connection that a driver takes without blocking: libpq's by psycopg, and pika's."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from lambda_latency.runtime.drivers.connections import OPENING
from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.drivers.postgres import Attempt
from lambda_latency.runtime.drivers.rabbitmq import stepping
from lambda_latency.runtime.replace import replaced
from tests.runtime.tree import listed

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from tests.runtime.conftest import Function

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
            at = OPENING.get()
            assert at is not None
            with pytest.raises(ConnectionRefusedError):
                list(Attempt(attempt(WRITE), at))
            second = Attempt(attempt(WRITE, WRITE, READ, WRITE, READ), at)
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
        at = OPENING.get()
        assert at is not None
        steps = Attempt(waits, at)
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
    replaced(Services, "ask", stepping(lambda given: str(given["host"]), "handshake"))
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
