"""Diagnoses: what the example of a class shows, and sentences and steps that follow from it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lambda_latency.latency import (
    CLIENT_TIMEOUTS,
    Account,
    Accounts,
    Cell,
    Diagnosis,
    Judge,
    Part,
    Report,
    account,
    diagnose,
    report_of,
)
from lambda_latency.latency.accounts.part import OWN_CODE
from lambda_latency.latency.judge.diagnosis import is_pool
from lambda_latency.latency.judge.services import place_of
from lambda_latency.text import Style, document, flat, next_steps, render_report, sentence
from lambda_latency.text.findings import cell_steps, finding_pieces
from lambda_latency.trace import Event, Problem, SpanKind, Status, Trace, Tree
from lambda_latency.trace.model.row import rows_of
from tests.trace.build import MS, T0, node, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.trace.build import Node

CLIENT, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL
STYLE = Style(width=10_000, unicode=False, thin=False)
SHOP = {"service.name": "shop", "telemetry.sdk.language": "nodejs"}


def _shop(*below: Node, end: float = 100, resource: Mapping[str, object] = SHOP) -> Trace:
    return tree(node("GET /a", 0, end, *below, kind=SERVER, resource=resource), unit=MS)


def _step(name: str, start: float, end: float, *below: Node) -> Node:
    return node(name, start, end, *below, resource=SHOP)


def _call(start: float, end: float, status: int = 200, error: str = "", **more: object) -> Node:
    failed = status >= 500 or bool(error)
    events = (Event("exception", T0, {"exception.type": error}),) if error else ()
    attributes = {"server.address": "pay.example.com", "http.response.status_code": status, **more}
    return node("POST", start, end, kind=CLIENT, resource=SHOP, attributes=attributes, events=events,
                status=Status.ERROR if failed else Status.UNSET)  # fmt: skip


def _own(trace: Trace) -> Diagnosis:
    return diagnose(trace, Cell("shop", Part("own code", "shop")))


def _called(trace: Trace) -> Diagnosis:
    return diagnose(trace, Cell("shop", Part("external", "pay.example.com")))


def test_the_span_with_most_of_own_code_is_named() -> None:
    """By the time that the request waited for it: spans of one name count together, and none without most of it."""
    found = _own(_shop(_step("render", 10, 50), _step("render", 50, 90), _step("parse", 0, 10)))
    assert (found.span, found.span_ns, found.waits_for_a_pool) == ("render", 80 * MS, False)
    assert _own(_shop(_step("render", 10, 50))).span == ""


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("pool.acquire", True),
        ("pg-pool.connect", True),
        ("HikariDataSource.getConnection", True),
        ("acquire connection", True),
        ("connection.acquire", True),
        ("db.connection_pool.wait", True),
        ("acquire lock", False),
        ("render", False),
        ("spooling", False),
        ("connect", False),
    ],
)
def test_a_wait_for_a_pooled_connection_is_recognized_by_its_name(name: str, is_one: bool) -> None:
    """As instrumentations and people name it."""
    assert is_pool(name) is is_one


def test_a_span_that_kept_the_books_names_what_ran_beside_it() -> None:
    """It ends last, so it owns the critical path, while its sibling did the work."""
    books = _step("session", 1, 99)
    found = _own(_shop(books, node("agent", 2, 98, resource=SHOP)))
    assert (found.span, found.beside) == ("session", ("agent", 96 * MS))
    assert _own(_shop(books, node("agent", 2, 30, resource=SHOP))).beside is None
    assert _own(_shop(_step("session", 1, 99, _step("inner", 2, 5)))).beside is None


def test_failed_attempts_are_told_with_their_statuses() -> None:
    """In their order; without a failure there are none."""
    found = _called(_shop(_call(0, 20, 503), _call(25, 45, 503), _call(50, 90)))
    assert found.attempts == (3, ("503", "503"), "", True)
    assert _called(_shop(_call(0, 20), _call(30, 50))).attempts is None


def test_a_failure_that_no_call_follows_is_no_retry() -> None:
    """Of the last call, and of one beside others."""
    for trace in (_shop(_call(0, 20), _call(30, 50, 503)), _shop(_call(0, 50, 503), _call(30, 90))):
        found = _called(trace)
        assert found.attempts == (2, ("503",), "", False)
        assert flat(finding_pieces(found, STYLE)) == " The example made 2 calls, of which 1 failed (503)."


def test_own_code_that_waits_between_attempts_names_their_callee() -> None:
    """A client's backoff is no span: it is own code, and the failing callee is the reason."""
    trace = _shop(_call(0, 5, 503), _call(25, 30, 503), _call(90, 95), end=100)
    found = _own(trace)
    assert found.attempts == (3, ("503", "503"), "pay.example.com", True)
    assert _own(_shop(_call(0, 5, 503), _call(10, 15), end=100)).attempts is None
    report = _report(trace)
    cell = Cell("shop", Part("own code", "shop"))
    told = replace(report, diagnoses={cell: found})
    assert flat(finding_pieces(found, STYLE)) == (
        " Most of it is a wait between attempts. The example made 3 calls to pay.example.com, of which 2 failed (503, "
        "503): retries."
    )
    assert cell_steps(cell, told) == [
        "Find out why pay.example.com fails, and limit the attempts of its client: each waits first."
    ]


