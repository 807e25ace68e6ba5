"""The breakdown of one request: components that add up to its wall clock, and its calls."""

import pickle
import random

import pytest

from lambda_latency.latency import (
    AnalysisOptions,
    Breakdowns,
    Component,
    Edge,
    Owners,
    Tally,
    at_rank,
    largest_component,
)
from lambda_latency.latency import breakdown_of as plain_account
from lambda_latency.latency.breakdowns.breakdown import Calls
from lambda_latency.latency.map import call_map
from lambda_latency.trace import Event, SpanKind, Status, Trace
from tests.latency.generated import load
from tests.latency.system import THEIRS, attempts, breakdown_of, charge, flush, order, put_item, request
from tests.trace.build import MS, T0, Node, node, tree


def _parts(trace: Trace) -> dict[str, float]:
    """Milliseconds by label."""
    return {part.label: ns / MS for part, ns in breakdown_of(trace).components}


def _calls(*inside: Node) -> dict[str, Calls]:
    return {part.label: calls for part, calls in breakdown_of(tree(request(*inside, end=200), unit=MS)).calls}


def test_a_request_is_divided_among_everything_it_waited_for() -> None:
    """The provider's spans count for the external call; time after the response counts for nothing."""
    assert _parts(order(200)) == {
        "payments.example.com": 166,
        "DynamoDB PutItem orders": 12,
        "own code": 10,
        "API Gateway": 5,
        "Lambda overhead": 3.5,
        "Lambda service": 3.5,
    }


def test_a_cold_start_is_counted_once() -> None:
    """It includes the 2 ms between the start of the service and Initialization."""
    breakdown = breakdown_of(order(200, cold=300))
    assert dict(breakdown.components)[Component("cold start")] == 302 * MS
    assert dict(breakdown.calls)[Component("cold start")].calls == 1
    assert (breakdown.wall_ns, breakdown.cold_start) == (500 * MS, True)


