"""Deliveries end before the deadline of the invocation, at which Lambda kills a busy environment."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partialmethod
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan

from lambda_latency.runtime.delivery.encoding import Encoded, Encoder
from lambda_latency.runtime.delivery.extension import deadline_in
from lambda_latency.runtime.delivery.outbox import MARGIN_S, SHORT_S, Outbox
from lambda_latency.runtime.delivery.sender import Circuit, Sender
from lambda_latency.runtime.delivery.transport import Reply, Transport
from lambda_latency.runtime.propagation import LambdaSampler
from lambda_latency.runtime.recorder import Buffer, Recorder
from lambda_latency.runtime.settings import Settings
from tests.draws import draws
from tests.runtime.delivery.test_encoding import simple

TIMEOUT_S = 3.0
ENCODE = Encoder.encode


@dataclass
class World:
    """A clock that only moves where the runtime waits or encodes, and a collector that answers after `answer_s`."""

    answer_s: float = 0.0
    encoding_s: float = 0.0
    now: float = 1_000_000.0
    posts: list[float] = field(default_factory=list)  # the seconds that each request had
    taken: int = 0

    def get_remaining_time_in_millis(self) -> int:
        """Of the context of an invocation that begins now."""
        return int(TIMEOUT_S * 1000)

    def post(self, _transport: Transport, _body: bytes, seconds: float) -> Reply:
        """As `Transport.post`."""
        self.posts.append(seconds)
        if self.answer_s > seconds:
            self.now += max(0.0, seconds)
            raise TimeoutError("timed out")
        self.now += self.answer_s
        return Reply(200)

    def encode(
        self, encoder: Encoder, spans: Iterable[ReadableSpan], limit: int, _seconds: float = 0
    ) -> Iterator[Encoded]:
        """As `Encoder.encode`."""
        for encoded in ENCODE(encoder, spans, limit):
            self.now += self.encoding_s
            yield encoded


def in_world(self: object, call: Callable[..., Any], *arguments: Any) -> Any:
    """A method in the world."""
    return call(self, *arguments)


@contextmanager
def world(answer_s: float = 0.0, encoding_s: float = 0.0) -> Iterator[World]:
    """A world in the place of the real one."""
    made = World(answer_s, encoding_s)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lambda_latency.runtime.delivery.outbox.time", lambda: made.now)
        patch.setattr("lambda_latency.runtime.delivery.sender.time", SimpleNamespace(monotonic=lambda: made.now))
        patch.setattr("lambda_latency.runtime.delivery.sender.wall_clock", lambda: made.now)
        patch.setattr(Transport, "post", partialmethod(in_world, made.post))
        patch.setattr(Encoder, "encode", partialmethod(in_world, made.encode))
        yield made


def outbox_with(first_ms: int = 1000, later_ms: int = 250, *, killed: bool = True) -> tuple[Outbox, Recorder]:
    """An outbox that sends to a collector, and its recorder."""
    chosen = Settings.read({"LAMBDA_LATENCY_FIRST_FLUSH_MS": str(first_ms), "LAMBDA_LATENCY_FLUSH_MS": str(later_ms)})
    sampler = LambdaSampler()
    sampler.decision = True
    recorder = Recorder(Buffer(1000, 10_000_000), sampler, 100, lambda _: True)
    return Outbox(recorder, Sender(chosen), chosen, killed=killed), recorder


@settings(max_examples=draws(100), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.floats(0, TIMEOUT_S), min_size=1, max_size=4), st.integers(1, 3000), st.integers(1, 1000),
    st.floats(0, 4), st.floats(0, 0.02), st.integers(1, 30),
)  # fmt: skip
def test_a_delivery_ends_before_the_deadline_whatever_is_left(
    left_s: list[float], first_ms: int, later_ms: int, delay_s: float, encoding_s: float, spans: int
) -> None:
    """Half of the margin before it at the latest; with less than margin and shortest delivery none begins."""
    with world(answer_s=delay_s, encoding_s=encoding_s) as made:
        outbox, recorder = outbox_with(first_ms, later_ms)
        for seconds in left_s:
            deadline = made.now + TIMEOUT_S
            outbox.begin(made)
            made.now = answered = deadline - seconds
            for number in range(spans):
                recorder.on_end(simple(number=number))
            posted, waiting = len(made.posts), len(recorder.buffer)
            outbox.flush()
            if seconds < MARGIN_S + SHORT_S - 0.001:
                assert (made.now, len(made.posts), len(recorder.buffer)) == (answered, posted, waiting)
            else:
                assert made.now <= deadline - MARGIN_S / 2
        made.answer_s = made.encoding_s = 0.0
        made.now += 60
        outbox.begin(made)
        assert outbox.flush()  # nothing waits after the first request whose delivery is answered


def test_spans_without_time_wait_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """They leave after the next response, in their order."""
    with world() as made:
        outbox, recorder = outbox_with()
        for _ in range(2):
            outbox.begin(made)
            made.now += TIMEOUT_S - 0.1
            recorder.on_end(simple(number=1))
            assert not outbox.flush()
            assert not outbox.flush()
        outbox.begin(made)
        assert outbox.flush()
    assert len(made.posts) == 1
    assert caplog.messages == [
        (
            "lambda-latency: a response came so shortly before the function's timeout that its spans wait for the next "
            "delivery"
        )
    ]


def test_a_delivery_that_a_deadline_cut_short_is_half_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """The second in a row opens the circuit; the time of an environment's first delivery is not used up."""
    with world(answer_s=60.0) as made:
        outbox, recorder = outbox_with()
        for _ in range(3):
            outbox.begin(made)
            made.now += TIMEOUT_S - 0.3
            recorder.on_end(simple(number=1))
            outbox.flush()
            made.now -= TIMEOUT_S - 0.4  # the next request comes at once
        assert made.posts == pytest.approx([0.2, 0.2])
        (said,) = caplog.messages
        assert "no spans are delivered" in said
        made.now += 60
        outbox.begin(made)
        outbox.flush()
    assert made.posts[2:] == pytest.approx([1.0])


