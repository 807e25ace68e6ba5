"""Diagnoses: what the example of a class shows, and sentences and steps that follow from it."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from lambda_latency.latency import (
    Analyzer,
    Breakdown,
    Breakdowns,
    Component,
    Diagnosis,
    Edge,
    Failures,
    Flaw,
    Report,
    against,
    breakdown_of,
    diagnose,
    report_of,
)
from lambda_latency.latency.analysis.services import place_of
from lambda_latency.latency.analysis.timeouts import failures
from lambda_latency.latency.breakdowns.component import OWN_CODE
from lambda_latency.text import Style, cards, cards_with_steps, document, flat, render_report, sentence
from lambda_latency.text.findings import edge_steps, finding_pieces
from lambda_latency.trace import Event, Problem, SpanKind, Status, Trace, Tree
from lambda_latency.trace.model.compact_span import compact_spans_of
from tests.latency.generated import timed_out
from tests.latency.system import breakdown_of as account_of
from tests.latency.system import charge, order, put_item, request
from tests.trace.build import MS, T0, Node, later, node, tree

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
    return diagnose(trace, Edge("shop", Component("own code", "shop")))


def _called(trace: Trace) -> Diagnosis:
    return diagnose(trace, Edge("shop", Component("external", "pay.example.com")))


def _steps(report: Report) -> list[str]:
    """The next steps of all findings, each once."""
    return [step for _, steps in cards_with_steps(cards(report, STYLE)) for step in steps]


def test_the_span_with_most_of_own_code_is_named() -> None:
    """By the time that the request waited for it: spans of one name count together, and none without most of it."""
    finding = _own(_shop(_step("render", 10, 50), _step("render", 50, 90), _step("parse", 0, 10)))
    assert (finding.span, finding.span_ns, finding.waits_for_a_pool) == ("render", 80 * MS, False)
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
    assert Diagnosis("", span=name).waits_for_a_pool is is_one


def test_a_span_that_kept_the_books_names_what_ran_beside_it() -> None:
    """It ends last, so it owns the critical path, while its sibling did the work."""
    books = _step("session", 1, 99)
    finding = _own(_shop(books, node("agent", 2, 98, resource=SHOP)))
    assert (finding.span, finding.concurrent) == ("session", ("agent", 96 * MS, ""))
    assert _own(_shop(books, node("agent", 2, 30, resource=SHOP))).concurrent is None
    assert _own(_shop(_step("session", 1, 99, _step("inner", 2, 5)))).concurrent is None


def test_failed_attempts_are_told_with_their_statuses() -> None:
    """In their order; without a failure there are none."""
    finding = _called(_shop(_call(0, 20, 503), _call(25, 45, 503), _call(50, 90)))
    assert finding.attempts == (3, ("503", "503"), "", True)
    assert _called(_shop(_call(0, 20), _call(30, 50))).attempts is None


def test_a_failure_that_no_call_follows_is_no_retry() -> None:
    """Of the last call, and of one beside others."""
    for trace in (_shop(_call(0, 20), _call(30, 50, 503)), _shop(_call(0, 50, 503), _call(30, 90))):
        finding = _called(trace)
        assert finding.attempts == (2, ("503",), "", False)
        assert flat(finding_pieces(finding, STYLE)) == " The example made 2 calls, of which 1 failed (503)."


def test_own_code_that_waits_between_attempts_names_their_callee() -> None:
    """A client's backoff is no span: it is own code, and the failing callee is the reason."""
    trace = _shop(_call(0, 5, 503), _call(25, 30, 503), _call(90, 95), end=100)
    finding = _own(trace)
    assert finding.attempts == (3, ("503", "503"), "pay.example.com", True)
    assert _own(_shop(_call(0, 5, 503), _call(10, 15), end=100)).attempts is None
    report = _report(trace)
    cell = Edge("shop", Component("own code", "shop"))
    diagnosed = replace(report, diagnoses={cell: finding})
    assert flat(finding_pieces(finding, STYLE)) == (
        " Most of it is a wait between attempts. The example made 3 calls to pay.example.com, of which 2 failed (503, "
        "503): retries."
    )
    assert edge_steps(cell, diagnosed) == [
        "Find out why pay.example.com fails, and limit the attempts of its client: each adds a wait."
    ]


