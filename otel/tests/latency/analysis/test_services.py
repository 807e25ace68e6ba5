"""Traces of several services: the owner of each segment of time if each service records its own spans."""

from dataclasses import replace
from typing import Any

import pytest

from lambda_latency.latency import AnalysisOptions, Analyzer, Breakdowns, Component, Flaw, Owners, breakdown_of
from lambda_latency.latency.breakdowns.breakdown import Calls
from lambda_latency.latency.breakdowns.component import UNKNOWN
from lambda_latency.trace import GATEWAY, Span, SpanKind, Trace, View
from tests.latency.analysis.random_services import check
from tests.trace.build import MS, T0, Node, node, spans_of, tree

SERVER, CLIENT, PRODUCER, CONSUMER = SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER
INTERNAL = SpanKind.INTERNAL
LAMBDA, FUNCTION = "AWS::Lambda", "AWS::Lambda::Function"


def _server(service: str, start: float, end: float, *below: Node) -> Node:
    return node(f"{service}.Do", start, end, *below, kind=SERVER, resource={"service.name": service})


def _call(service: str, start: float, end: float, *below: Node, host: str = "10.0.0.9") -> Node:
    attributes = {"server.address": host} if host else {}
    return node("call", start, end, *below, kind=CLIENT, resource={"service.name": service}, attributes=attributes)


def _step(service: str, start: float, end: float) -> Node:
    return node("step", start, end, resource={"service.name": service})


def _parts(*roots: Node, terms: AnalysisOptions = AnalysisOptions()) -> dict[str, float]:  # noqa: B008 - immutable
    return _of(tree(*roots, unit=MS), terms)


def _of(trace: Trace, terms: AnalysisOptions = AnalysisOptions()) -> dict[str, float]:  # noqa: B008
    return {part.label: ns / MS for part, ns in breakdown_of(trace, terms).components}


def test_each_service_with_spans_has_parts_of_its_own() -> None:
    """Two services behind one address are two parts; the time between a call and the callee's span is network."""
    pay = _call("checkout", 10, 60, _server("payment", 12, 58))
    ship = _call("checkout", 60, 95, _server("shipping", 65, 90))
    assert _parts(_server("checkout", 0, 100, pay, ship)) == {
        "payment: own code": 46,
        "shipping: own code": 25,
        "checkout: own code": 15,
        "network to shipping": 10,
        "network to payment": 4,
    }


def test_a_service_is_recognized_if_its_caller_names_no_host() -> None:
    """A client span without a host is a call to the service that answers it."""
    call = _call("checkout", 10, 60, _server("payment", 12, 58), host="")
    assert _parts(_server("checkout", 0, 100, call)) == {
        "checkout: own code": 50,
        "payment: own code": 46,
        "network to payment": 4,
    }


def test_a_service_with_spans_is_ours_unless_a_pattern_matches() -> None:
    """A `theirs` pattern makes the service, with its calls, one external part."""
    inner = _call("payment", 20, 50, host="bank.example.com")
    call = _call("checkout", 10, 60, _server("payment", 12, 58, inner))
    parts = dict(breakdown_of(tree(_server("checkout", 0, 100, call), unit=MS)).components)
    assert {part.label: part.owner for part in parts} == {
        "checkout: own code": "ours",
        "payment: own code": "ours",
        "bank.example.com": "theirs",
        "network to payment": "ours",
    }
    as_external = AnalysisOptions(owners=Owners(theirs=("pay*",)))
    parts_found = breakdown_of(tree(_server("checkout", 0, 100, call), unit=MS), as_external).components
    assert [(part.label, part.owner, ns / MS) for part, ns in parts_found] == [
        ("payment", "theirs", 50),
        ("checkout: own code", "ours", 50),
    ]
    as_internal = AnalysisOptions(owners=Owners(ours=("*.EXAMPLE.com",)))
    parts_found = breakdown_of(tree(_server("checkout", 0, 100, call), unit=MS), as_internal).components
    assert {part.label: part.owner for part, _ in parts_found}["bank.example.com"] == "ours"