def test_the_cold_start_of_a_called_function_is_one_part() -> None:
    """That of its service, from the start of the Lambda service to the end of Initialization, with the kit's init."""
    stock = {"service.name": "stock"}
    init = node("init", 700, 1100, scope="lambda_latency.runtime", resource=stock)
    handler = node("GET /stock", 1215, 1825, init, kind=SpanKind.SERVER, resource=stock, scope="lambda_latency.runtime")
    function = node(
        "stock",
        1200,
        1840,
        node("Initialization", 500, 1200, resource=stock),
        node("Invocation", 1210, 1830, handler, resource=stock),
        kind=SpanKind.SERVER,
        attributes={"aws.xray.origin": "AWS::Lambda::Function"},
        resource=stock,
    )
    service = node(
        "stock", 60, 1850, function, kind=SpanKind.SERVER, attributes={"aws.xray.origin": "AWS::Lambda"}, resource=stock
    )
    call = node("POST", 50, 1900, service, kind=SpanKind.CLIENT, attributes={"http.url": "https://stock.internal/"})
    orders = node("POST /orders", 0, 2000, call, kind=SpanKind.SERVER, resource={"service.name": "orders"})
    cells = [
        (cell, ns // MS)
        for cell, ns in breakdown_of(tree(orders, unit=MS)).edges
        if cell.component.category == "cold start"
    ]
    assert cells == [(Edge("stock", Component("cold start", "stock")), 1140)]


def test_the_account_names_its_request() -> None:
    """An account has the properties that tables group by, and can be pickled."""
    breakdown = breakdown_of(order(200, number=7, status_code=502))
    assert (breakdown.trace_id[-1], breakdown.route, breakdown.status_code) == ("7", "POST /orders", 502)
    assert (breakdown.start_ns, breakdown.error, breakdown.timed_out) == (T0, True, False)
    assert pickle.loads(pickle.dumps(breakdown)) == breakdown  # noqa: S301 - our own bytes


def test_calls_on_the_path_and_off_it_are_counted() -> None:
    """A call that ran in parallel to a longer one counts too."""
    assert _calls(put_item(20, 30), put_item(40, 50), put_item(41, 49), charge(60, 190, status_code=503)) == {
        "DynamoDB PutItem orders": Calls(3),
        "payments.example.com": Calls(1, errors=1),
    }


def test_a_throttle_is_not_an_error_and_not_every_400() -> None:
    """A throttle has a throttling code in its message or exception, or status 429."""
    throttled = "An error occurred (ProvisionedThroughputExceededException) when calling the PutItem operation: x"
    refused = "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: x"
    invalid = "An error occurred (ValidationException) when calling the PutItem operation: x"
    bad = {"http.status_code": 400}
    assert _calls(
        put_item(20, 30, more=bad, message=throttled),
        put_item(40, 50, more=bad, message=refused),
        put_item(60, 70, more=bad, message=invalid),
        charge(80, 190, status_code=429),
    ) == {
        "DynamoDB PutItem orders": Calls(3, errors=1, throttles=1),
        "payments.example.com": Calls(1, throttles=1),
    }


def test_the_error_code_is_read_from_an_exception_event_too() -> None:
    """botocore's instrumentation records the code in an exception event."""
    event = Event("exception", T0, {"exception.type": "botocore.errorfactory.ThrottlingException"})
    call = node("S3.GetObject", 20, 30, kind=SpanKind.CLIENT, attributes={"rpc.system": "aws-api"}, events=(event,))
    assert _calls(call) == {"S3 GetObject": Calls(1, throttles=1)}


def test_a_call_with_retries_is_charged_to_retries() -> None:
    """The part of retries names the resource, whose capacity is ours to change."""
    trace = tree(request(put_item(20, 120, more={"retry_attempts": 2}), end=200), unit=MS)
    assert _parts(trace)["retries DynamoDB orders"] == 100
    assert breakdown_of(trace).calls == ((Component("retries", "DynamoDB orders"), Calls(1, retries=2)),)


def test_retries_last_from_the_end_of_the_first_recorded_attempt_to_the_start_of_the_last() -> None:
    """The first and the last attempt count for the call; a connection of the second counts for connecting."""
    second = node(
        "tls", 52, 57, kind=SpanKind.INTERNAL, attributes={"server.address": "db"}, scope="lambda_latency.runtime"
    )
    call = put_item(20, 120, second, more={"retry_attempts": 2}, events=attempts((30, 20.5), (65, 25), (118, None)))
    trace = tree(request(call, end=200), unit=MS)
    parts = _parts(trace)
    assert (parts["retries DynamoDB orders"], parts["DynamoDB PutItem orders"]) == (55, 40)
    assert parts["connect to db"] == 5
    breakdown = breakdown_of(trace)
    assert dict(breakdown.calls) == {
        Component("aws", "DynamoDB PutItem orders"): Calls(1),
        Component("retries", "DynamoDB orders"): Calls(retries=2),
    }


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), -1.0, 1e300])
def test_an_invalid_wait_between_attempts_is_ignored(delay: float) -> None:
    """The whole call is attributed to retries, as without recorded attempts."""
    call = put_item(20, 120, more={"retry_attempts": 1}, events=attempts((30, delay), (118, None)))
    parts = _parts(tree(request(call, end=200), unit=MS))
    assert (parts["retries DynamoDB orders"], parts.get("DynamoDB PutItem orders")) == (100, None)


def test_a_call_that_is_killed_after_an_attempt_has_the_attempts_until_then() -> None:
    """The last attempt has begun: the time from its start is attributed to the call."""
    call = put_item(20, 190, more={"lambda.provisional": True}, events=attempts((30, 50), (100, 60)))
    parts = _parts(tree(request(call, end=200, timed_out=True, status_code=504), unit=MS))
    assert (parts["retries DynamoDB orders"], parts["DynamoDB PutItem orders"]) == (130, 40)


def test_the_call_that_ran_into_the_deadline_is_no_error() -> None:
    """The request timed out, not the call."""
    running = node(
        "POST",
        20,
        190,
        kind=SpanKind.CLIENT,
        attributes={"http.url": "https://pay.example/", "lambda.provisional": True},
        status=Status.ERROR,
    )
    breakdown = breakdown_of(tree(request(running, end=200, timed_out=True, status_code=504), unit=MS))
    assert (breakdown.timed_out, dict(breakdown.calls)) == (True, {Component("external", "pay.example"): Calls(1)})


def test_the_http_client_below_the_sdk_is_no_second_call() -> None:
    """Two instrumentations record one call; the outer span counts."""
    inner = node("POST", 22, 29, kind=SpanKind.CLIENT, attributes={"http.url": "https://dynamodb.amazonaws.com/"})
    call = node("DynamoDB.Query", 20, 30, inner, kind=SpanKind.CLIENT, attributes={"rpc.system": "aws-api"})
    trace = tree(request(call, end=200), unit=MS)
    assert _parts(trace)["DynamoDB Query"] == 10
    assert dict(breakdown_of(trace).calls) == {Component("aws", "DynamoDB Query"): Calls(1)}


