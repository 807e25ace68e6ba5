"""What waits, for how long, and in how much room."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from lambda_latency.runtime.delivery.after_response import Responses
from lambda_latency.runtime.delivery.daemon import DATAGRAM, DaemonSender
from lambda_latency.runtime.delivery.sender import LARGEST, Circuit, Sender
from lambda_latency.runtime.recorder import Buffer
from lambda_latency.runtime.settings import Settings
from tests.draws import draws
from tests.runtime.conftest import Clock, Function
from tests.runtime.delivery.test_encoding import simple
from tests.runtime.delivery.test_sender import count
from tests.runtime.stubs import Answer, Server


def test_a_thread_that_cannot_start_leaves_the_delivery_to_the_runtimes_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The system may have no room for one."""

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("lambda_latency.runtime.delivery.after_response.helper", refuse)
    steps: list[str] = []
    responses = Responses(lambda _: steps.append("delivered"), lambda: steps.append("ready"))
    responses.begin()
    responses.finish()
    responses.finish()
    assert steps == ["ready", "delivered"]
    said = "starting the thread that delivers spans failed (RuntimeError: can't start new thread); the request goes on"
    assert caplog.messages == [f"lambda-latency: {said}"]


@settings(max_examples=draws(100), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 40)), st.integers(1, 5), st.integers(1, 60))
def test_a_buffer_keeps_the_newest_that_fit(sizes: list[int], limit: int, most_bytes: int) -> None:
    """As many and as large as it may; the others are counted."""
    buffer: Buffer[int] = Buffer(limit, most_bytes)
    for number, size in enumerate(sizes):
        buffer.add(number, size)
    fitting, total = 0, 0
    for size in reversed(sizes):
        if fitting == limit or total + size > most_bytes:
            break
        fitting, total = fitting + 1, total + size
    expected = list(range(len(sizes)))[len(sizes) - fitting :]
    assert (buffer.oldest(10**9), buffer.dropped) == (expected, len(sizes) - fitting)
    assert buffer.drain() == (expected, len(sizes) - fitting)
    assert buffer.drain() == ([], 0)


def test_a_batch_is_the_oldest_that_fit_together() -> None:
    """They stay until they are delivered; one that is larger than a batch comes alone."""
    buffer: Buffer[str] = Buffer(10, 1000)
    for item, size in (("a", 3), ("b", 3), ("c", 50), ("d", 1)):
        buffer.add(item, size)
    batches = []
    while batch := buffer.oldest(6):
        batches.append(batch)
        buffer.forget(len(batch))
    assert (batches, len(buffer)) == ([["a", "b"], ["c"], ["d"]], 0)


def test_the_back_off_doubles_up_to_half_a_minute(clock: Clock) -> None:
    """And begins anew after a success."""
    circuit = Circuit()

    def wait() -> float:
        circuit.failed()
        begin = clock.now
        while not circuit.closed:
            clock.now += 0.5
        return clock.now - begin

    assert [wait() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    circuit.succeeded()
    assert wait() == 1


def test_a_clock_that_was_set_back_holds_no_circuit_open(clock: Clock) -> None:
    """Lambda corrects it after a thaw."""
    circuit = Circuit()
    circuit.failed()
    clock.now -= 3600
    assert circuit.closed


LIMITS = "(LAMBDA_LATENCY_BUFFERED_SPANS and LAMBDA_LATENCY_BUFFERED_KB are the limits)"


def sender(server: Server, **settings: str) -> Sender:
    """A sender to that server."""
    return Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, **settings}))


def test_an_open_circuit_asks_nobody(clock: Clock) -> None:
    """Once in each back-off; spans wait."""
    with Server(otherwise=Answer(503)) as server:
        exporter = sender(server)
        requests = []
        for _ in range(10):
            exporter.export([simple()])
            requests.append(len(server.requests))
            clock.now += 1
        exporter.shutdown()
    assert requests == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4]