@pytest.mark.parametrize("error", ["ReadTimeout", "java.net.SocketTimeoutException", "DeadlineExceeded", "ETIMEDOUT"])
def test_a_timeout_of_a_client_is_told_and_counted_apart(error: str) -> None:
    """It is no timeout of a function: the request goes on."""
    trace = _shop(_call(10, 90, 0, error))
    found = _called(trace)
    assert (found.gave_up, found.gave_up_ns) == (error.rpartition(".")[2], 80 * MS)
    one = account(trace)
    assert (one.timed_out, one.flaws) == (False, CLIENT_TIMEOUTS)
    told = document(_report(trace), command="", version="")
    assert (told["client_timeouts"], told["timeouts"]) == ({"requests": 1}, [])
    assert _called(_shop(_call(10, 90, 0, "ConnectionRefused"))).gave_up == ""


@pytest.mark.parametrize(
    ("owner", "last"),
    [("", "Ask its owner with a trace id."), ("ours", "Find out why pay.example.com did not answer.")],
)
def test_the_step_about_a_client_that_gave_up_sets_one_timeout(owner: str, last: str) -> None:
    """It has a timeout, so that "set a timeout for the call" would contradict it."""
    trace = _shop(_call(10, 90, 0, "ReadTimeout"))
    cell = Cell("shop", Part("external", "pay.example.com", owner))
    report = replace(_report(trace), diagnoses={cell: _called(trace)})
    timeout = "Set the client's timeout near the usual time of the call, and respond without its result then."
    assert cell_steps(cell, report) == [timeout, last]


def test_one_failed_call_is_told_once() -> None:
    """It is no retry, and a timeout of its client says all of it."""
    told = [
        flat(finding_pieces(_called(_shop(_call(10, 90, *failed))), STYLE)) for failed in ((503,), (0, "ReadTimeout"))
    ]
    assert told == [
        " The call of the example failed (503).",
        " Its client gave up after 80 ms (ReadTimeout).",
    ]


def test_without_attributes_of_a_place_no_step_is_about_lambda() -> None:
    """Spans in Zipkin's format often have no more than the name of their service."""
    named = {"service.name": "shop"}
    query = node("SELECT", 10, 90, kind=CLIENT, resource=named, attributes={"db.system": "mysql", "db.name": "orders"})
    trace = _shop(query, resource=named)
    cell = Cell("shop", Part("database", "mysql orders"))
    report = replace(_report(trace), diagnoses={cell: diagnose(trace, cell)})
    assert [("function" in step, "callers" in step) for step in cell_steps(cell, report)] == [(False, True)]