def test_connecting_is_separated_from_the_call() -> None:
    """A connection span without a host takes the host of the call above."""
    connecting = (
        node("DNS pay.example", 20, 25, scope="lambda_latency.runtime", attributes={"server.address": "pay.example"}),
        node("TLS 1.3", 25, 60, scope="lambda_latency.runtime"),
    )
    call = node("POST", 20, 100, *connecting, kind=SpanKind.CLIENT, attributes={"http.url": "https://pay.example/"})
    parts = _parts(tree(request(call, end=200), unit=MS))
    assert (parts["connect to pay.example"], parts["pay.example"]) == (40, 40)


def test_internal_spans_belong_to_the_span_above() -> None:
    """The user's spans below the handler are own code, imports below the init are cold start."""
    init = node("init", 0, 100, node("import boto3", 10, 80), scope="lambda_latency.runtime")
    handler = node(
        "h", 100, 200, init, node("validate", 110, 150), kind=SpanKind.SERVER, scope="lambda_latency.runtime"
    )
    assert _parts(tree(handler, unit=MS)) == {"cold start": 100, "own code": 100}


def test_a_function_whose_spans_were_lost_is_not_charged_to_own_code() -> None:
    """A function killed at its deadline may have waited for anything."""
    trace = tree(request(end=3000, timed_out=True), unit=MS)
    lost = Trace(span for span in trace.spans if span.name != "POST /orders")
    assert largest_component(lost) == ("unknown", round(2990 * MS))


def test_without_a_handlers_span_the_self_time_of_the_invocation_is_own_code() -> None:
    """The X-Ray SDK records the user's spans directly below the Invocation."""
    function = node(
        "f",
        0,
        100,
        node("Invocation", 1, 99, node("validate", 10, 20), put_item(30, 60)),
        kind=SpanKind.SERVER,
        attributes={"aws.xray.origin": "AWS::Lambda::Function"},
    )
    assert _parts(tree(function, unit=MS)) == {"own code": 68, "DynamoDB PutItem orders": 30, "Lambda overhead": 2}


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_of_random_requests_add_up_to_the_wall_clock(seed: int) -> None:
    """They add up to the nanosecond, with any overlaps."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable seed
    inside: list[Node] = []
    for _ in range(rng.randint(0, 12)):
        start = rng.uniform(-20, 220)
        end = start + rng.expovariate(0.03)
        inside.append(rng.choice([put_item(start, end), charge(start, end), flush(start, end)]))
    breakdown = breakdown_of(tree(request(*inside, end=200, cold=rng.choice([0, 100])), unit=MS))
    assert sum(ns for _, ns in breakdown.components) == breakdown.wall_ns == 200 * MS


def test_a_row_may_be_moved_twice() -> None:
    """An execution moves because it outlives the call that started it, and again into the Invocation."""
    execution = node("Execution", 1, 30, attributes={"aws.xray.origin": "AWS::StepFunctions::StateMachine"})
    function = node(
        "Create",
        0,
        40,
        node("Invocation", 0, 40),
        node("StartExecution", 0, 10, execution),
        attributes={"aws.xray.origin": "AWS::Lambda::Function"},
    )
    assert breakdown_of(tree(function, unit=MS)).components == (
        (Component("step functions"), 29 * MS),
        (Component("own code"), 11 * MS),
    )


def test_an_asynchronous_init_is_left_out() -> None:
    """An init that follows from its parent does not change the wall clock."""
    init = node("init", 0, 4, scope="lambda_latency.runtime", attributes={"ref.type": "FOLLOWS_FROM"})
    function = node("Create", 0, 40, node("step", 3, 4, init), attributes={"aws.xray.origin": "AWS::Lambda::Function"})
    breakdown = breakdown_of(tree(function, unit=MS))
    assert (breakdown.wall_ns, breakdown.components) == (40 * MS, ((Component("own code"), 40 * MS),))


def test_the_largest_part_has_its_label() -> None:
    """`serve` prints it beside each request."""
    assert largest_component(order(200), THEIRS) == ("payments.example.com", 166 * MS)
    assert largest_component(tree(node("nothing", 5, 5))) == ("unknown", 0)


SHOP = Component("database", "mysql shop")


def _server(service: str, start: float, end: float, *below: Node) -> Node:
    return node(f"{service}.Do", start, end, *below, kind=SpanKind.SERVER, resource={"service.name": service})


def _call(service: str, start: float, end: float, *below: Node, **attributes: str) -> Node:
    named = {key.replace("_", "."): value for key, value in attributes.items()}
    return node("call", start, end, *below, kind=SpanKind.CLIENT, resource={"service.name": service}, attributes=named)


def _shop() -> Trace:
    """Checkout and payment query the same database."""
    pay = _server("payment", 12, 58, _call("payment", 20, 50, db_system="mysql", db_name="shop"))
    called = _call("checkout", 10, 60, pay, server_address="payment")
    return tree(
        _server("checkout", 0, 100, called, _call("checkout", 70, 80, db_system="mysql", db_name="shop")), unit=MS
    )


def test_two_callers_of_one_part_are_two_cells() -> None:
    """Their sum is the part's."""
    breakdown = plain_account(_shop())
    assert {cell.label: ns // MS for cell, ns in breakdown.edges} == {
        "mysql shop (called by payment)": 30,
        "mysql shop (called by checkout)": 10,
        "payment: own code": 16,
        "network to payment (called by checkout)": 4,
        "checkout: own code": 40,
    }
    assert dict(breakdown.components)[SHOP] == 40 * MS
    assert dict(breakdown.calls)[SHOP].calls == 2
    accounts = Breakdowns([breakdown, breakdown])
    assert list(accounts) == [breakdown, breakdown]
    assert accounts.sums_ns([0])[SHOP] == 40 * MS
    assert list(Tally.from_breakdowns(accounts).components[SHOP].each_ns) == [40 * MS, 40 * MS]


