"""The gateway: begins the trace, completes the event, answers as API Gateway does, and records its own span."""

import json
import random
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambda_latency.local.errors import LocalError
from lambda_latency.local.gateway.api_gateway import Answered, Gateway, StageSampler
from lambda_latency.local.gateway.sam import SamTemplate
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import SCOPE, TracingHeader
from lambda_latency.testing import snapshot_of
from lambda_latency.trace import Span, SpanKind, Status
from tests.local.calls import PATIENCE, Reply, call, eventually

OK = Outcome(b'{"statusCode": 200, "body": "{}", "headers": {"Content-Type": "application/json", "X-Own": "1"}}')
CALLER = "Root=1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9;Parent=53995c3f42cd8ad8;Sampled=1"


@dataclass(slots=True)
class Lambda:
    """A fake of everything behind the gateway, and what it was told."""

    outcome: Outcome = OK
    invoked: list[tuple[str, dict[str, Any], TracingHeader, str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    sampled: bool = True

    def invoke(self, function: str, event: bytes, header: TracingHeader, route: str) -> Outcome:
        """What a sandbox is asked."""
        self.invoked.append((function, json.loads(event), header, route))
        return self.outcome


@dataclass(frozen=True, slots=True)
class System:
    """A gateway that listens, with what is behind it."""

    gateway: Gateway
    behind: Lambda

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.gateway.url.rpartition(":")[2])

    @property
    def span(self) -> Span:
        """The one that it has recorded."""
        return snapshot_of(self.behind.spans).one("orders/dev")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[Reply, Answered]:
        """One request, and what the gateway told of it once its response was out."""
        count = len(self.behind.answered)
        reply = call(self.port, method, path, body, headers)
        eventually(lambda: len(self.behind.answered) > count)
        return reply, self.behind.answered[-1]


Begin = Callable[..., System]


@pytest.fixture
def begin(project: SamTemplate) -> Iterator[Begin]:
    """Start a gateway for the project's template, changed as said."""
    started: list[Gateway] = []

    def start(port: int = 0, more: dict[str, Any] | None = None, **changes: Any) -> System:
        behind = Lambda()
        gateway = Gateway(
            replace(project, **changes),
            behind.invoke,
            lambda: behind.sampled,
            record=behind.spans.extend,
            answered=behind.answered.append,
            port=port,
            **(more or {}),
        )
        started.append(gateway)
        return System(gateway, behind)

    yield start
    for gateway in started:
        gateway.close()


@pytest.fixture
def system(begin: Begin) -> System:
    """A gateway with tracing on."""
    return begin()


def test_the_event_is_completed(system: System) -> None:
    """Ids, the path with its stage, who called and the trace: what samcli leaves out is there."""
    reply, answered = system.ask(
        "POST", "/orders/1/cancel?x=1", b"{}", {"User-Agent": "tests", "Content-Type": "application/json"}
    )
    ((function, event, header, route),) = system.behind.invoked
    context = event["requestContext"]
    host = f"127.0.0.1:{system.port}"
    headers = {
        "Accept-Encoding": "identity",
        "Content-Length": "2",
        "Content-Type": "application/json",
        "Host": host,
        "User-Agent": "tests",
        "X-Amzn-Trace-Id": str(header),
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": str(system.port),
        "X-Forwarded-Proto": "http",
    }
    assert (function, route, reply.status, reply.body) == ("CancelOrder", "POST /orders/{id}/cancel", 200, b"{}")
    assert (event["headers"], event["multiValueHeaders"]) == (headers, {name: [headers[name]] for name in headers})
    assert {name: event[name] for name in ("path", "resource", "pathParameters", "queryStringParameters", "body")} == {
        "path": "/orders/1/cancel",
        "resource": "/orders/{id}/cancel",
        "pathParameters": {"id": "1"},
        "queryStringParameters": {"x": "1"},
        "body": "{}",
    }
    assert {name: context[name] for name in ("path", "resourcePath", "stage", "requestId", "extendedRequestId")} == {
        "path": "/dev/orders/1/cancel",
        "resourcePath": "/orders/{id}/cancel",
        "stage": "dev",
        "requestId": reply.headers["x-amzn-RequestId"],
        "extendedRequestId": reply.headers["x-amzn-RequestId"],
    }
    assert answered == Answered(header.trace_id, True, "POST /orders/{id}/cancel", 200, answered.duration_ns, True)


def test_its_own_span_is_whole(system: System) -> None:
    """The root of the trace: from the request to the end of the response, named as X-Ray names a stage."""
    reply, answered = system.ask("GET", "/orders/1?secret=2")
    ((_, _, header, _),) = system.behind.invoked
    span = system.span
    assert span == Span(
        trace_id=header.trace_id,
        span_id=header.parent_id,
        parent_id=None,
        name="orders/dev",
        kind=SpanKind.SERVER,
        start_ns=span.start_ns,
        end_ns=span.start_ns + answered.duration_ns,
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
    assert answered.duration_ns > 0


def test_the_response_has_the_gateways_headers(system: System) -> None:
    """The function's own headers, a new request id and the root of the trace each time."""
    replies = [system.ask("GET", "/orders")[0] for _ in range(2)]
    for reply, (_, _, header, _) in zip(replies, system.behind.invoked, strict=True):
        changing = {name: reply.headers[name] for name in ("Date", "x-amzn-RequestId", "X-Amzn-Trace-Id")}
        assert reply.headers == {
            "Content-Type": "application/json",
            "X-Own": "1",
            "Content-Length": "2",
            **changing,
        }
        assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", changing["x-amzn-RequestId"])
        assert changing["X-Amzn-Trace-Id"] == str(header).split(";")[0]
    assert replies[0].headers["x-amzn-RequestId"] != replies[1].headers["x-amzn-RequestId"]


def test_a_callers_header_does_not_move_the_trace(system: System) -> None:
    """With tracing on, the gateway begins every trace and decides: what a stranger sends is not believed."""
    system.behind.sampled = False
    _, answered = system.ask("GET", "/orders", headers={"X-Amzn-Trace-Id": CALLER})
    ((_, event, header, _),) = system.behind.invoked
    assert (header.trace_id in CALLER.replace("-", ""), header.parent_id in CALLER, header.sampled) == (False,) * 3
    assert (event["headers"]["X-Amzn-Trace-Id"], answered.trace_id, answered.sampled, system.behind.spans) == (
        str(header),
        header.trace_id,
        False,
        [],
    )


def test_without_tracing_a_callers_header_is_passed_on(begin: Begin) -> None:
    """The function sees the caller's own trace, and the gateway records nothing although it is sampled."""
    system = begin(traced=False)
    _, answered = system.ask("GET", "/orders", headers={"X-Amzn-Trace-Id": CALLER})
    ((_, event, header, _),) = system.behind.invoked
    assert (str(header), event["headers"]["X-Amzn-Trace-Id"], answered.sampled, system.behind.spans) == (
        CALLER,
        CALLER,
        False,
        [],
    )


@pytest.mark.parametrize("headers", [{}, {"X-Amzn-Trace-Id": "Root=1-zz;Parent=1"}], ids=["none", "nonsense"])
def test_without_tracing_and_header_nothing_is_sampled(begin: Begin, headers: dict[str, str]) -> None:
    """As on Lambda there is a header all the same; the sampler is not asked."""
    system = begin(traced=False)
    system.ask("GET", "/orders", headers=headers)
    ((_, event, header, _),) = system.behind.invoked
    assert (TracingHeader.parse(event["headers"]["X-Amzn-Trace-Id"]), header.sampled) == (header, False)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.failed("Sandbox.Timedout", "Task timed out after 6.00 seconds"),
        Outcome.failed("Runtime.ExitError", "secret"),
        Outcome(b'{"statusCode": 200, "body": "looks well"}', "Unhandled"),
        Outcome(b"no JSON"),
        Outcome(b"\xff"),
    ],
    ids=["timeout", "exit", "error with a response", "no JSON", "no text"],
)
def test_a_function_that_fails_is_502(system: System, outcome: Outcome) -> None:
    """Whatever a failed function says, the caller hears API Gateway's own words; the span is an error."""
    system.behind.outcome = outcome
    reply, answered = system.ask("GET", "/orders")
    span = system.span
    assert (reply.status, reply.json, answered.status, answered.reached_lambda) == (
        502,
        {"message": "Internal server error"},
        502,
        True,
    )
    assert (span.status, span.attributes["http.status_code"]) == (Status.ERROR, 502)


