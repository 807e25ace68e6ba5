"""What goes wrong on purpose: what callers are told, what stays consistent, what the traces say."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambda_latency.latency import timeout_of
from lambda_latency.local.faults import FaultPlan, FaultRule
from lambda_latency.trace import SpanKind
from tests.system.conftest import Client, order, start_system, tree
from tests.system.test_routes import PUT, handled
from tests.template.deployed import write_variant

Faulty = Callable[..., Client]


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Faulty]:
    """A system with these faults; a slow provider is given up after 300 ms."""
    open_systems: list[Iterator[Client]] = []

    def start(*rules: FaultRule) -> Client:
        template = write_variant(tmp_path / "app", edits={'PAYMENTS_TIMEOUT_MS: "3000"': 'PAYMENTS_TIMEOUT_MS: "300"'})
        system = start_system(tmp_path, FaultPlan(1, rules), template)
        open_systems.append(system)
        return next(system)

    yield start
    for system in open_systems:
        next(system, None)


@pytest.mark.parametrize(
    ("rule", "status", "error"),
    [
        (FaultRule("provider", "status", 0.5), 502, "payments_broken"),
        (FaultRule("provider", "throttle", 0.5), 502, "payments_broken"),
        (FaultRule("provider", "reset", 0.5), 502, "payments_broken"),
        (FaultRule("provider", "hang", 0.5), 504, "payments_timeout"),
        (FaultRule("provider", "delay", 0.5, ms=900), 504, "payments_timeout"),
    ],
)
def test_a_provider_that_fails_half_way_charges_once(faulty: Faulty, rule: FaultRule, status: int, error: str) -> None:
    """The charge is entered, its answer is lost; the retried order is completed with that one charge."""
    client = faulty(rule)
    made = [order() for _ in range(4)]
    first = [client.call("POST", "/orders", one) for one in made]
    assert Counter((reply.status, reply.body.get("error")) for reply in first) == {(201, None): 2, (status, error): 2}
    for one in made:
        while (reply := client.call("POST", "/orders", one)).status == status:
            pass  # every second call to the provider fails
        assert (reply.status in (200, 201), reply.body["status"]) == (True, "confirmed")
    assert Counter(charge["order_id"] for charge in client.books()["charges"]) == {one["order_id"]: 1 for one in made}


def test_a_broken_provider_is_seen_in_the_trace(faulty: Faulty) -> None:
    """Its own span says 503, the call too, and the handler's 502 is an error."""
    client = faulty(FaultRule("provider", "status", 1))
    reply = client.call("POST", "/orders", order())
    trace = client.trace(reply, 9)
    assert handled(trace) == ("POST /orders SERVER ERROR", PUT, ("POST CLIENT ERROR", "POST /charges SERVER ERROR"))
    codes = {span.name: span.attributes["http.status_code"] for span in trace.spans if "POST" in span.name}
    assert codes == {"POST /orders": 502, "POST": 503, "POST /charges": 503}


def test_a_line_of_the_log_leads_to_its_trace(faulty: Faulty) -> None:
    """What a function writes about a request is JSON, with the request's trace as X-Ray writes it."""
    client = faulty(FaultRule("provider", "status", 1))
    reply = client.call("POST", "/orders", order(order_id="o-log"))
    client.trace(reply, 9)

    (line,) = [line for line in client.log.read_text().splitlines() if "payments API broken" in line]
    written = json.loads(line[line.index("{") :])
    assert {name: written[name] for name in ("level", "logger", "message", "traceId")} == {
        "level": "WARNING",
        "logger": "functions.orders",
        "message": "payments API broken: order o-log: status 503",
        "traceId": f"1-{reply.trace_id[:8]}-{reply.trace_id[8:]}",
    }


def test_a_connection_that_is_refused_by_a_reset_is_a_broken_provider(faulty: Faulty) -> None:
    """Nothing was charged; the call has an error and no child."""
    client = faulty(FaultRule("connect", "reset", 1))
    reply = client.call("POST", "/orders", order())
    assert reply.status == 502
    assert handled(client.trace(reply, 8)) == ("POST /orders SERVER ERROR", PUT, "POST CLIENT ERROR")


def test_a_throttled_table_is_retried(faulty: Faulty) -> None:
    """The caller notices only that it took longer; the span counts the retry."""
    client = faulty(FaultRule("table", "throttle", 0.5, route="GET /orders/{id}"))
    replies = [client.call("GET", "/orders/none") for _ in range(3)]
    assert [reply.status for reply in replies] == [404, 404, 404]
    calls = [span for reply in replies for span in client.trace(reply, 7).spans if span.kind is SpanKind.CLIENT]
    assert sum(int(str(span.attributes["retry_attempts"])) for span in calls) >= 2
    assert {span.attributes["http.status_code"] for span in calls} == {200}


def test_a_table_that_stays_throttled_is_busy(faulty: Faulty) -> None:
    """503 with the hint to come again; the call is a throttle: 429."""
    client = faulty(FaultRule("table", "throttle", 1, route="GET /orders/{id}"))
    reply = client.call("GET", "/orders/none")
    assert (reply.status, reply.body["error"]) == (503, "busy")
    trace = client.trace(reply, 7)
    assert handled(trace) == ("GET /orders/{id} SERVER ERROR", "DynamoDB.GetItem CLIENT ERROR")
    assert [span.attributes["http.status_code"] for span in trace.spans if span.name == "DynamoDB.GetItem"] == [429]


def test_a_function_that_is_killed_at_its_deadline_says_what_was_running(faulty: Faulty) -> None:
    """502 without details; the trace says timeout, limit, call and line, and has no orphan."""
    client = faulty(FaultRule("function", "timeout", 1, route="GET /orders/{id}"))
    reply = client.call("GET", "/orders/none")
    assert (reply.status, reply.body) == (502, {"message": "Internal server error"})
    trace = client.trace(reply, 7)
    stage, (service, function) = tree(trace)
    assert (stage, service) == ("lambda-latency/dev SERVER ERROR", "GetOrder SERVER ERROR")
    assert function == (
        "GetOrder SERVER ERROR",
        "Initialization INTERNAL",
        "Invocation INTERNAL ERROR",
        ("GET /orders/{id} SERVER ERROR", "DynamoDB.GetItem CLIENT ERROR"),
        "Overhead INTERNAL",
    )
    killed = trace.children(trace.children(trace.request_root)[0])[0]
    assert trace.handler is not None
    for span in (killed, trace.handler):
        assert span.attributes["lambda.timeout"] is True
        assert span.attributes["lambda.timeout.limit_ms"] == 6000
    assert (trace.timed_out, trace.orphans) == (True, ())
    timeout = timeout_of(trace)
    assert timeout is not None
    assert timeout.line is not None
    assert (timeout.running, timeout.line.file, timeout.line.function) == (
        "DynamoDB GetItem OrdersTable",
        "functions/table.py",
        "get",
    )
    assert client.call("GET", "/orders?customer=nobody").status == 200