def test_a_call_to_a_service_with_spans_in_another_trace_is_ours() -> None:
    """The callee's span is missing, or was never recorded; a pattern of the user overrides that."""
    answered = _call("checkout", 10, 60, _server("payment", 12, 58), host="payment")
    lost = _call("checkout", 10, 60, host="payment")
    bank = _call("checkout", 60, 80, host="bank.example.com")
    traces = [tree(_server("checkout", 0, 100, call), unit=MS) for call in (answered, lost)]
    traces.append(tree(_server("checkout", 0, 100, lost, bank), unit=MS))
    accounts = Breakdowns(map(breakdown_of, traces))
    owners = Owners().settle(accounts)
    assert owners.services == {"checkout", "payment"}
    assert [{part.label: (part.owner, ns / MS) for part, ns in breakdown.components} for breakdown in accounts[1:]] == [
        {"payment": ("ours", 50), "checkout: own code": ("ours", 50)},
        {"payment": ("ours", 50), "checkout: own code": ("ours", 30), "bank.example.com": ("theirs", 20)},
    ]
    assert [part for part, _ in accounts[2].calls] == [
        Component("external", "bank.example.com"),
        Component("external", "payment", "ours"),
    ]
    assert breakdown_of(traces[1], AnalysisOptions(owners=owners)) == accounts[1]
    outside = replace(
        tree(_server("payment", 30, 40), unit=MS).request_root, span_id="00000000000000ee", parent_id="f" * 16
    )
    alone = Breakdowns()
    Analyzer(alone).add_tree("a" * 32, Trace([*traces[1].spans, outside]).tree)
    assert (Owners().settle(alone).services, alone[0].components) == (owners.services, accounts[1].components)
    settled = Breakdowns(map(breakdown_of, traces))
    Owners(theirs=("pay*",)).settle(settled)
    assert {part.label: part.owner for part, _ in settled[1].components}["payment"] == "theirs"


def test_the_code_of_the_function_that_receives_the_request_has_no_name() -> None:
    """The code of a second Lambda function, called through X-Ray's segments, has the name of that function."""
    callee = node(
        "B",
        22,
        70,
        node("B", 25, 65, kind=SERVER, attributes={"aws.xray.origin": FUNCTION}, resource={"faas.name": "B"}),
        kind=SERVER,
        attributes={"aws.xray.origin": LAMBDA},
        resource={"faas.name": "B"},
    )
    invoke = node(
        "Lambda.Invoke",
        20,
        75,
        callee,
        kind=CLIENT,
        attributes={"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke"},
    )
    handler = node(
        "A", 10, 95, invoke, kind=SERVER, resource={"service.name": "a"}, attributes={"faas.trigger": "http"}
    )
    function = node(
        "A", 5, 98, handler, kind=SERVER, attributes={"aws.xray.origin": FUNCTION}, resource={"faas.name": "A"}
    )
    service = node(
        "A", 0, 100, function, kind=SERVER, attributes={"aws.xray.origin": LAMBDA}, resource={"faas.name": "A"}
    )
    assert _parts(service) == {
        "B: own code": 40,
        "own code": 30,
        "Lambda service": 15,
        "Lambda overhead": 8,
        "Lambda Invoke": 7,
    }


def test_a_request_begins_at_the_root_of_its_trace() -> None:
    """A traced caller above Lambda is part of the request, and its root names it; `from_lambda` excludes the caller."""
    handler = node("GET /orders", 30, 80, kind=SERVER, attributes={"faas.trigger": "http", "http.route": "/orders"})
    stage = node("stage", 20, 90, handler, kind=SERVER, attributes={"aws.xray.origin": GATEWAY})
    root = _server("shop", 0, 100, _call("shop", 10, 95, stage))
    trace = tree(root, unit=MS)
    assert (trace.route, trace.tree.end_ns - trace.tree.start_ns) == ("shop.Do", 100 * MS)
    cut = Trace(trace.spans, View(from_lambda=True))
    assert (cut.route, cut.tree.end_ns - cut.tree.start_ns) == ("/orders", 70 * MS)


