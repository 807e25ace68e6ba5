"""A handler under the real runtime: who it is told to be, cold and warm, and what is seen of it."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, get_tracer

from lambda_latency.runtime.trigger import trigger
from lambda_latency.testing import (
    CLIENT,
    ERROR,
    SERVER,
    Clock,
    Invoke,
    Recording,
    api_event,
    concurrent,
    dynamodb_event,
    eventbridge_event,
    ms,
    remote,
    span,
    sqs_event,
)
from lambda_latency.testing.invoking import Delivered
from tests.sandbox.state import until

TRACER = get_tracer("tests.testing")
CLOCK: list[Clock] = []
TRACE, SEGMENT = "69559d800123456789abcdef01234567", "0123456789abcdef"
HEADER = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1"

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 7
    Environment: { Variables: { STAGE: dev, TABLE: !Ref Orders, BOTH: everyone } }
Resources:
  Orders: { Type: AWS::DynamoDB::Table }
  Place:
    Type: AWS::Serverless::Function
    Properties:
      Handler: placing.place
      MemorySize: 256
      Environment: { Variables: { BOTH: own } }
  Elsewhere:
    Type: AWS::Serverless::Function
    Properties: { Handler: !Ref Name }
"""
PLACING = """\
import os

def place(event, context):
    names = ("AWS_LAMBDA_FUNCTION_NAME", "STAGE", "TABLE", "BOTH", "_X_AMZN_TRACE_ID")
    return [{name: os.environ.get(name) for name in names}, context.get_remaining_time_in_millis() // 1000,
            context.memory_limit_in_mb, context.function_name, context.invoked_function_arn]
"""


