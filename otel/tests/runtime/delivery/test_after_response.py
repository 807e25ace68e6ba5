"""When spans leave: after the response and before the freeze, in real processes with Lambda's own runtime client."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.faults.box import SEGMENT, TRACE, Box
from lab.faults.collector import Collector
from lambda_latency.local.processes import Processes
from lambda_latency.runtime.delivery import extension
from lambda_latency.runtime.delivery.extension import Extension
from tests.runtime.conftest import STEPS
from tests.runtime.stubs import Answer, Server
from tests.sandbox.state import is_stopped, until

FUNCTION = "lab.faults.function.handler"
BOUND_MS = "20000"  # so long that nobody could take a held response for a quick one


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector, healthy at first."""
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def start(collector: Collector) -> Iterator[Callable[..., Box]]:
    """Start an environment whose spans go to that collector."""
    boxes: list[Box] = []
    with Server(otherwise=Answer(body=b"{}")) as provider, Processes() as processes:

        def begin(way: Any = "extension", **variables: str) -> Box:
            settings = {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
                "LAMBDA_LATENCY_FIRST_FLUSH_MS": BOUND_MS,
                "LAMBDA_LATENCY_FLUSH_MS": BOUND_MS,
                "PROVIDER": provider.url,
            }
            boxes.append(Box(processes, FUNCTION, settings | variables, way))
            return boxes[-1]

        yield begin
        for box in boxes:
            box.close()


def event(do: str, **more: Any) -> bytes:
    """What the function is told."""
    return json.dumps({"do": do, **more}).encode()


def names(collector: Collector) -> list[str]:
    """The spans that arrived, without what only a cold environment has."""
    return sorted(span.name for span in collector.spans() if span.name not in STEPS)


WORK = ["DynamoDB.GetItem", "GET", "in a pool", "orders-create"]


@pytest.mark.parametrize("way", ["extension", "main"])
def test_the_response_is_out_while_the_collector_has_not_answered(
    collector: Collector, start: Callable[..., Box], way: str
) -> None:
    """The caller does not wait for it, and the environment is not frozen before it has answered."""
    box = start(way)
    collector.set("held")
    run = box.invoke(event("work"))
    assert run.outcome is not None
    assert json.loads(run.outcome.payload)["statusCode"] == 200
    assert until(lambda: collector.requests == 1)
    assert (collector.bodies, box.settled, is_stopped(box.environment.pid)) == ([], False, False)
    collector.let_go.set()
    box.settle()
    assert names(collector) == WORK
    assert until(lambda: is_stopped(box.environment.pid))


def test_where_the_client_cannot_be_hooked_spans_leave_before_the_response(
    collector: Collector, start: Callable[..., Box]
) -> None:
    """Frozen the instant the response is out, for as long as the test likes: the spans are there."""
    box = start("before")
    box.freeze_s = 30
    box.invoke(event("work"))
    assert names(collector) == WORK
    assert any("has no wait_next_invocation; spans are delivered before each response" in line for line in box.lines)


@pytest.mark.parametrize("way", ["extension", "main", "before"])
def test_every_invocation_is_complete_when_the_environment_is_frozen_after_each(
    collector: Collector, start: Callable[..., Box], way: str
) -> None:
    """Cold and warm, and with whatever comes of the handler."""
    box = start(way)
    for number, do in enumerate(["work", "5xx", "raise", "object", "late", "work"], start=1):
        box.invoke(event(do))
        box.settle()
        assert until(lambda: is_stopped(box.environment.pid))
        assert names(collector).count("orders-create") == number
    roots = [span for span in collector.spans() if span.name == "orders-create"]
    assert {(span.trace_id.hex(), span.parent_span_id.hex()) for span in roots} == {(TRACE, SEGMENT)}
    assert [span.status.code for span in roots] == [0, 0, 2, 0, 0, 0]


@pytest.mark.parametrize("do", ["exit", "large"])
@pytest.mark.parametrize("way", ["extension", "main", "before"])
def test_a_process_that_ends_by_itself_delivers_first(
    collector: Collector, start: Callable[..., Box], way: str, do: str
) -> None:
    """`sys.exit` in a handler; a response above Lambda's limit, on which the runtime client gives up."""
    box = start(way)
    box.invoke(event(do))
    box.settle()
    assert until(lambda: box.ended)
    assert names(collector) == WORK


def test_what_a_collector_did_not_take_goes_out_with_a_later_invocation(
    collector: Collector, start: Callable[..., Box]
) -> None:
    """After a freeze, even with an invocation that records nothing itself."""
    box = start()
    collector.set("500")
    box.invoke(event("work"))
    box.settle()
    assert names(collector) == []
    collector.set("healthy")
    unsampled = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=0"

    def again() -> bool:
        box.invoke(event("nothing"), unsampled)
        box.settle()
        return names(collector) == WORK

    assert until(again)


def test_a_refused_registration_is_told(start: Callable[..., Box]) -> None:
    """One line; everything else is as ever. The freeze after the init may come before the line is out."""
    box = start("main")
    box.invoke(event("work"))
    box.settle()
    said = "spans are delivered by the runtime's own thread"
    assert until(lambda: [said in line for line in box.lines].count(True) == 1)


REGISTERED = b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: one\r\nContent-Length: 2\r\n\r\n{}"
EVENT = b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + b'{"eventType":"INVOKE"}'


class Watched:
    """A socket that remembers at which of its reads no response was out yet."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.out = threading.Event()
        self.early: list[tuple[object, ...]] = []

    def connect(self, _: object) -> None:
        """It is connected."""

    def recv(self, *args: int) -> bytes:
        if not self.out.is_set():
            self.early.append(args)
        return self.real.recv(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Watched, socket.socket]]:
    """The extension's end, and the API's."""
    extension_end, api_end = socket.socketpair()
    api_end.settimeout(10)
    watched = Watched(extension_end)
    monkeypatch.setattr(extension, "socket", lambda: watched)
    with extension_end, api_end:
        yield watched, api_end


def registered(watched: Watched, api: socket.socket, step: Any) -> Extension:
    """One that has asked for its first event."""
    client = Extension("localhost:1", step)
    assert b"/register" in api.recv(65536)
    api.sendall(REGISTERED)
    assert b"/event/next" in api.recv(65536)
    watched.early.clear()
    return client


def test_the_event_is_read_when_the_response_is_out(ends: tuple[Watched, socket.socket]) -> None:
    """The thread takes no time from the handler: until then it waits for nothing but the release."""
    watched, api = ends
    stepped = threading.Event()
    client = registered(watched, api, lambda _: stepped.set())
    api.sendall(EVENT)
    watched.out.set()
    client.release()
    assert stepped.wait(10)
    assert b"/event/next" in api.recv(65536)
    assert watched.early == []


def test_the_spans_of_an_invocation_whose_event_never_comes_leave_all_the_same(
    ends: tuple[Watched, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """The API goes away: that is told, what has ended is delivered, and the next invocations do without it."""
    watched, api = ends
    stepped = threading.Event()
    client = registered(watched, api, lambda _: stepped.set())
    api.close()
    client.release()
    assert until(lambda: "Lambda's Extensions API failed (RemoteDisconnected" in caplog.text)
    assert stepped.is_set()
    assert not client.alive