def test_an_error_of_the_business_is_no_error_of_the_gateway(system: System) -> None:
    """A 404 of the function is a 404, and the span is none of an error."""
    system.behind.outcome = Outcome(b'{"statusCode": 404, "body": "none"}')
    reply, _ = system.ask("GET", "/orders/1")
    span = system.span
    assert (reply.status, reply.body, span.status, span.attributes["http.response.status_code"]) == (
        404,
        b"none",
        Status.UNSET,
        404,
    )


def test_an_unknown_route_never_reaches_lambda(system: System) -> None:
    """403 as API Gateway says it; the span and what is told of it name the path, since no route matched."""
    reply, answered = system.ask("DELETE", "/orders/1?x=2")
    span = system.span
    assert (reply.status, reply.json, system.behind.invoked) == (403, {"message": "Missing Authentication Token"}, [])
    assert answered == Answered(span.trace_id, True, "DELETE /orders/1", 403, answered.duration_ns, False)
    assert (span.attributes["http.route"], reply.headers["X-Amzn-Trace-Id"]) == (
        "/orders/1",
        f"Root=1-{span.trace_id[:8]}-{span.trace_id[8:]}",
    )


def test_an_invoke_that_raises_is_an_answer_all_the_same(system: System) -> None:
    """A fault of the laptop's own parts is a 5xx with a span, and the next request is served."""

    def broken(*_: object) -> Outcome:
        raise LocalError("the sandbox is gone", "start it again")

    system.gateway._invoke = broken
    reply, answered = system.ask("GET", "/orders")
    system.gateway._invoke = system.behind.invoke
    assert (reply.status >= 500, answered.status, len(system.behind.spans), system.ask("GET", "/orders")[0].status) == (
        True,
        reply.status,
        1,
        200,
    )


def test_the_port_can_be_chosen(begin: Begin) -> None:
    """The address says so, and it is the loopback's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    system = begin(port=port)
    assert (system.gateway.url, system.ask("GET", "/orders")[0].status) == (f"http://127.0.0.1:{port}", 200)


def test_a_port_in_use_is_told(begin: Begin) -> None:
    """The message names the port, the reason and the option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError) as raised:
            begin(port=port)
    assert (raised.value.message, raised.value.todo, raised.value.exit_status) == (
        f"port {port} of 127.0.0.1 cannot be used: Address already in use",
        "stop the program that listens there, or choose another port with --port (0: any free port)",
        1,
    )


def test_close_frees_the_port(begin: Begin, project: SamTemplate) -> None:
    """Nobody listens any more, and the same port can be had again."""
    system = begin()
    port = system.port
    system.gateway.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE)
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