@pytest.mark.parametrize("error", ["ReadTimeout", "java.net.SocketTimeoutException", "DeadlineExceeded", "ETIMEDOUT"])
def test_a_timeout_of_a_client_is_told_and_counted_apart(error: str) -> None:
    """It is no timeout of a function: the request goes on."""
    trace = _shop(_call(10, 90, 0, error))
    finding = _called(trace)
    assert (finding.gave_up, finding.gave_up_ns) == (error.rpartition(".")[2], 80 * MS)
    breakdown = breakdown_of(trace)
    assert (breakdown.timed_out, breakdown.flaws) == (False, Flaw.CLIENT_TIMEOUTS)
    report_json = document(_report(trace), command="", version="")
    assert (report_json["client_timeouts"], report_json["timeouts"]) == ({"requests": 1}, [])
    assert _called(_shop(_call(10, 90, 0, "ConnectionRefused"))).gave_up == ""


@pytest.mark.parametrize(
    ("owner", "final_step"),
    [("", "Ask its owner with a trace id."), ("ours", "Find out why pay.example.com did not answer.")],
)
def test_the_step_about_a_client_that_gave_up_sets_one_timeout(owner: str, final_step: str) -> None:
    """It has a timeout, so that "set a timeout for the call" would contradict it."""
    trace = _shop(_call(10, 90, 0, "ReadTimeout"))
    cell = Edge("shop", Component("external", "pay.example.com", owner))
    report = replace(_report(trace), diagnoses={cell: _called(trace)})
    timeout = "Set the client's timeout near the usual time of the call, and respond without its result then."
    assert edge_steps(cell, report) == [timeout, final_step]


def test_one_failed_call_is_told_once() -> None:
    """It is no retry, and a timeout of its client says all of it."""
    sentences = [
        flat(finding_pieces(_called(_shop(_call(10, 90, *failed))), STYLE)) for failed in ((503,), (0, "ReadTimeout"))
    ]
    assert sentences == [
        " The call of the example failed (503).",
        " Its client gave up after 80 ms (ReadTimeout).",
    ]


def test_without_attributes_of_a_place_no_step_is_about_lambda() -> None:
    """Spans in Zipkin's format often have no more than the name of their service."""
    named = {"service.name": "shop"}
    query = node("SELECT", 10, 90, kind=CLIENT, resource=named, attributes={"db.system": "mysql", "db.name": "orders"})
    trace = _shop(query, resource=named)
    cell = Edge("shop", Component("database", "mysql orders"))
    report = replace(_report(trace), diagnoses={cell: diagnose(trace, cell)})
    assert [("function" in step, "callers" in step) for step in edge_steps(cell, report)] == [(False, True)]


def _report(trace: Trace, *problems: Problem) -> Report:
    return report_of([breakdown_of(trace)], lambda _: {trace.trace_id: trace}, problems=problems)


def _said(trace: Trace, *problems: Problem) -> str:
    return flat(sentence(_report(trace, *problems), STYLE))


def test_one_request_has_no_cause_and_no_step() -> None:
    """The sentence says where its time went."""
    trace = _shop(_call(10, 90))
    assert _said(trace) == (
        "One request, 100 ms: here is where it went. 80 ms (80 %) for pay.example.com, 20 ms for the code of shop."
    )
    assert _steps(_report(trace)) == []
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
    problems = [Problem("a.json", number, "not a span") for number in range(4)]
    assert _said(_shop(), *problems).startswith(
        "One request, 100 ms, of which 1 of 5 spans could be read: a remnant. What is left: "
    )


def test_spans_that_end_before_they_start_are_skipped() -> None:
    """All of them: nothing is told about the request, and the status says that something was skipped."""
    trace = tree(node("GET /a", 5, 1, node("work", 4, 2), kind=SERVER), unit=MS)
    accounts, problems = Breakdowns(), list[Problem]()
    Analyzer(accounts).add(trace.trace_id, compact_spans_of(trace.spans), problems)
    assert [problem.effect for problem in problems] == ["counted", "counted", "skipped"]
    assert problems[-1].reason == "all spans of the trace end before they start"
    report = report_of(accounts, lambda _: {}, problems=problems)
    assert flat(sentence(report, STYLE)).startswith("This request has no length: ")