@pytest.fixture
def project(tmp_path: Path, trace: Recording) -> Invoke:
    """`invoke` in a project with a template."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "placing.py").write_text(PLACING)
    return Invoke(trace, tmp_path)


def nothing(_event: object, _context: object) -> None:
    """A handler."""


def test_a_function_of_the_template_finds_what_stands_there(
    project: Invoke, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own over everyone's; what a test has set itself stays; of what only a deployment knows, nothing."""
    monkeypatch.setenv("STAGE", "test")
    environment = dict(os.environ)
    variables, seconds, memory, name, arn = project("Place", header=HEADER)
    assert variables == {
        "AWS_LAMBDA_FUNCTION_NAME": "Place",
        "STAGE": "test",
        "TABLE": None,
        "BOTH": "own",
        "_X_AMZN_TRACE_ID": HEADER,
    }
    assert (seconds, memory, name) == (7, "256", "Place")
    assert arn.endswith(":function:Place")
    assert dict(os.environ) == environment
    project.stop()


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("Placed", "has no function 'Placed'; did you mean 'Place'?"),
        ("Elsewhere", "the Handler of Elsewhere is not plain text; give its import path"),
        ("placing.plac", "placing has no 'plac'; did you mean 'place'?"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(project: Invoke, handler: str, message: str) -> None:
    """Near names, and what to do."""
    with pytest.raises(LookupError) as error:
        project(handler)
    assert message in str(error.value)
    project.stop()


def test_without_a_template_a_name_is_told_what_else_to_give(trace: Recording, tmp_path: Path) -> None:
    """The import path."""
    with pytest.raises(LookupError, match=r"has no template.yaml or template.yml; give the handler's import path"):
        Invoke(trace, tmp_path)("Place")


def test_the_first_invocation_is_cold_and_the_next_is_warm(invoke: Invoke, trace: Recording) -> None:
    """Unless it is said otherwise; each function has an environment of its own."""

    def other(_event: object, _context: object) -> None:
        """Another function."""

    def cold(handler: Callable[[Any, Any], Any], **how: Any) -> object:
        invoke(handler, **how)
        return trace().one(handler.__name__).attributes["faas.coldstart"]

    assert [cold(nothing), cold(nothing), cold(other), cold(nothing)] == [True, False, True, False]
    assert [cold(nothing, cold=True), cold(nothing), cold(other, cold=False)] == [True, False, False]


def test_a_first_invocation_may_be_warm(invoke: Invoke, trace: Recording) -> None:
    """What made it warm is not seen."""
    invoke(nothing, cold=False)
    assert trace() == span("nothing", SERVER, attributes={"faas.coldstart": False})


def test_the_parent_is_lambdas_segment(invoke: Invoke, trace: Recording) -> None:
    """As the header names it; one of new ids, unless given."""
    invoke(nothing, header=HEADER)
    assert trace() == span("nothing", SERVER, parent=remote(TRACE, SEGMENT))
    invoke(nothing)
    assert trace() == span("nothing", SERVER, parent=remote())
    assert trace().one("nothing").trace_id != TRACE


def test_an_unsampled_invocation_records_nothing(invoke: Invoke, trace: Recording) -> None:
    """Nor is anything of it held to be lost."""

    def handler(_event: object, _context: object) -> None:
        TRACER.start_span("call").end()

    invoke(handler, header=HEADER.replace("Sampled=1", "Sampled=0"))
    assert trace() == []


def test_what_a_handler_raises_is_raised_and_recorded(invoke: Invoke, trace: Recording) -> None:
    """The trace is there all the same."""

    def handler(_event: object, _context: object) -> None:
        raise KeyError("sku")

    with pytest.raises(KeyError, match="sku"):
        invoke(handler)
    assert trace() == span("handler", SERVER, status=ERROR, raised=KeyError)


def test_an_event_is_json(invoke: Invoke) -> None:
    """The handler has a copy, and what is no JSON cannot be sent."""
    event = {"items": [1]}

    def handler(payload: Any, _context: object) -> Any:
        payload["items"].append(2)
        return payload

    assert (invoke(handler, event), event) == ({"items": [1, 2]}, {"items": [1]})
    with pytest.raises(TypeError):
        invoke(handler, {"at": object()})


def test_time_passes_as_the_test_says(invoke: Invoke, trace: Recording, clock: Clock) -> None:
    """For spans, for their events, and for the deadline."""

    def handler(_event: object, context: Any) -> int:
        with TRACER.start_as_current_span("call", kind=SpanKind.CLIENT):
            clock.advance(ms=16.5)
        clock.advance(ms=0.5)
        return int(context.get_remaining_time_in_millis())

    assert invoke(handler, timeout_s=2) == 1983
    assert trace() == span("handler", SERVER, took=ms(17))[span("call", CLIENT, took=ms(16.5))]


def test_the_start_gives_the_order_and_not_the_clock(trace: Recording, clock: Clock) -> None:
    """Which stands still here: what ran one after the other is not concurrent, and what overlapped is."""
    with TRACER.start_as_current_span("work"):
        TRACER.start_span("b").end()
        TRACER.start_span("a").end()
        outer, inner = TRACER.start_span("d"), TRACER.start_span("c")
        outer.end()
        inner.end()
    assert trace() == span("work")[span("b"), span("a"), concurrent(span("c"), span("d"))]
    assert trace() != span("work")[span("a"), span("b"), span("d"), span("c")]
    assert trace() != span("work")[concurrent(span("a"), span("b")), ...]


def test_what_leaves_before_a_deadline_is_no_duplicate(
    invoke: Invoke, trace: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open spans are delivered as provisional ones shortly before it, and their final ones replace them."""
    names: list[str] = []
    export = Delivered.export

    def exported(self: Delivered, spans: Sequence[ReadableSpan], /) -> None:
        names.extend(s.name for s in spans if (s.attributes or {}).get("lambda.provisional"))
        export(self, spans)

    monkeypatch.setattr(Delivered, "export", exported)

    def handler(_event: object, _context: object) -> bool:
        with TRACER.start_as_current_span("call"):
            return until(lambda: {"handler", "call"} <= set(names))

    assert invoke(handler, timeout_s=3)
    assert trace() == span("handler", SERVER)[span("call")]


TIMED_OUT = {"lambda.timeout": True, "lambda.timeout.limit_ms": 1000}


def test_a_handler_that_runs_over_its_timeout_fails_the_test(invoke: Invoke, trace: Recording) -> None:
    """The spans are those that leave Lambda: open ones with the marks of the timeout, and none that began after it."""

    def handler(_event: object, _context: object) -> str:
        TRACER.start_span("before").end()
        with TRACER.start_as_current_span("call"):
            time.sleep(0.7)
        TRACER.start_span("after").end()
        return "too late"

    with pytest.raises(TimeoutError, match=r"^handler took 0\.\d s, its timeout is 0\.5 s$"):
        invoke(handler, timeout_s=0.5)
    server = trace().one("handler")
    assert (
        trace()
        == span("handler", SERVER, status=ERROR, attributes=TIMED_OUT)[span("before"), span("call", status=ERROR)]
    )
    assert (server.status_message, server.provisional) == ("still open at the function's timeout", True)
    assert "time.sleep(0.7)" in str(trace().one("call").attributes["code.stacktrace"])


def test_a_timeout_by_the_stopped_clock_is_one_too(invoke: Invoke, trace: Recording, clock: Clock) -> None:
    """Also of a handler that raises."""

    def handler(_event: object, _context: object) -> None:
        clock.advance(ms=3000)
        raise KeyError("sku")

    with pytest.raises(TimeoutError, match=r"^handler took 3\.0 s, its timeout is 0\.5 s$"):
        invoke(handler, timeout_s=0.5)
    assert trace() == span("handler", SERVER, status=ERROR, attributes=TIMED_OUT, took=ms(500))


def test_the_timeout_is_the_templates(project: Invoke, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a handler that is not in the template, none is known."""
    monkeypatch.setattr("tests.testing.test_invoke.CLOCK", [clock])
    (project._folder / "template.yaml").write_text(TEMPLATE.replace("placing.place", "late_placing.place"))
    (project._folder / "late_placing.py").write_text(
        "from tests.testing.test_invoke import CLOCK\n\ndef place(event, context):\n    CLOCK[0].advance(ms=8000)\n"
    )
    with pytest.raises(TimeoutError, match=r"^Place took 8\.0 s, its timeout is 7 s$"):
        project("Place")
    project("late_placing.place")
    project.stop()
    del sys.modules["late_placing"]


def test_a_request_has_all_that_a_rest_api_sends() -> None:
    """Query, path parameters, body and their several forms."""
    event = api_event("PUT", "/orders/a%20b?x=1&x=2&y=", {"sku": "tea"}, resource="/orders/{id}", headers={"A": "b"})
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/orders/{id}", "/orders/a%20b", "PUT")
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert json.loads(event["body"]) == {"sku": "tea"}
    assert (event["headers"]["A"], event["headers"]["Content-Type"]) == ("b", "application/json")
    assert event["multiValueHeaders"]["A"] == ["b"]
    assert event["requestContext"]["path"] == "/prod/orders/a%20b"
    assert trigger(event)[1] == "PUT /orders/{id}"


def test_what_is_not_there_is_null() -> None:
    """As API Gateway has it, and not an empty mapping."""
    event = api_event("GET", "/orders")
    none = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert [event[name] for name in none] == [None] * 5


def test_the_rest_of_a_path_is_one_parameter() -> None:
    """Of a resource that ends with it."""
    assert api_event("GET", "/files/a/b/c", resource="/files/{path+}")["pathParameters"] == {"path": "a/b/c"}


@pytest.mark.parametrize("path", ["/orders", "/orders/1/2", "/order/1"])
def test_a_resource_that_the_path_does_not_fit_is_refused(path: str) -> None:
    """Both are named."""
    with pytest.raises(ValueError, match=f"the path {path} does not fit the resource /orders/{{id}}"):
        api_event("GET", path, resource="/orders/{id}")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: sqs_event({"sku": "tea"}, "text", queue="orders"), "pubsub"),
        (lambda: eventbridge_event("OrderPlaced", {"sku": "tea"}), "pubsub"),
        (lambda: dynamodb_event((None, {"id": "7"})), "datasource"),
    ],
)
def test_the_runtime_knows_the_trigger(make: Callable[[], dict[str, Any]], kind: str) -> None:
    """And all of it is JSON."""
    assert trigger(json.loads(json.dumps(make())))[0] == kind