def test_time_inside_a_foreign_service_is_the_callers_edge() -> None:
    """Whatever the foreign service calls in turn."""
    breakdown = plain_account(_shop(), AnalysisOptions(owners=Owners(theirs=("payment",))))
    assert {cell.label: ns // MS for cell, ns in breakdown.edges} == {
        "payment (called by checkout)": 50,
        "mysql shop (called by checkout)": 10,
        "checkout: own code": 40,
    }


def test_an_edge_belongs_to_its_callee_and_own_time_to_its_caller() -> None:
    """A cell without a caller is labelled as its part."""
    edge, own_code = (
        Edge("checkout", Component("network", "payment")),
        Edge("checkout", Component("own code", "checkout")),
    )
    assert (edge.is_own, edge.service, own_code.is_own, own_code.service) == (False, "payment", True, "checkout")
    assert Edge("", SHOP).label == "mysql shop"


def test_entries_of_cells_and_calls_name_their_requests() -> None:
    """In the order of the requests."""
    cart = tree(_server("cart", 0, 5), unit=MS)
    accounts = Breakdowns([plain_account(trace) for trace in (_shop(), cart, _shop())])
    cells = {number for cell, number in accounts.edges.items() if cell.component == SHOP}
    assert sorted((n, ns // MS) for n, ns in accounts.entries_of_edges(cells)) == [(0, 10), (0, 30), (2, 10), (2, 30)]
    queries = {number for (cell, _), number in accounts.calls.items() if cell.component == SHOP}
    assert [n for n, _ in accounts.entries_of_calls(queries)] == [0, 0, 2, 2]
    assert {number for _, number in accounts.entries_of_calls(queries)} == queries


@pytest.mark.parametrize("at_once", [1, 7, 50_000])
def test_an_edge_has_the_percentiles_of_all_its_calls(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many durations are sorted together."""
    monkeypatch.setattr("lambda_latency.latency.map.AT_ONCE", at_once)
    accounts = [breakdown_of(trace) for trace in load()]
    drawn = call_map(Breakdowns(accounts))
    edge = drawn.edges[drawn.nodes["function", "CreateOrder"], drawn.nodes["external", "payments.example.com"]]
    took = sorted(
        ns
        for a in accounts
        for cell, times in a.durations_ns
        if cell.component.name == "payments.example.com"
        for ns in times
    )
    assert (edge.p50_ns, edge.p95_ns, edge.total_ns) == (at_rank(took, 50), at_rank(took, 95), sum(took))
    assert len(took) > 7