def _report(trace: Trace, *problems: Problem) -> Report:
    return report_of([account(trace)], lambda _: {trace.trace_id: trace}, problems=problems)


def _said(trace: Trace, *problems: Problem) -> str:
    return flat(sentence(_report(trace, *problems), STYLE))


def test_one_request_has_no_cause_and_no_step() -> None:
    """The sentence says where its time went."""
    trace = _shop(_call(10, 90))
    assert _said(trace) == (
        "One request, 100 ms: here is where it went. 80 ms (80 %) for pay.example.com, 20 ms for the code of shop."
    )
    assert next_steps(_report(trace)) == []
    assert "cause is named" in render_report(_report(trace), STYLE)


def test_a_request_too_short_to_feel_has_no_cause() -> None:
    """Of 0.03 ms, as of any other."""
    trace = tree(node("GET /a", 0, 30, kind=SERVER), unit=1000)
    assert _said(trace) == "One request, 0.03 ms: here is where it went. 0.03 ms (100 %) for its own code."


def test_what_ran_beside_a_bookkeeping_span_is_in_the_sentence() -> None:
    """The request did not wait for it, but it tells what happened."""
    trace = _shop(_step("session", 1, 99), node("agent", 2, 98, resource=SHOP))
    assert _said(trace).endswith(
        " Most of the own code is in the span session (98 ms). While session waited, agent ran for 96 ms."
    )


def test_a_flow_of_messages_is_told_as_such() -> None:
    """Its time is that of the request alone."""
    consumer = node("consume", 30, 500, kind=SpanKind.CONSUMER, resource={"service.name": "mail"})
    trace = _shop(node("send", 10, 20, consumer, kind=SpanKind.PRODUCER, resource=SHOP))
    assert _said(trace).startswith("One request, 100 ms without the consumers of its messages: here is where it went. ")


def test_most_of_a_trace_skipped_is_a_remnant() -> None:
    """The sentence counts what is left."""
    problems = [Problem("a.json", at, "not a span") for at in range(4)]
    assert _said(_shop(), *problems).startswith(
        "One request, 100 ms, of which 1 of 5 spans could be read: a remnant. What is left: "
    )


def test_spans_that_end_before_they_start_are_skipped() -> None:
    """All of them: nothing is told about the request, and the status says that something was skipped."""
    trace = tree(node("GET /a", 5, 1, node("work", 4, 2), kind=SERVER), unit=MS)
    accounts, problems = Accounts(), list[Problem]()
    Judge(accounts).add(trace.trace_id, rows_of(trace.spans), problems)
    assert [one.effect for one in problems] == ["counted", "counted", "skipped"]
    assert problems[-1].reason == "all spans of the trace end before they start"
    report = report_of(accounts, lambda _: {}, problems=problems)
    assert flat(sentence(report, STYLE)).startswith("This request has no length: ")


def _cart(selects: int, trace_id: str, ms: float) -> Trace:
    each = ms / selects
    below = [
        node("SELECT", 1 + at * each, 1 + (at + 0.9) * each, kind=CLIENT, resource=SHOP,
             attributes={"db.system": "postgresql", "db.name": "carts"})
        for at in range(selects)
    ]  # fmt: skip
    return tree(node("GET /cart", 0, ms + 5, *below, kind=SERVER, resource=SHOP), unit=MS, trace_id=trace_id)


def test_sixty_calls_in_place_of_one_are_told_without_a_baseline() -> None:
    """Slow against typical requests of the route; the step is about the calls, and not about slow queries."""
    draw = random.Random(1)  # noqa: S311
    traces = {}
    for number in range(200):
        slow = number % 8 == 0
        trace_id = f"{number + 1:032x}"
        traces[trace_id] = _cart(60 if slow else 1, trace_id, 600 if slow else 10 + draw.random())
    accounts: list[Account] = [account(trace) for trace in traces.values()]
    report = report_of(accounts, lambda ids: {one: traces[one] for one in ids})
    [one] = report.classes.found
    assert (one.cell, one.calls, one.makes_more_calls) == (
        Cell("shop", Part("database", "postgresql carts")),
        (1, 60),
        True,
    )
    told = flat(sentence(report, STYLE))
    assert ", in 60 calls instead of 1, " in told
    assert told.endswith(" The cause is internal.")
    assert next_steps(report)[0].startswith("Make fewer calls to postgresql carts: fetch what a loop needs at once")