def test_spans_of_one_absent_parent_are_one_request() -> None:
    """Without a root, spans with a common parent are one request, below a row that replaces the parent."""
    spans = [
        Span(
            trace_id="6b05a667affeb9dbb0aa7f2b5d5ab5f9",
            span_id=f"{number + 1:016x}",
            parent_id="00000000000000ff",
            name=f"step {number}",
            kind=SERVER,
            start_ns=T0 + 10 * number * MS,
            end_ns=T0 + (10 * number + 8) * MS,
            resource={"service.name": "steps"},
        )
        for number in range(3)
    ]
    trace = Trace(spans)
    assert _of(trace) == {"steps: own code": 24, UNKNOWN.label: 4}
    assert [problem.reason for problem in trace.problems] == [
        "span 00000000000000ff was not recorded: what it called is one request"
    ]
    assert breakdown_of(trace).flaws == 2
    assert len(trace.spans) == 3
    second = [replace(span, span_id=f"{number:016x}", parent_id="f" * 16) for number, span in enumerate(spans, 50)]
    assert breakdown_of(Trace([*spans, *second])).flaws == 6  # two such parents: the spans of one are outside
    remote = Trace([replace(span, parent_remote=True) for span in spans])
    assert remote.problems == ()  # the children say that their parent is in another process
    assert breakdown_of(remote) == breakdown_of(trace)


def test_internal_spans_of_an_absent_parent_are_code_of_their_service() -> None:
    """The time between them is unknown, not their own."""
    trace = tree(node("parent", 0, 50, _step("a", 0, 20), _step("a", 30, 50)), unit=MS)
    assert _of(Trace([span for span in trace.spans if span.parent_id])) == {"a: own code": 40, "unknown": 10}


def test_an_internal_span_of_a_database_is_a_call_unless_a_call_is_inside() -> None:
    """Manual instrumentation leaves the kind out; a driver's call below a wrapper counts once."""
    by_hand = node("query", 10, 40, attributes={"db.system": "mysql", "db.name": "shop"})
    driver = node("SELECT", 60, 80, kind=CLIENT, attributes={"db.system": "mysql", "db.name": "shop"})
    inner = node("fetch", 62, 70, attributes={"db.system": "mysql"})
    wrapper = node("save", 50, 90, replace(driver, children=(inner,)), attributes={"db.system": "mysql"})
    trace = tree(_server("cart", 0, 100, by_hand, wrapper), unit=MS)
    assert _of(trace) == {"cart: own code": 50, "mysql shop": 50}
    assert [(part.label, calls.calls) for part, calls in breakdown_of(trace).calls] == [("mysql shop", 2)]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}, "openai"),
        ({"openinference.span.kind": "LLM", "llm.provider": "azure", "llm.system": "openai"}, "azure"),
        ({"openinference.span.kind": "EMBEDDING", "llm.system": "openai"}, "openai"),
        ({"gen_ai.system": "openai.chat", "gen_ai.request.model": "gpt-5"}, "openai.chat"),  # older conventions
        ({"openinference.span.kind": "LLM", "llm.model_name": "gpt-5"}, "gpt-5"),
        ({"gen_ai.operation.name": "chat"}, "unknown callee"),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-5"}, "bot: own code"),
        ({"openinference.span.kind": "AGENT", "gen_ai.request.model": "gpt-5"}, "bot: own code"),
    ],
)
def test_an_internal_span_of_a_model_is_a_call_unless_a_call_is_inside(
    attributes: dict[str, object], expected: str
) -> None:
    """Libraries of agents leave the kind out. The tools that a model asks for are own code."""

    def parts(*below: Node) -> dict[str, float]:
        model = node("model", 10, 90, *below, attributes=attributes, resource={"service.name": "bot"})
        all_parts = _parts(node("run", 0, 100, model, resource={"service.name": "bot"}))
        return {label: ms for label, ms in all_parts.items() if label == expected or label != "bot: own code"}

    own_ms = 20 if expected == "bot: own code" else 0
    assert parts() == {expected: 80 + own_ms}
    tool = node("tool", 20, 50, attributes={"gen_ai.operation.name": "execute_tool"}, resource={"service.name": "bot"})
    assert parts(tool) == {expected: 80 + own_ms if own_ms else 50}
    http = _call("bot", 20, 80, host="api.example.com")
    assert parts(http) == ({"bot: own code": 40} if own_ms else {}) | {"api.example.com": 60}


