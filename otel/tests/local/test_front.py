"""The front of an API: it starts and samples the trace, lets the emulator answer, and records the gateway's span."""

import random
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambda_latency.http import Handler, Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.front import Answered, Front, StageSampler, Target
from lambda_latency.local.spans.segments import SCOPE, TracingHeader
from lambda_latency.trace import Span, SpanKind, Status
from tests.local.calls import PATIENCE, Reply, call, eventually

CALLER = "Root=1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9;Parent=53995c3f42cd8ad8;Sampled=1"
TARGET = Target("rest", "abc123", "orders", "dev")
REACHED = {"x-lambda-latency-route": "GET /orders/{id}", "x-lambda-latency-reached": "1"}


class Emulator(Handler):
    """A fake of the emulator, which takes seconds to start: `test_behaviours` has the real one."""

    status = 200
    headers_sent: dict[str, str] = REACHED
    received: list[dict[str, str]]

    def do_GET(self) -> None:
        self.body()
        type(self).received.append({"line": self.requestline, **self.headers})
        self.answer(type(self).status, b"{}", {"X-Own": "1", **type(self).headers_sent})

    do_POST = do_GET


@dataclass(slots=True)
class System:
    """A front that listens, what is behind it, and what it has recorded."""

    emulator: type[Emulator]
    server: Server
    front: Front = field(init=False)
    spans: list[Span] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    sampled: bool = True

    def start(self, target: Target, port: int) -> None:
        """Start the front."""
        self.front = Front(
            f"http://{self.server.address}",
            target,
            lambda: self.sampled,
            record=self.spans.extend,
            answered=self.answered.append,
            tell=self.messages.append,
            port=port,
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.front.url.rpartition(":")[2])

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[Reply, Answered]:
        """One request, and what the front told of it once its response was out."""
        count = len(self.answered)
        reply = call(self.port, method, path, body, headers)
        eventually(lambda: len(self.answered) > count)
        return reply, self.answered[-1]