def test_an_answer_to_a_short_delivery_clears_half_a_failure() -> None:
    """Two in a row are meant."""
    circuit = Circuit()
    assert [circuit.cut_short(), circuit.closed] == [False, True]
    circuit.succeeded()
    assert [circuit.cut_short(), circuit.cut_short(), circuit.closed] == [False, True, False]


def test_spans_that_there_was_no_time_to_encode_return_to_the_buffer() -> None:
    """To its front, and they leave next: half of the time is the encoder's."""
    with world(encoding_s=0.3) as made:
        outbox, recorder = outbox_with()
        outbox.begin(made)
        made.now += TIMEOUT_S - 1.1
        for number in range(6):
            recorder.on_end(simple(number=number))
        assert not outbox.flush()
        recorder.on_end(simple(number=6))
        waiting = [span.name for span in recorder.buffer.drain()[0]]
        assert waiting == [simple(number=number).name for number in (2, 3, 4, 5, 6)]


def test_the_deadline_of_the_event_counts_if_it_is_sooner() -> None:
    """The context may be a stranger's."""
    with world() as made:
        outbox, recorder = outbox_with()
        outbox.begin(object())
        recorder.on_end(simple(number=1))
        assert not outbox.flush(deadline=made.now + 0.1)
        assert outbox.flush(deadline=made.now + 1)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (b'{"eventType":"INVOKE","deadlineMs":1732541234567,"requestId":"x"}', 1732541234.567),
        (b'{"deadlineMs" : 1000 }', 1.0),
        (b'{"eventType":"SHUTDOWN"}', float("inf")),
        (b"", float("inf")),
        (b'{"deadlineMs":"soon"}', float("inf")),
    ],
)
def test_the_deadline_is_read_from_the_event(event: bytes, expected: float) -> None:
    """Without a parser: the event has a documented form."""
    assert deadline_in(event) == expected


def test_nothing_is_bounded_where_nobody_kills() -> None:
    """On Managed Instances, and at the exit of the process."""
    for killed in (False, True):
        with world(answer_s=0.2) as made:
            outbox, recorder = outbox_with(killed=killed)
            outbox.begin(made)
            made.now += TIMEOUT_S - 0.01
            if killed:
                outbox.begin(None)
            recorder.on_end(simple(number=1))
            assert outbox.flush()


def test_a_context_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The request goes on, and its spans leave."""

    class Broken:
        def get_remaining_time_in_millis(self) -> int:
            raise RuntimeError("no")

    with world():
        outbox, recorder = outbox_with()
        outbox.begin(Broken())
        recorder.on_end(simple(number=1))
        assert outbox.flush()
    assert caplog.messages == []


def test_the_lookup_of_a_name_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer holds Python's lookup for half a minute."""
    over = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        over.wait(60)
        return []

    monkeypatch.setattr("lambda_latency.runtime.delivery.transport.getaddrinfo", look_up)
    with pytest.raises(TimeoutError, match=r"lookup of collector\.example timed out"):
        Transport("http://collector.example:4318").post(b"", 0.1)
    assert not over.is_set()
    over.set()


def test_a_name_that_is_looked_up_leads_to_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread of its own, whose failure is the caller's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        addresses = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)
        monkeypatch.setattr("lambda_latency.runtime.delivery.transport.getaddrinfo", lambda *_, **__: addresses)
        with pytest.raises(TimeoutError):
            Transport(f"http://collector.example:{port}").post(b"", 0.05)
        listener.accept()[0].close()


def test_a_name_that_cannot_be_one_is_a_failed_lookup() -> None:
    """Python's codec for names raises an error of another kind."""
    with pytest.raises(OSError, match="label"):
        Transport("http://" + "a" * 70 + ".example").post(b"", 1)