def test_a_server_beside_the_call_that_it_answers_belongs_to_that_call() -> None:
    """Some callers send the context of the span around the call. A call that names another callee is another call."""

    def parts(**attributes: str) -> dict[str, float]:
        call = node("send", 10, 90, kind=CLIENT, resource={"service.name": "a"}, attributes=attributes)
        answers = [_server("b", 20, 60, _call("b", 30, 50, host="bank.example.com")), _server("b", 61, 70)]
        return _parts(_server("a", 0, 100, _step("a", 1, 5), call, *answers))

    right = {"network to b": 31, "b: own code": 29, "a: own code": 20, "bank.example.com": 20}
    assert [parts(), parts(**{"server.address": "b"}), parts(**{"http.url": "http://b.local/"})] == [right] * 3
    assert parts(**{"server.address": "c"}) == {"c": 80, "a: own code": 20}
    assert parts(**{"db.system": "mysql"}) == {"mysql": 80, "a: own code": 20}
    answered = _call("a", 10, 90, _server("c", 11, 89), host="")
    assert _parts(_server("a", 0, 100, answered, _server("b", 20, 60)))["c: own code"] == 78


def test_the_call_of_a_proxy_below_a_call_to_the_same_callee_is_the_same_call() -> None:
    """A sidecar records spans beside those of the SDK, as a service of its own; a server may be lost too."""

    def counted(host: str) -> dict[str, tuple[float, int]]:
        through = _call("a.mesh", 11, 89, _server("b.mesh", 12, 88, _server("b", 13, 87)), host="b.shop.svc.local")
        trace = tree(_server("a", 0, 100, _call("a", 10, 90, through, host=host)), unit=MS)
        calls = {part.label: calls.calls for part, calls in breakdown_of(trace).calls}
        return {label: (ms, calls.get(label, 0)) for label, ms in _of(trace).items()}

    codes = {"a: own code": (20, 0), "b.mesh: own code": (2, 0), "b: own code": (74, 0)}
    assert counted("b") == {"network to b.mesh": (4, 1), **codes}
    assert counted("c") == {"c": (2, 1), "network to b.mesh": (2, 1), **codes}
    outside = _call("a", 10, 90, _call("a.mesh", 11, 89, host="pay.example"), host="pay.example")
    assert breakdown_of(tree(_server("a", 0, 100, outside), unit=MS)).calls == (
        (Component("external", "pay.example"), Calls(1)),
    )


@pytest.mark.parametrize("path", ["node", "/opt/nvm/v18/bin/node", "C:\\nodejs\\node"])
def test_a_service_that_is_called_after_its_program_has_no_path(path: str) -> None:
    """SDKs name a service without a name after the program."""
    assert _parts(_server(f"unknown_service:{path}", 0, 9)) == {"unknown_service:node: own code": 9}


def test_a_service_that_calls_itself_has_a_network_to_itself() -> None:
    """Its own code is what its spans say, on both sides."""
    inner = _server("node", 15, 85)
    assert _parts(_server("node", 0, 100, _call("node", 10, 90, inner))) == {
        "node: own code": 90,
        "network to node": 10,
    }


