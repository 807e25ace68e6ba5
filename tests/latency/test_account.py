"""The account of one request: parts that add up to its wall clock, and the calls it made."""

from __future__ import annotations

import pickle
import random

import pytest

from lambda_latency.latency import Part, largest_part
from lambda_latency.latency.calls import Calls
from lambda_latency.trace import Event, SpanKind, Status, Trace
from tests.latency.system import THEIRS, account, attempts, charge, flush, order, put_item, request
from tests.trace.build import MS, T0, Node, node, tree


def _parts(trace: Trace) -> dict[str, float]:
    """Milliseconds by label."""
    return {part.label: ns / MS for part, ns in account(trace).parts}


def _calls(*inside: Node) -> dict[str, Calls]:
    return {part.label: calls for part, calls in account(tree(request(*inside, end=200), unit=MS)).calls}


def test_a_request_is_divided_among_everything_it_waited_for() -> None:
    """The provider's own span is still the external call; Overhead and the flush after the answer are nobody's."""
    assert _parts(order(200)) == {
        "payments.example.com": 166,
        "DynamoDB PutItem orders": 12,
        "own code": 10,
        "API Gateway": 5,
        "Lambda overhead": 3.5,
        "Lambda service": 3.5,
    }


def test_a_cold_start_is_counted_once_where_it_lies() -> None:
    """Between the service's start and the function's, with the 2 ms in which the environment was made."""
    one = account(order(200, cold=300))
    assert dict(one.parts)[Part("cold start")] == 302 * MS
    assert dict(one.calls)[Part("cold start")].calls == 1
    assert (one.wall_ns, one.cold_start) == (500 * MS, True)


def test_the_account_names_its_request() -> None:
    """Whatever the later tables group by."""
    one = account(order(200, number=7, status_code=502))
    assert (one.trace_id[-1], one.route, one.status_code, one.start_ns, one.error, one.timed_out) == (
        "7",
        "POST /orders",
        502,
        T0,
        True,
        False,
    )
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own bytes


def test_calls_are_counted_on_the_path_and_off_it() -> None:
    """One that ran beside a longer one is a call as well."""
    assert _calls(put_item(20, 30), put_item(40, 50), put_item(41, 49), charge(60, 190, status_code=503)) == {
        "DynamoDB PutItem orders": Calls(3),
        "payments.example.com": Calls(1, errors=1),
    }


def test_a_throttle_is_not_an_error_and_not_every_400() -> None:
    """The code tells, from the message or the exception; or status 429."""
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


def test_an_exception_event_tells_the_code_too() -> None:
    """As botocore's instrumentation records it."""
    event = Event("exception", T0, {"exception.type": "botocore.errorfactory.ThrottlingException"})
    call = node("S3.GetObject", 20, 30, kind=SpanKind.CLIENT, attributes={"rpc.system": "aws-api"}, events=(event,))
    assert _calls(call) == {"S3 GetObject": Calls(1, throttles=1)}


def test_a_call_with_retries_is_charged_to_them() -> None:
    """They name the resource: its capacity is ours to change."""
    trace = tree(request(put_item(20, 120, more={"retry_attempts": 2}), end=200), unit=MS)
    assert _parts(trace)["retries DynamoDB orders"] == 100
    assert account(trace).calls == ((Part("retries", "DynamoDB orders"), Calls(1, retries=2)),)


def test_of_attempts_that_are_told_apart_what_lies_between_the_first_and_the_last_is_retries() -> None:
    """The first and the last would have been there anyway; a connection of the second is a connection all the same."""
    second = node(
        "tls", 52, 57, kind=SpanKind.INTERNAL, attributes={"server.address": "db"}, scope="lambda_latency.runtime"
    )
    call = put_item(20, 120, second, more={"retry_attempts": 2}, events=attempts((30, 20.5), (65, 25), (118, None)))
    trace = tree(request(call, end=200), unit=MS)
    parts = _parts(trace)
    assert (parts["retries DynamoDB orders"], parts["DynamoDB PutItem orders"]) == (55, 40)
    assert parts["connect to db"] == 5
    one = account(trace)
    assert dict(one.calls) == {
        Part("aws", "DynamoDB PutItem orders"): Calls(1),
        Part("retries", "DynamoDB orders"): Calls(retries=2),
    }


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_wait_that_is_none_is_not_believed(delay: float) -> None:
    """Whatever a file says: all of the call is retries, as where nothing is told."""
    call = put_item(20, 120, more={"retry_attempts": 1}, events=attempts((30, delay), (118, None)))
    parts = _parts(tree(request(call, end=200), unit=MS))
    assert (parts["retries DynamoDB orders"], parts.get("DynamoDB PutItem orders")) == (100, None)


def test_a_call_that_is_killed_between_two_attempts_tells_those_that_it_had() -> None:
    """Its last attempt has begun: from there on it is the call's own time."""
    call = put_item(20, 190, more={"lambda.provisional": True}, events=attempts((30, 50), (100, 60)))
    parts = _parts(tree(request(call, end=200, timed_out=True, status_code=504), unit=MS))
    assert (parts["retries DynamoDB orders"], parts["DynamoDB PutItem orders"]) == (130, 40)