Begin = Callable[..., System]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Start a front of a target."""
    systems: list[System] = []

    def start(target: Target = TARGET, port: int = 0, **changes: Any) -> System:
        emulator = type("FakeEmulator", (Emulator,), {"received": [], **changes})
        systems.append(System(emulator, Server(emulator)))
        systems[-1].start(target, port)
        return systems[-1]

    yield start
    for system in systems:
        system.server.close()
        if hasattr(system, "front"):
            system.front.close()


def gateway_span_of(system: System) -> Span:
    """The only span of the stage."""
    [span] = [span for span in system.spans if span.attributes["aws.xray.origin"] == "AWS::ApiGateway::Stage"]
    return span


def test_its_own_span_is_whole(begin: Begin) -> None:
    """The root of the trace, named as X-Ray names a stage, with the route that the emulator has chosen."""
    system = begin()
    reply, answered = system.ask("GET", "/orders/1?x=1")
    span = gateway_span_of(system)
    expected = Span(
        trace_id=answered.trace_id,
        span_id=span.span_id,
        name="orders/dev",
        kind=SpanKind.SERVER,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        status=Status.UNSET,
        attributes={
            "aws.xray.origin": "AWS::ApiGateway::Stage",
            "http.request.method": "GET",
            "http.route": "/orders/{id}",
            "url.path": "/orders/1",
            "http.response.status_code": 200,
            "http.status_code": 200,
            "aws.request_id": reply.headers["x-amzn-RequestId"],
        },
        resource={"service.name": "orders", "cloud.provider": "aws", "lambda_latency.laptop": True},
        scope=SCOPE,
    )
    assert span == expected
    assert answered == Answered(span.trace_id, True, "GET /orders/{id}", 200, answered.duration_ns, True)
    assert answered.duration_ns == (span.end_ns or 0) - span.start_ns


def test_the_emulator_gets_the_request_with_what_a_gateway_adds(begin: Begin) -> None:
    """The line as it was sent, the target, the tracing header, and who called by which port."""
    system = begin()
    system.ask("POST", "//orders?a=%2F", b"{}", {"X-Own": "v", "X-Forwarded-For": "1.2.3.4"})
    ((received,), (span,)) = system.emulator.received, system.spans
    names = ("line", "X-Own", "x-lambda-latency-target", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port")
    assert [received[name] for name in names] == [
        "POST //orders?a=%2F HTTP/1.1",
        "v",
        "rest/abc123/dev",
        str(TracingHeader(span.trace_id, span.span_id, sampled=True)),
        "1.2.3.4, 127.0.0.1",
        str(system.port),
    ]


def test_the_response_has_the_gateways_headers(begin: Begin) -> None:
    """The function's own headers, a new request id and the root of the trace each time; none of the emulator's."""
    system = begin()
    (first, told), (second, _) = system.ask("GET", "/orders"), system.ask("GET", "/orders")
    root = f"Root=1-{told.trace_id[:8]}-{told.trace_id[8:]}"
    assert (first.headers["X-Own"], first.headers["X-Amzn-Trace-Id"]) == ("1", root)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first.headers["x-amzn-RequestId"])
    assert first.headers["x-amzn-RequestId"] != second.headers["x-amzn-RequestId"]
    assert not [name for name in first.headers if name.startswith("x-lambda-latency")]


def test_a_callers_header_does_not_move_the_trace(begin: Begin) -> None:
    """With tracing on, the gateway begins every trace and decides: what a stranger sends is not believed."""
    system = begin()
    system.sampled = False
    _, answered = system.ask("GET", "/orders", headers={"X-Amzn-Trace-Id": CALLER})
    header = TracingHeader.parse(system.emulator.received[0]["X-Amzn-Trace-Id"])
    assert header is not None
    assert (header.trace_id, header.sampled, answered.sampled) == (answered.trace_id, False, False)
    assert header.trace_id not in CALLER.replace("-", "")
    assert system.spans == []


def test_without_tracing_a_callers_header_is_passed_on(begin: Begin) -> None:
    """The function sees the caller's own trace, and the gateway records nothing although it is sampled."""
    system = begin(Target("rest", "abc123", "orders", "dev", is_traced=False))
    _, answered = system.ask("GET", "/orders", headers={"X-Amzn-Trace-Id": CALLER})
    assert system.emulator.received[0]["X-Amzn-Trace-Id"] == CALLER
    assert (answered.trace_id, answered.sampled, system.spans) == ("6b05a667affeb9dbb0aa7f2b5d5ab5f9", False, [])


@pytest.mark.parametrize("headers", [{}, {"X-Amzn-Trace-Id": "Root=x"}])
def test_without_tracing_and_header_nothing_is_sampled(begin: Begin, headers: dict[str, str]) -> None:
    """As on Lambda there is a header all the same; the sampler is not asked."""
    system = begin(Target("rest", "abc123", "orders", "dev", is_traced=False))
    system.ask("GET", "/orders", headers=headers)
    header = TracingHeader.parse(system.emulator.received[0]["X-Amzn-Trace-Id"])
    assert (header is not None and header.sampled, system.spans) == (False, [])


@pytest.mark.parametrize(("status", "expected"), [(502, Status.ERROR), (404, Status.UNSET)])
def test_only_an_error_of_the_gateway_is_an_error_of_its_span(begin: Begin, status: int, expected: Status) -> None:
    """A 404 of the function is a 404."""
    system = begin(status=status)
    reply, answered = system.ask("GET", "/orders/1")
    assert (reply.status, answered.status, gateway_span_of(system).status) == (status, status, expected)


def test_a_request_without_a_route_has_its_path_as_its_name(begin: Begin) -> None:
    """The emulator has named none, and no function ran."""
    system = begin(status=403, headers_sent={})
    _, answered = system.ask("GET", "/nowhere?x=1")
    assert (answered.route, answered.status, answered.reached_lambda) == ("GET /nowhere", 403, False)
    assert gateway_span_of(system).attributes["http.route"] == "/nowhere"