def test_a_request_has_the_title_of_its_root_if_another_service_serves_below_it() -> None:
    """Also if no span of a call lies between them."""
    inner = node("inner.Do", 10, 20, kind=SERVER, resource={"service.name": "inner"})
    root = node("root", 0, 30, inner, resource={"service.name": "front"})
    assert tree(root, unit=MS).route == "root"
    assert tree(replace(root, resource={}), unit=MS).route == "inner.Do"


def test_work_that_goes_on_longer_than_the_request_is_a_flaw() -> None:
    """The request ends with its root; consumers, which nothing waits for, do not count."""

    def flaws(kind: SpanKind, end: float) -> int:
        late = node("late", 5, end, kind=kind)
        sent = node("sent", 1, 2, late, kind=PRODUCER)
        return breakdown_of(tree(node("root", 0, 10, sent, kind=SERVER), unit=MS)).flaws

    assert [flaws(INTERNAL, 20), flaws(INTERNAL, 21), flaws(CONSUMER, 9), flaws(CONSUMER, 21)] == [0, 8, 0, Flaw.FLOW]
    overhead = node("Overhead", 9, 30)
    segment = node("Work", 2, 30, overhead, kind=SERVER, attributes={"aws.xray.origin": FUNCTION})
    stage = node("api", 0, 10, segment, kind=SERVER, attributes={"aws.xray.origin": GATEWAY})
    assert breakdown_of(tree(stage, unit=MS)).flaws == 0  # the end of an invocation is not the user's work
    assert breakdown_of(tree(node("root", 0, None, node("inner", 2, 5), kind=SERVER), unit=MS)).flaws == 16


def test_spans_of_a_lost_parent_outside_the_request_are_a_flaw() -> None:
    """Their time is excluded. A second root, and a span with a remote parent, are other requests."""
    request = _server("shop", 0, 30, _call("shop", 10, 20))
    beside = tree(_server("pay", 100, 900), unit=MS).request_root
    spans = tree(request, unit=MS).spans

    def flaws(**changed: Any) -> int:
        return breakdown_of(Trace([*spans, replace(beside, span_id="00000000000000ee", **changed)])).flaws

    assert flaws(parent_id="00000000000000ff") == 4
    assert flaws(parent_id="00000000000000ff", parent_remote=True) == 0
    assert flaws(parent_id=None) == 0


def test_a_clock_is_corrected_to_the_middle_of_the_call() -> None:
    """A server's span outside its call moves to the middle with all spans below; the problem has the offset."""
    inner = _call("payment", 220, 250, host="bank.example.com")
    spans = spans_of(
        [_server("checkout", 0, 100, _call("checkout", 10, 60, _server("payment", 210, 256, inner)))], unit=MS
    )
    trace = Trace(spans)
    assert _of(trace) == {
        "checkout: own code": 50,
        "bank.example.com": 30,
        "payment: own code": 16,
        "network to payment": 4,
    }
    assert [problem.reason for problem in trace.problems] == [
        "the clock of payment is 198.000 ms ahead of its caller's: corrected (clock-skew = keep leaves it)"
    ]
    assert breakdown_of(trace).flaws == 1
    assert _of(Trace(spans, View(skew=False))) == {"checkout: own code": 50, "network to payment": 50}


def test_a_server_that_outlasts_its_caller_does_not_begin_before_it() -> None:
    """The caller gave up waiting: of a longer server span, only a start before the call is corrected."""
    trace = tree(_server("a", 0, 100, _call("a", 10, 60, _server("b", 5, 95))), unit=MS)
    assert _of(trace) == {"a: own code": 50, "b: own code": 50}
    late = tree(_server("a", 0, 100, _call("a", 10, 60, _server("b", 20, 95))), unit=MS)
    assert (_of(late), late.problems) == ({"a: own code": 50, "b: own code": 40, "network to b": 10}, ())