def test_the_call_that_ran_into_the_deadline_is_no_error() -> None:
    """The timeout is the request's."""
    running = node(
        "POST",
        20,
        190,
        kind=SpanKind.CLIENT,
        attributes={"http.url": "https://pay.example/", "lambda.provisional": True},
        status=Status.ERROR,
    )
    one = account(tree(request(running, end=200, timed_out=True, status_code=504), unit=MS))
    assert (one.timed_out, dict(one.calls)) == (True, {Part("external", "pay.example"): Calls(1)})


def test_the_http_client_under_the_sdk_makes_no_second_call() -> None:
    """Two instrumentations, one call: the outer one's."""
    inner = node("POST", 22, 29, kind=SpanKind.CLIENT, attributes={"http.url": "https://dynamodb.amazonaws.com/"})
    call = node("DynamoDB.Query", 20, 30, inner, kind=SpanKind.CLIENT, attributes={"rpc.system": "aws-api"})
    trace = tree(request(call, end=200), unit=MS)
    assert _parts(trace)["DynamoDB Query"] == 10
    assert dict(account(trace).calls) == {Part("aws", "DynamoDB Query"): Calls(1)}


def test_connecting_is_told_apart_from_the_call() -> None:
    """A span without a host of its own connects to whom its parent calls."""
    connecting = (
        node("DNS pay.example", 20, 25, scope="lambda_latency.runtime", attributes={"server.address": "pay.example"}),
        node("TLS 1.3", 25, 60, scope="lambda_latency.runtime"),
    )
    call = node("POST", 20, 100, *connecting, kind=SpanKind.CLIENT, attributes={"http.url": "https://pay.example/"})
    parts = _parts(tree(request(call, end=200), unit=MS))
    assert (parts["connect to pay.example"], parts["pay.example"]) == (40, 40)


def test_steps_inside_belong_to_what_they_are_inside_of() -> None:
    """The user's below the handler are own code, imports below the init are cold start."""
    init = node("init", 0, 100, node("import boto3", 10, 80), scope="lambda_latency.runtime")
    handler = node(
        "h", 100, 200, init, node("validate", 110, 150), kind=SpanKind.SERVER, scope="lambda_latency.runtime"
    )
    assert _parts(tree(handler, unit=MS)) == {"cold start": 100, "own code": 100}


def test_a_function_whose_spans_were_lost_is_not_called_own_code() -> None:
    """Killed at its deadline it may have waited for anything."""
    trace = tree(request(end=3000, timed_out=True), unit=MS)
    lost = Trace(span for span in trace.spans if span.name != "POST /orders")
    assert largest_part(lost) == ("unknown", round(2990 * MS))


def test_spans_below_invocation_without_a_handlers_span_are_the_users() -> None:
    """As the X-Ray SDK records them: Invocation's own time is own code."""
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
    """To the nanosecond, whatever overlaps what."""
    rng = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    inside: list[Node] = []
    for _ in range(rng.randint(0, 12)):
        start = rng.uniform(-20, 220)
        end = start + rng.expovariate(0.03)
        inside.append(rng.choice([put_item(start, end), charge(start, end), flush(start, end)]))
    one = account(tree(request(*inside, end=200, cold=rng.choice([0, 100])), unit=MS))
    assert sum(ns for _, ns in one.parts) == one.wall_ns == 200 * MS


def test_a_row_may_be_moved_twice() -> None:
    """An execution outlives the call that started it, and ran in an Invocation."""
    execution = node("Execution", 1, 30, attributes={"aws.xray.origin": "AWS::StepFunctions::StateMachine"})
    function = node(
        "Create",
        0,
        40,
        node("Invocation", 0, 40),
        node("StartExecution", 0, 10, execution),
        attributes={"aws.xray.origin": "AWS::Lambda::Function"},
    )
    assert account(tree(function, unit=MS)).parts == (
        (Part("step functions"), 29 * MS),
        (Part("own code"), 11 * MS),
    )


def test_an_init_that_nobody_waits_for_is_left_aside() -> None:
    """It follows from what started it, and the request is as long as it was without."""
    init = node("init", 0, 4, scope="lambda_latency.runtime", attributes={"ref.type": "FOLLOWS_FROM"})
    function = node("Create", 0, 40, node("step", 3, 4, init), attributes={"aws.xray.origin": "AWS::Lambda::Function"})
    found = account(tree(function, unit=MS))
    assert (found.wall_ns, found.parts) == (40 * MS, ((Part("own code"), 40 * MS),))


def test_the_largest_part_is_named_as_people_call_it() -> None:
    """What `serve` prints beside each request."""
    assert largest_part(order(200), THEIRS) == ("payments.example.com", 166 * MS)
    assert largest_part(tree(node("nothing", 5, 5))) == ("unknown", 0)