def _cart(selects: int, trace_id: str, ms: float) -> Trace:
    call_ms = ms / selects
    below = [
        node("SELECT", 1 + index * call_ms, 1 + (index + 0.9) * call_ms, kind=CLIENT, resource=SHOP,
             attributes={"db.system": "postgresql", "db.name": "carts"})
        for index in range(selects)
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
    accounts: list[Breakdown] = [breakdown_of(trace) for trace in traces.values()]
    report = report_of(accounts, lambda ids: {key: traces[key] for key in ids})
    [group] = report.groups.groups
    assert (group.edge, group.calls, group.makes_more_calls) == (
        Edge("shop", Component("database", "postgresql carts")),
        (1, 60),
        True,
    )
    text = flat(sentence(report, STYLE))
    assert ", in 60 calls instead of 1, " in text
    assert text.endswith(" The cause is internal.")
    assert _steps(report)[0].startswith("Make fewer calls to postgresql carts: fetch what a loop needs at once")


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


def _slower(breakdown: Breakdown, more_ns: int) -> Breakdown:
    """The request with more time in its external call."""
    cells = tuple((cell, ns + more_ns * (cell.component.category == "external")) for cell, ns in breakdown.edges)
    return breakdown._replace(edges=cells, wall_ns=breakdown.wall_ns + more_ns)


def test_a_call_without_a_place_ran_where_its_segment_did() -> None:
    """X-Ray's subsegments have no resource."""
    call = node("POST", 2, 98, kind=CLIENT, attributes={"server.address": "pay.example.com"})
    inside = node("handler", 1, 99, call)
    segment = node("CreateOrder", 0, 100, inside, kind=SERVER, attributes={"aws.xray.origin": "AWS::Lambda::Function"})
    cell = Edge("", Component("external", "pay.example.com"))
    assert diagnose(tree(segment, unit=MS), cell).place == "lambda"


def test_advice_follows_the_place() -> None:
    """Node in a container gets no advice about Lambda."""
    trace = _shop(_call(10, 90))
    assert _called(trace).place == "server"
    accounts = [
        breakdown_of(trace)._replace(trace_id=f"{number + 1:032x}", start_ns=T0 + number) for number in range(100)
    ]
    slow = [_slower(breakdown, 19 * 80 * MS) for breakdown in accounts[:10]]
    requests = [*slow, *accounts[10:]]
    report = report_of(requests, lambda ids: dict.fromkeys(ids, trace))
    [step] = _steps(report)
    assert "below that of this service's callers" in step
    assert "function" not in step


def test_a_tree_is_not_changed() -> None:
    """A diagnosis reads the trace, and nothing else."""
    trace = _shop(_call(10, 90, 503))
    end_ns = Tree(compact_spans_of(trace.spans)).end_ns
    _called(trace)
    assert trace.tree.end_ns == end_ns
    assert OWN_CODE.owner == "ours"


PAYMENTS = Component("external", "payments.example.com")


def _of(number: int, *inside: Node, status_code: int) -> Breakdown:
    root = request(*inside, end=120, status_code=status_code)
    return account_of(tree(root, unit=MS, trace_id=f"{number:032x}"))


def test_requests_that_end_or_time_out_are_no_failures() -> None:
    """A deadline is told on a card of its own."""
    assert failures(Breakdowns([account_of(order(90)), account_of(timed_out())])) is None


def test_the_call_that_failed_in_half_of_them_is_named() -> None:
    """With a request that shows it, and the status that most have."""
    refused = [_of(number, charge(20, 70, status_code=503), status_code=502) for number in (1, 2)]
    failed = [_of(number, put_item(20, 70), status_code=500) for number in (3, 4)]
    summary = failures(Breakdowns([failed[0], *refused, failed[1], account_of(order(90))]))
    assert summary == Failures(4, "POST /orders", 502, 2, PAYMENTS, 2, f"{1:032x}")


def test_a_call_that_failed_in_fewer_is_not() -> None:
    """One of three."""
    requests = [_of(1, charge(20, 70, status_code=503), status_code=502)]
    requests += [_of(number, put_item(20, 70), status_code=500) for number in (2, 3)]
    assert failures(Breakdowns(requests)) == Failures(3, "POST /orders", 500, 2, None, 0, f"{1:032x}")


def _worked(begin: float, end: float, *inside: Node) -> Trace:
    """A request of `shop` that sends a message to `press`, whose consumer works, and answers later."""
    consumer = node("print", begin, end, kind=SpanKind.CONSUMER, resource={"service.name": "press"})
    return _shop(node("send", 2, 4, consumer, kind=SpanKind.PRODUCER, resource=SHOP), *inside)


def test_a_consumer_behind_a_reply_queue_is_what_own_code_waited_for() -> None:
    """Also if an own span waits for the reply; no wait ends before what it waits for does."""
    finding = _own(_worked(6, 92))
    assert (finding.waiting, finding.concurrent) == ("shop", ("print", 86 * MS, "press"))
    assert flat(finding_pieces(finding, STYLE)) == " While shop waited, press worked 86 ms (print)."
    assert _own(_worked(6, 92, _step("reply", 5, 95))).waiting == "reply"
    assert _own(_worked(6, 130)).concurrent is None
    assert _own(_worked(6, 40)).concurrent is None


def test_work_of_another_service_is_what_the_step_is_about() -> None:
    """And no processor."""
    trace = _worked(6, 92)
    cell = Edge("shop", Component("own code", "shop"))
    report = replace(_report(trace), diagnoses={cell: _own(trace)})
    assert edge_steps(cell, report) == ["Look at press: shop only waited for it."]


def _invoked(cold: object, *, client: bool = True) -> Trace:
    ranker = {"service.name": "ranker", "faas.name": "ranker"}
    inside = node("ranker", 80, 90, kind=SERVER, resource=ranker, attributes={"faas.coldstart": cold})
    invoke = {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "faas.invoked_name": "ranker"}
    call = node("Invoke", 5, 92, inside, kind=CLIENT, resource=SHOP, attributes=invoke)
    return _shop(call if client else inside)


@pytest.mark.parametrize(
    ("client", "cell", "ms"),
    [
        (True, Edge("shop", Component("aws", "Lambda Invoke ranker")), 75),
        (False, Edge("shop", Component("own code", "shop")), 80),
    ],
)
def test_the_cold_start_of_an_invoked_function_is_internal(client: bool, cell: Edge, ms: int) -> None:
    """By the attribute on its span, which begins when the wait ends; also without a span of the call."""
    finding = diagnose(_invoked(True, client=client), cell)
    assert finding.cold_start == ("ranker", ms * MS)
    assert flat(finding_pieces(finding, STYLE)) == f" Most of it is the cold start of ranker ({ms} ms in the example)."
    report = replace(_report(_invoked(True, client=client)), diagnoses={cell: finding})
    assert edge_steps(cell, report)[0].startswith("Import less at module load")
    assert diagnose(_invoked(False, client=client), cell).cold_start is None


@pytest.mark.parametrize(
    ("name", "attributes", "connects"),
    [
        ("dns.lookup", {}, "dns"),
        ("dns.lookup api.example.com", {}, "dns"),
        ("getaddrinfo", {}, "dns"),
        ("resolve_host", {}, "dns"),
        ("HostnameLookup", {}, "dns"),
        ("query", {"dns.question.name": "a.example"}, "dns"),
        ("tls.handshake", {}, "connection"),
        ("SSLHandshake", {}, "connection"),
        ("tcp connect", {}, "connection"),
        ("open connection", {}, "connection"),
        ("secure", {"tls.cipher": "x"}, "connection"),
        ("connect account", {}, ""),
        ("rotate tls certificates", {}, ""),
        ("GET /dns", {"http.request.method": "GET"}, ""),
        ("resolve", {}, ""),
        ("user lookup", {}, ""),
        ("pg-pool.connect", {}, ""),
        ("render", {}, ""),
    ],
)
def test_a_step_of_a_connection_is_recognized_by_its_words_or_attributes(
    name: str, attributes: Mapping[str, object], connects: str
) -> None:
    """In own code, and inside a call, unless its component is the connection already."""
    step = node(name, 10, 90, resource=SHOP, attributes=attributes)
    assert _own(_shop(step)).connects == connects
    call = node("POST", 5, 95, step, kind=CLIENT, resource=SHOP, attributes={"server.address": "pay.example.com"})
    assert "connect" in {part.category for part, _ in breakdown_of(_shop(call)).components} or (
        _called(_shop(call)).connects == connects
    )


def test_a_slow_handshake_inside_a_call_is_told_as_the_connection() -> None:
    """Its step is about connections, and that of a lookup about the resolver."""
    steps = []
    for name, step in (("tls.handshake", "connection"), ("dns_lookup", "look-up of the host")):
        call = node("POST", 5, 95, _step(name, 6, 90), kind=CLIENT, resource=SHOP,
                    attributes={"server.address": "pay.example.com"})  # fmt: skip
        cell = Edge("shop", Component("external", "pay.example.com"))
        finding = diagnose(_shop(call), cell)
        assert flat(finding_pieces(finding, STYLE)) == (
            f" Most of it is in the span {name} (84 ms in the example): the {step}, not an answer."
        )
        steps += edge_steps(cell, replace(_report(_shop(call)), diagnoses={cell: finding}))
    assert [text.partition(":")[0] for text in steps] == [
        "Reuse connections",
        "Look at the resolver that answers slowly, cache its answers on the machine, and keep connections open",
    ]


def test_a_slow_look_up_among_the_steps_of_a_connection_is_about_the_resolver() -> None:
    """As SDKs name it that the report knows: then the component is the connection."""
    call = node("POST", 5, 95, _step("dns.lookup", 6, 80), _step("tls", 80, 90), kind=CLIENT, resource=SHOP,
                attributes={"server.address": "pay.example.com"})  # fmt: skip
    cell = Edge("shop", Component("connect", "pay.example.com"))
    finding = diagnose(_shop(call), cell)
    assert (finding.span, finding.connects) == ("dns.lookup", "dns")
    [step] = edge_steps(cell, replace(_report(_shop(call)), diagnoses={cell: finding}))
    assert step.startswith("Look at the resolver")


def _sharded(*ends: float, begin: float = 2, step: float = 0) -> Trace:
    calls = [
        node("SELECT", begin + number * step, end, kind=CLIENT, resource=SHOP,
             attributes={"db.system": "postgresql", "db.name": "mail", "db.shard": number, "id": f"{number:032x}"})
        for number, end in enumerate(ends)
    ]  # fmt: skip
    return _shop(*calls)


def test_the_slow_one_of_parallel_calls_is_told_with_its_attributes() -> None:
    """Those whose values no other call has, and no identifiers; none if the calls are alike, or one after the other."""
    cell = Edge("shop", Component("database", "postgresql mail"))
    finding = diagnose(_sharded(6, 94, 8), cell)
    assert finding.slow_call == (3, 92 * MS, 6 * MS, ("db.shard = 1",))
    assert flat(finding_pieces(finding, STYLE)) == (
        " One of 3 parallel calls took 92 ms (db.shard = 1) in the example, the others at most 6 ms."
    )
    [apart, _] = edge_steps(cell, replace(_report(_sharded(6, 94, 8)), diagnoses={cell: finding}))
    assert apart == (
        "Find out what is different about db.shard = 1: the other calls of the request, at the same time, were fast."
    )
    assert diagnose(_sharded(80, 94, 85), cell).slow_call is None
    assert diagnose(_sharded(45, 90, begin=1, step=45), cell).slow_call is None


def test_a_slow_entry_of_a_called_service_has_the_attributes_of_its_call() -> None:
    """Then the wait is own code of the service, and its processor is not the step."""
    calls = [
        node("POST", 2, end, node("find", 3, end - 1, kind=SERVER, resource={"service.name": "search"}), kind=CLIENT,
             resource=SHOP, attributes={"server.address": "search", "region": region})
        for region, end in (("eu", 10), ("us", 95))
    ]  # fmt: skip
    trace, cell = _shop(*calls), Edge("search", Component("own code", "search"))
    finding = diagnose(trace, cell)
    assert finding.slow_call == (2, 93 * MS, 8 * MS, ("region = us",))
    [step] = edge_steps(cell, replace(_report(trace), diagnoses={cell: finding}))
    assert "region = us" in step


def test_the_cause_of_a_change_has_the_step_of_what_filled_it() -> None:
    """Of requests that all became slower, which are no class."""

    def requests(count: int, worked: float) -> list[Trace]:
        trace = _worked(6, 6 + worked) if worked > 50 else _shop(end=8)
        return [later(tree_of(trace, number), number * 100) for number in range(count)]

    current, baseline = requests(60, 86), requests(60, 1)
    by_id = {trace.trace_id: trace for trace in current}
    accounts = Breakdowns(map(breakdown_of, current))
    compared = against(accounts, Breakdowns(map(breakdown_of, baseline)))
    report = report_of(accounts, lambda ids: {key: by_id[key] for key in ids}, against=compared)
    [change, *_] = cards(report, STYLE)
    assert [flat(sentence) for sentence in change.evidence] == ["While shop waited, press worked 86 ms (print)."]
    assert change.steps == ("Look at press: shop only waited for it.",)
    values = document(report, command="", version="")
    assert values["against"]["example"]["beside"] == {"span": "print", "ns": 86 * MS, "service": "press"}  # type: ignore[index]


def tree_of(trace: Trace, number: int) -> Trace:
    """The trace under another id."""
    return Trace([replace(span, trace_id=f"{number + 1:032x}") for span in trace.spans])