def test_a_span_that_ends_before_it_starts_is_a_problem() -> None:
    """It counts as a span of no length."""
    trace = tree(_server("a", 0, 100, node("step", 60, 40, resource={"service.name": "a"})), unit=MS)
    assert _of(trace) == {"a: own code": 100}
    assert [problem.reason for problem in trace.problems] == [
        "span 0000000000000002 (step) ends 20.000 ms before it starts: it counts as one of no length"
    ]


def test_a_consumer_is_not_on_the_path_of_its_producer() -> None:
    """A CONSUMER below a PRODUCER is off the path, also within the time of its parent."""
    work = node("work", 12, 18, kind=CONSUMER, resource={"service.name": "worker"})
    sent = node(
        "send", 10, 20, work, kind=PRODUCER, resource={"service.name": "shop"}, attributes={"server.address": "queue"}
    )
    trace = tree(_server("shop", 0, 100, sent), unit=MS)
    assert _of(trace) == {"shop: own code": 90, "queue": 10}
    assert [row.name for row in trace.tree.detached] == ["work"]


def test_steps_of_a_connection_of_any_sdk_are_connecting() -> None:
    """The X-Ray SDK for Go nests `connect`, `dial` and `tls` in the call: they are not DynamoDB's time."""
    steps = node("connect", 10, 40, node("dial", 10, 20), node("tls", 20, 40))
    call = node(
        "DynamoDB.GetItem",
        10,
        60,
        steps,
        kind=CLIENT,
        attributes={"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "GetItem"},
    )
    handler = node("GET", 0, 100, call, kind=SERVER, attributes={"faas.trigger": "http"})
    assert _parts(handler) == {"own code": 50, "connect to DynamoDB GetItem": 30, "DynamoDB GetItem": 20}


def test_a_state_machine_waits_for_the_executions_that_it_starts() -> None:
    """The time of states is the state machine's, not a handler's; a state waits for its nested execution."""
    machine = {"aws.xray.origin": "AWS::StepFunctions::StateMachine"}
    nested = node(
        "Inner", 12, 70, node("Wait", 12, 70), kind=SERVER, attributes=machine, resource={"service.name": "Inner"}
    )
    start = node(
        "StepFunctions.StartExecution",
        10,
        15,
        nested,
        kind=CLIENT,
        attributes={"rpc.system": "aws-api", "rpc.service": "StepFunctions", "rpc.method": "StartExecution"},
    )
    outer = node(
        "Outer",
        0,
        100,
        node("Nested", 5, 80, start),
        kind=SERVER,
        attributes=machine,
        resource={"service.name": "Outer"},
    )
    assert _parts(outer) == {
        "Step Functions Inner": 58,
        "Step Functions Outer": 40,
        "StepFunctions StartExecution": 2,
    }


def test_a_part_holds_its_owner_if_it_differs_from_the_buckets() -> None:
    """`plain` removes an owner that equals the bucket's."""
    assert (Component("external", "x").owner, Component("external", "x", "ours").owner) == ("theirs", "ours")
    assert Component("external", "x", "theirs").plain() == Component("external", "x")


def test_random_requests_of_several_services_are_judged_right() -> None:
    """Each adds up, and no service with spans is external."""
    for seed in range(300):
        check(seed)


def test_work_of_a_caller_during_its_call_is_its_own_code() -> None:
    """Spans of the caller below the call are not network time; those of a connection are connecting."""
    connect = node("tcp.connect", 1, 4, resource={"service.name": "requester"})
    log = node("write a log", 60, 90, resource={"service.name": "requester"})
    root = _call("requester", 0, 100, connect, _server("server", 10, 50), log, host="")
    assert _parts(root) == {"server: own code": 40, "requester: own code": 30, "network to server": 27, "connect": 3}