@pytest.mark.parametrize(
    ("resource", "attributes", "place"),
    [
        ({"faas.name": "f"}, {}, "lambda"),
        ({"cloud.platform": "aws_lambda"}, {}, "lambda"),
        ({}, {"aws.xray.origin": "AWS::Lambda::Function"}, "lambda"),
        ({}, {"aws.xray.origin": "AWS::EC2::Instance"}, "server"),
        ({"cloud.platform": "aws_ecs"}, {}, "server"),
        ({"k8s.pod.name": "p"}, {}, "server"),
        ({"container.id": "c"}, {}, "server"),
        ({"host.name": "h"}, {}, "server"),
        ({"telemetry.sdk.language": "nodejs"}, {}, "server"),
        ({"telemetry.sdk.language": "webjs"}, {}, "browser"),
        ({"browser.platform": "Linux"}, {}, "browser"),
        ({"k8s.pod.name": "p"}, {"component": "proxy"}, "proxy"),
        ({}, {"upstream_cluster": "outbound|80||a.svc"}, "proxy"),
        ({"service.name": "istio-ingressgateway"}, {}, "proxy"),
        ({"service.name": "nginx"}, {}, "proxy"),
        ({"service.name": "shop"}, {}, None),
        ({}, {}, None),
    ],
)
def test_the_place_of_code_follows_from_its_spans(
    resource: Mapping[str, object], attributes: Mapping[str, object], place: str | None
) -> None:
    """A function, a server, a proxy, a browser; None if nothing tells."""
    [span] = tree(node("a", 0, 1, resource=resource, attributes=attributes)).spans
    assert place_of([span]) == place


def _slower(one: Account, more_ns: int) -> Account:
    """The request with more time in its external call."""
    cells = tuple((cell, ns + more_ns * (cell.part.bucket == "external")) for cell, ns in one.cells)
    return one._replace(cells=cells, wall_ns=one.wall_ns + more_ns)


def test_a_call_without_a_place_ran_where_its_segment_did() -> None:
    """X-Ray's subsegments have no resource."""
    call = node("POST", 2, 98, kind=CLIENT, attributes={"server.address": "pay.example.com"})
    inside = node("handler", 1, 99, call)
    segment = node("CreateOrder", 0, 100, inside, kind=SERVER, attributes={"aws.xray.origin": "AWS::Lambda::Function"})
    cell = Cell("", Part("external", "pay.example.com"))
    assert diagnose(tree(segment, unit=MS), cell).place == "lambda"


def test_advice_follows_the_place() -> None:
    """Node in a container gets no advice about Lambda."""
    trace = _shop(_call(10, 90))
    assert _called(trace).place == "server"
    accounts = [account(trace)._replace(trace_id=f"{at + 1:032x}", start_ns=T0 + at) for at in range(100)]
    slow = [_slower(one, 19 * 80 * MS) for one in accounts[:10]]
    every = [*slow, *accounts[10:]]
    report = report_of(every, lambda ids: dict.fromkeys(ids, trace))
    [step] = next_steps(report)
    assert "below that of this service's callers" in step
    assert "function" not in step


def test_a_tree_is_not_changed() -> None:
    """A diagnosis reads the trace, and nothing else."""
    trace = _shop(_call(10, 90, 503))
    before = Tree(rows_of(trace.spans)).end_ns
    _called(trace)
    assert trace.tree.end_ns == before
    assert OWN_CODE.owner == "ours"