def test_the_oldest_make_room_and_are_counted_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A line when it begins, a line with their number when it is over."""
    with Server(Answer(500)) as server:
        exporter = sender(server, LAMBDA_LATENCY_BUFFERED_SPANS="3")
        for _ in range(6):
            exporter.export([simple()])
        clock.now += 5
        exporter.export([])
        assert count(server.requests[-1].body) == 3
        where = f"{server.url}/v1/traces"
        exporter.shutdown()
    assert [message.removeprefix("lambda-latency: ") for message in caplog.messages] == [
        f"no spans are delivered to {where} (it answered 500); they wait until it takes them",
        f"no spans are delivered to {where} (it answered 500) and too many wait: the oldest are dropped {LIMITS}",
        f"spans are delivered to {where} again; 3 were dropped",
    ]


def test_bytes_are_bounded_too(clock: Clock) -> None:
    """Few spans may be large."""
    with Server(Answer(500)) as server:
        exporter = sender(server, LAMBDA_LATENCY_BUFFERED_KB="16")
        for _ in range(20):
            exporter.export([simple(text="x" * 4000)])
        clock.now += 5
        exporter.export([])
        assert 1 <= count(server.requests[-1].body) <= 4
        assert len(server.requests[-1].body) <= 16 * 1024
        exporter.shutdown()


def test_much_goes_in_several_requests() -> None:
    """None larger than what a receiver answers in time."""
    spans = [simple(text="x" * 4000, number=number) for number in range(300)]
    with Server() as server:
        exporter = sender(server, LAMBDA_LATENCY_FIRST_FLUSH_MS="20000")
        exporter.export(spans)
        exporter.shutdown()
        sizes = [len(request.body) for request in server.requests]
        assert sum(count(request.body) for request in server.requests) == 300
    assert len(sizes) > 1
    assert max(sizes) <= LARGEST


def test_what_does_not_get_done_in_the_bound_goes_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow receiver is no broken one."""
    spans = [simple(text="x" * 4000) for _ in range(300)]
    with Server() as server:
        exporter = sender(server, LAMBDA_LATENCY_FIRST_FLUSH_MS="1000")
        clock = [0.0]

        class Time:
            @staticmethod
            def monotonic() -> float:
                clock[0] += 0.3
                return clock[0]

        monkeypatch.setattr("lambda_latency.runtime.delivery.sender.time", Time)
        exporter.export(spans)
        assert len(server.requests) == 1
        monkeypatch.undo()
        while sum(count(request.body) for request in server.requests) < 300:
            exporter.export([])
        exporter.shutdown()


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    """Where datagrams arrive."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        yield receiver


def daemon_sender(daemon: socket.socket) -> DaemonSender:
    """A sender to it."""
    return DaemonSender(Settings.read({"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}"}))


def received(daemon: socket.socket, spans: int) -> tuple[list[Any], list[int]]:
    """So many spans, and the sizes of the datagrams that brought them."""
    arrived: list[Any] = []
    sizes = []
    while len(arrived) < spans:
        datagram = daemon.recv(2**17)
        sizes.append(len(datagram))
        head, line, body = datagram.partition(b"\n")
        assert (head, line, body[:3]) == (b'{"format":"json","version":1}', b"\n", b"T1S")
        message = ExportTraceServiceRequest.FromString(base64.b64decode(body[3:], validate=True))
        arrived += [s for resource in message.resource_spans for scope in resource.scope_spans for s in scope.spans]
    return arrived, sizes


def test_the_daemon_gets_one_datagram_where_one_is_enough(daemon: socket.socket) -> None:
    """In the format of ADOT's own exporter."""
    exporter = daemon_sender(daemon)
    exporter.export([])
    exporter.export([simple(number=1), simple(number=2)])
    exporter.shutdown()
    spans, sizes = received(daemon, 2)
    assert (sorted(span.attributes[0].value.int_value for span in spans), len(sizes)) == ([1, 2], 1)


def test_a_batch_is_split_below_the_datagram_limit(daemon: socket.socket) -> None:
    """Every span arrives, one that alone is too large cut to fit."""
    sent: list[ReadableSpan] = [simple(text="x" * 4000, number=number) for number in range(100)]
    sent[50] = simple(number=50, **{str(key): "y" * 4000 for key in range(100)})
    exporter = daemon_sender(daemon)
    thread = threading.Thread(target=exporter.export, args=(sent,))
    thread.start()
    spans, sizes = received(daemon, 100)
    thread.join()
    exporter.shutdown()
    numbers = [next(pair.value.int_value for pair in span.attributes if pair.key == "number") for span in spans]
    assert sorted(numbers) == list(range(100))
    assert len(sizes) < 20
    assert max(sizes) <= DATAGRAM


def test_no_daemon_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Where the kernel says so at all: here it does not let us speak to everybody."""
    exporter = DaemonSender(Settings.read({"AWS_XRAY_DAEMON_ADDRESS": "255.255.255.255:2000"}))
    for _ in range(3):
        exporter.export([simple()])
    exporter.shutdown()
    (message,) = caplog.messages
    assert message.startswith("lambda-latency: no spans are delivered to the daemon at 255.255.255.255:2000 (")


def test_the_setting_chooses_the_sender() -> None:
    """The collector unless said otherwise."""
    from lambda_latency.runtime.bootstrap import sink

    for value, kind in (("", Sender), ("collector", Sender), ("daemon", DaemonSender)):
        exporter = sink(Settings.read({"LAMBDA_LATENCY_EXPORT": value}))
        assert type(exporter) is kind
        exporter.shutdown()


def test_a_buffer_is_safe_to_fill_from_many_threads(function: Function) -> None:
    """No span is lost between them."""
    tracer = function.runtime.provider.get_tracer("test")

    def work() -> None:
        for _ in range(200):
            tracer.start_span("one").end()

    def handler(_event: object, _context: object) -> None:
        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    begin = time.monotonic()
    function.invoke(handler)
    assert time.monotonic() - begin < 30
    assert len(function.spans) == 1001


def test_parents_go_before_their_children(function: Function) -> None:
    """A kill between two requests leaves none that hangs in the air."""
    tracer = function.runtime.provider.get_tracer("test")

    def handler(_event: object, _context: object) -> None:
        for _ in range(3):
            with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
                pass

    function.invoke(handler)
    with Server() as server:
        exporter = sender(server)
        exporter.export(function.spans)
        exporter.shutdown()
        message = ExportTraceServiceRequest.FromString(server.requests[0].body)
    scopes = [[span.name for span in scope.spans] for scope in message.resource_spans[0].scope_spans]
    assert scopes == [["orders-create"], ["outer", "inner"] * 3]


def test_what_waits_at_the_end_of_a_process_gets_a_last_chance(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the circuit says; and if nobody takes it, the log says what was lost."""
    with Server(Answer(500)) as server:
        exporter = sender(server)
        exporter.export([simple()])
        exporter.shutdown()
        assert [count(request.body) for request in server.requests] == [1, 1]
        server.plan = [Answer(500), Answer(500)]
        exporter.export([simple()])
        exporter.shutdown()
        assert len(server.requests) == 4
    assert caplog.messages[-1] == (
        f"lambda-latency: 1 spans are lost: the process ends before {server.url}/v1/traces takes them"
    )