def test_the_reason_of_a_failed_integration_is_printed(begin: Begin) -> None:
    """It is for the user, and not for the caller."""
    system = begin(status=500, headers_sent={"x-lambda-latency-why": "no queue"})
    reply, _ = system.ask("GET", "/orders")
    assert system.messages == ["GET /orders fails here: no queue"]
    assert "x-lambda-latency-why" not in reply.headers


def test_without_the_emulator_a_request_is_answered(begin: Begin) -> None:
    """503 with a span, and the user is told why."""
    system = begin()
    system.server.close()
    reply, _ = system.ask("GET", "/orders")
    assert (reply.status, reply.json, gateway_span_of(system).status) == (
        503,
        {"message": "Service Unavailable"},
        Status.ERROR,
    )
    (message,) = system.messages
    assert message.startswith("GET /orders fails here: the emulator does not answer: ConnectionRefusedError")


def test_a_port_in_use_is_told(begin: Begin) -> None:
    """The message names the port, the reason and the option."""
    port = begin().port
    with pytest.raises(LocalError) as raised:
        begin(port=port)
    assert (raised.value.message, raised.value.todo, raised.value.exit_status) == (
        f"port {port} of 127.0.0.1 cannot be used: Address already in use",
        "stop the program that listens there, or choose another port with --port (0: any free port)",
        1,
    )


def test_close_frees_the_port(begin: Begin) -> None:
    """Nobody listens any more, and the same port can be had again."""
    system = begin()
    port = system.port
    system.front.close()
    with pytest.raises(ConnectionRefusedError), closing(socket.create_connection(("127.0.0.1", port), PATIENCE)):
        pass
    assert begin(port=port).ask("GET", "/orders")[0].status == 200


class StoppedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_795_560_000.0

    def __call__(self) -> float:
        return self.now


def _draws(sampler: StageSampler, count: int) -> list[bool]:
    return [sampler() for _ in range(count)]


def test_the_reservoir_is_filled_anew_each_second() -> None:
    """So many requests of each second are traced although the rate is 0."""
    clock = StoppedClock()
    sampler = StageSampler(per_second=2, rate=0, clock=clock)
    begin_draws = _draws(sampler, 4)
    clock.now += 0.9
    same_second = _draws(sampler, 2)
    clock.now += 0.1
    assert (begin_draws, same_second, _draws(sampler, 4)) == (
        [True, True, False, False],
        [False, False],
        [True, True, False, False],
    )


def test_what_was_not_taken_does_not_add_up() -> None:
    """A second without requests leaves nothing for the next."""
    clock = StoppedClock()
    sampler = StageSampler(per_second=1, rate=0, clock=clock)
    _draws(sampler, 1)
    clock.now += 10
    assert _draws(sampler, 3) == [True, False, False]


def test_the_rate_decides_on_the_rest() -> None:
    """With a rate of 1 every request is traced, with none of both none is."""
    clock = StoppedClock()
    assert (_draws(StageSampler(0, 1, clock=clock), 5), _draws(StageSampler(0, 0, clock=clock), 5)) == (
        [True] * 5,
        [False] * 5,
    )


def test_the_rate_is_met_by_seeded_draws() -> None:
    """5 % of the requests beyond the reservoir: those that the seed picks, and the reservoir uses up no draw."""
    draw = random.Random(7)  # noqa: S311 - a draw, not a secret
    expected = [draw.random() < 0.05 for _ in range(2000)]
    drawn = _draws(StageSampler(seed=7, clock=StoppedClock()), 2001)
    assert (drawn, sum(expected)) == ([True, *expected], 120)


def test_another_seed_picks_others() -> None:
    """Two runs with the same seed agree, with another they do not."""
    draws, repeated, reseeded = (_draws(StageSampler(0, 0.5, seed, StoppedClock()), 64) for seed in (1, 1, 2))
    assert (draws == repeated, draws == reseeded) == (True, False)


def test_the_default_is_that_of_x_ray() -> None:
    """One each second and 5 %: the first request of a run is always traced."""
    assert StageSampler()() is True
