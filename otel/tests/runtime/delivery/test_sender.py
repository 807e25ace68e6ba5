"""Delivery: bounded whatever the receiver does, and told once."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from lambda_latency.runtime.delivery.sender import Sender
from lambda_latency.runtime.delivery.transport import Reply as Response
from lambda_latency.runtime.delivery.transport import Transport
from lambda_latency.runtime.settings import Settings
from tests.runtime.conftest import TRACE, Clock, Function
from tests.runtime.stubs import Answer, Server


@pytest.fixture
def spans(function: Function) -> Sequence[ReadableSpan]:
    """Something to send."""
    function.invoke(lambda _event, _context: None)
    return function.spans


def count(body: bytes) -> int:
    """The spans of an export request."""
    message = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in message.resource_spans for scope in resource.scope_spans)


@contextmanager
def sending_to(url: str, **settings: str) -> Iterator[Sender]:
    """A sender that lets go of its connection at the end."""
    sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": url, **settings}))
    yield sender
    sender.shutdown()


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with each connection what no HTTP server would; it is closed when the test lets go."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_spans_arrive_as_otlp_over_one_connection(spans: Sequence[ReadableSpan]) -> None:
    """As protobuf, at the path of the specification."""
    with Server() as server, sending_to(server.url) as sender:
        for _ in range(3):
            sender.export(spans)
        request = server.requests[0]
        assert (len(server.requests), server.connections) == (3, 1)
    assert (request.method, request.path) == ("POST", "/v1/traces")
    assert request.headers["content-type"] == "application/x-protobuf"
    message = ExportTraceServiceRequest.FromString(request.body)
    (sent,) = message.resource_spans[0].scope_spans[0].spans
    assert (sent.name, sent.trace_id.hex()) == ("orders-create", TRACE)


def test_a_connection_that_was_closed_meanwhile_is_replaced_once(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    """A freeze outlasts every server's idle limit; nothing is lost by it."""
    with Server(Answer(close=True), Answer(close=True)) as server, sending_to(server.url) as sender:
        for _ in range(3):
            sender.export(spans)
        assert (len(server.requests), server.connections) == (3, 3)
    assert caplog.messages == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_be_taken_later_waits_and_is_told_once(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, clock: Clock, status: int
) -> None:
    """One line when it begins to fail and one when it is over; nothing is lost."""
    with Server(Answer(status), Answer(503)) as server, sending_to(server.url) as sender:
        for _ in range(4):
            sender.export(spans)
            clock.now += 2
        bodies = [request.body for request in server.requests]
        where = f"{server.url}/v1/traces"
    assert [count(body) for body in bodies] == [1, 2, 3, 1]
    assert caplog.messages == [
        f"lambda-latency: no spans are delivered to {where} (it answered {status}); they wait until it takes them",
        f"lambda-latency: spans are delivered to {where} again; 0 were dropped",
    ]


def test_what_is_refused_for_good_is_dropped_and_told_once(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    """A retry of a 400 is a 400."""
    with Server(Answer(400), Answer(404)) as server, sending_to(server.url) as sender:
        for _ in range(3):
            sender.export(spans)
        assert [count(request.body) for request in server.requests] == [1, 1, 1]
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        f"lambda-latency: {where} refuses spans (1 of 1: it answered 400); they are dropped",
        f"lambda-latency: spans are delivered to {where} again; 2 were dropped",
    ]


def test_a_receiver_that_is_not_there_is_told_once(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    """Refused at once, and no reason to raise."""
    with Server() as gone:
        pass
    with sending_to(gone.url) as sender:
        sender.export(spans)
        sender.export(spans)
        (message,) = caplog.messages
    assert message.startswith(f"lambda-latency: no spans are delivered to {gone.url}/v1/traces (ConnectionRefusedError")


def black_hole(released: threading.Event) -> Callable[[socket.socket], None]:
    """Accepts and never answers."""
    return lambda _connection: void(released.wait(10))


def dribble(released: threading.Event) -> Callable[[socket.socket], None]:
    """Sends a byte of an endless header often enough that no single read ever times out."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(500):  # an end, so that a runtime without the bound fails this test and does not hang it
            if released.wait(0.01):
                return
            connection.sendall(b"x")

    return serve


def void(_: object) -> None:
    """Nothing."""


def test_the_first_delivery_may_take_longer(spans: Sequence[ReadableSpan], monkeypatch: pytest.MonkeyPatch) -> None:
    """One second in a new environment, whose collector may be starting; a quarter of one later, by default."""
    bounds: list[float] = []

    def post(_transport: Transport, _body: bytes, seconds: float) -> Response:
        bounds.append(seconds)
        return Response(200)

    monkeypatch.setattr(Transport, "post", post)
    with sending_to("http://localhost:1") as sender:
        for _ in range(3):
            sender.export(spans)
    assert bounds == pytest.approx([1.0, 0.25, 0.25], abs=0.01)


@pytest.mark.parametrize("kind", [black_hole, dribble])
def test_a_receiver_that_never_answers_holds_the_request_for_the_bound_only(
    spans: Sequence[ReadableSpan],
    caplog: pytest.LogCaptureFixture,
    clock: Clock,
    kind: Callable[[threading.Event], Callable[[socket.socket], None]],
) -> None:
    """It is a bound on the whole, not on each byte."""
    released = threading.Event()
    took: list[float] = []
    bounds = {"LAMBDA_LATENCY_FIRST_FLUSH_MS": "300", "LAMBDA_LATENCY_FLUSH_MS": "100"}
    with raw_server(kind(released)) as url, sending_to(url, **bounds) as sender:
        for _ in range(2):
            begin = time.monotonic()
            sender.export(spans)
            took.append(time.monotonic() - begin)
            clock.now += 2
        (message,) = caplog.messages
        released.set()
    cold_s, warm_s = took
    assert 0.3 <= cold_s < 2  # far above, for a busy machine; a wait for ever would be ten seconds
    assert 0.1 <= warm_s < 2
    assert "TimeoutError" in message


def test_an_answer_that_is_no_http_is_a_failed_delivery(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    """Something else listens on the port."""
    with raw_server(lambda connection: connection.sendall(b"220 mail ready\r\n")) as url, sending_to(url) as sender:
        sender.export(spans)
        assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost:4318/v1/traces", "http://localhost:4318/v1/traces"),
        ("https://user:secret@collector/in?key=secret", "https://collector:443/in"),
        ("http://[::1]:1", "http://[::1]:1/"),
    ],
)
def test_the_log_names_the_receiver_without_its_secrets(url: str, address: str) -> None:
    """An address may carry a password or a key."""
    assert Transport(url).address == address