def test_a_message_carries_its_senders_header() -> None:
    """Where X-Ray has it."""
    header = "Root=1-69559d80-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"
    by_json, by_text = sqs_event({"sku": "tea"}, "text", queue="orders", tracing_header=header)["Records"]
    assert (json.loads(by_json["body"]), by_text["body"]) == ({"sku": "tea"}, "text")
    assert by_json["attributes"]["AWSTraceHeader"] == header
    assert by_json["eventSourceARN"].endswith(":orders")


def test_a_change_has_the_item_before_and_after() -> None:
    """Typed as DynamoDB has it; which change it was follows from them."""
    old, new = {"id": "7", "n": 1}, {"id": "7", "n": 2.5, "ok": True, "none": None, "list": ["a", {"b": 1}]}
    records = dynamodb_event((None, old), (old, new), (new, None), table="orders")["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert records[1]["dynamodb"]["Keys"] == {"id": {"S": "7"}}
    assert records[1]["dynamodb"]["OldImage"] == {"id": {"S": "7"}, "n": {"N": "1"}}
    assert records[1]["dynamodb"]["NewImage"] == {
        "id": {"S": "7"},
        "n": {"N": "2.5"},
        "ok": {"BOOL": True},
        "none": {"NULL": True},
        "list": {"L": [{"S": "a"}, {"M": {"b": {"N": "1"}}}]},
    }
    with pytest.raises(ValueError, match="got neither"):
        dynamodb_event((None, None))
