"""The handler's span."""

import logging
import traceback
from typing import Any

import pytest
from opentelemetry.trace import StatusCode, get_current_span

from lambda_latency.runtime.setup import Runtime
from lambda_latency.testing import SERVER, UNSET, remote, span
from tests.runtime.conftest import SEGMENT, TRACE, Function
from tests.runtime.lambdas import Context

EVENT = {
    "httpMethod": "POST",
    "resource": "/orders",
    "path": "/orders",
    "headers": {"Host": "api.example.com"},
    "requestContext": {"stage": "prod", "domainName": "api.example.com"},
    "body": "{}",
}
IDENTITY = {
    "faas.invocation_id": "5b7e2c60-0000-4000-8000-000000000001",
    "cloud.resource_id": "arn:aws:lambda:eu-west-1:123456789012:function:orders-create",
    "cloud.account.id": "123456789012",
}


def test_an_api_request_is_one_server_span_named_by_method_and_route(function: Function) -> None:
    """All that is on it, and nothing more."""
    assert function.invoke(lambda _event, _context: {"statusCode": 201}, EVENT) == {"statusCode": 201}
    assert function.trace == span("POST /orders", SERVER, status=UNSET)
    request = function.trace.one("POST /orders")
    assert dict(request.attributes) == {
        "faas.trigger": "http",
        "faas.coldstart": True,
        "http.request.method": "POST",
        "http.route": "/orders",
        "url.path": "/orders",
        "server.address": "api.example.com",
        "http.response.status_code": 201,
        "http.status_code": 201,
        **IDENTITY,
    }
    assert request.scope.name == "lambda_latency.runtime"


def test_the_span_is_a_child_of_lambdas_segment(function: Function) -> None:
    """Cold and warm."""
    for _ in range(2):
        function.invoke(lambda _event, _context: None)
    assert function.trace == [span("orders-create", SERVER, parent=remote(TRACE, SEGMENT))] * 2


def test_each_invocation_follows_its_own_header(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is read at each invocation, not once."""
    parents = [f"{number:016x}" for number in (1, 2, 3)]
    for parent in parents:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={parent};Sampled=1")
        function.invoke(lambda _event, _context: None)
    assert function.trace == [span("orders-create", SERVER, parent=remote(TRACE, parent)) for parent in parents]


def test_only_the_first_invocation_is_a_cold_start(function: Function) -> None:
    """Of a process, whether it is sampled or not."""
    for _ in range(3):
        function.invoke(lambda _event, _context: None)
    assert function.trace == [
        span("orders-create", SERVER, attributes={"faas.coldstart": cold}) for cold in (True, False, False)
    ]


def test_other_events_are_named_by_the_function(function: Function) -> None:
    """Kind SERVER all the same: X-Ray makes segments of no other."""
    for event in ({"Records": [{"eventSource": "aws:sqs"}]}, "text"):
        function.invoke(lambda _event, _context: {"statusCode": 500}, event)
    assert function.trees("faas.trigger", "http.status_code", "error.type") == [
        ("orders-create", "SERVER", "UNSET", {"faas.trigger": "pubsub"}, []),
        ("orders-create", "SERVER", "UNSET", {"faas.trigger": "other"}, []),
    ]


@pytest.mark.parametrize(
    ("result", "status", "code", "error"),
    [
        ({"statusCode": 500}, "ERROR", 500, "500"),
        ({"statusCode": "502"}, "ERROR", 502, "502"),  # API Gateway takes a text as well
        ({"statusCode": 404}, "UNSET", 404, None),
        ({"statusCode": "many"}, "UNSET", None, None),
        ("text", "UNSET", None, None),
        (None, "UNSET", None, None),
    ],
)
def test_a_returned_5xx_is_an_error(
    function: Function, result: object, status: str, code: int | None, error: str | None
) -> None:
    """The caller cannot tell it from a raised one; a 4xx is the caller's own."""
    expected = {"http.response.status_code": code, "http.status_code": code, "error.type": error}
    assert function.invoke(lambda _event, _context: result, EVENT) is result
    assert function.trees(*expected) == [
        ("POST /orders", "SERVER", status, {key: value for key, value in expected.items() if value is not None}, [])
    ]


class StockError(Exception):
    """A handler's own error."""


def fails(_event: object, _context: object) -> None:
    """A handler that raises."""
    raise StockError("on the way")


def test_an_exception_is_an_error_and_goes_on_unchanged(function: Function) -> None:
    """The span has its type, message and stack; the caller gets the same object."""
    with pytest.raises(StockError, match="on the way") as caught:
        function.invoke(fails, EVENT)
    frames = traceback.extract_tb(caught.value.__traceback__)
    own_frames = [frame for frame in frames if "/otel/lambda_latency/runtime/" in frame.filename]
    assert frames[-1].name == "fails"
    assert all(frame.filename.endswith("/bootstrap.py") for frame in own_frames)  # which the runtime client leaves out
    name = "tests.runtime.test_invocation.StockError"
    assert function.trace == span("POST /orders", SERVER, raised=StockError, attributes={"error.type": name})
    request = function.trace.one("POST /orders")
    assert request.status_message == "StockError: on the way"
    (event,) = request.events
    stack = str(event.attributes["exception.stacktrace"])
    assert 'raise StockError("on the way")' in stack
    assert "bootstrap.py" not in stack


@pytest.mark.parametrize("name", ["__str__", "__bool__", "__setattr__"])
def test_an_exception_that_raises_itself_is_an_error_all_the_same(
    function: Function, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """As its text is asked for, or whether it is true, or as an attribute is set."""

    def refuse(*_: object) -> None:
        raise LookupError("refused")

    error = type("Odd", (Exception,), {name: refuse})("odd")

    def handler(event: object, context: object) -> None:
        raise error

    with pytest.raises(Exception) as caught:  # noqa: PT011 - the very one
        function.invoke(handler)
    [recorded] = function.spans
    assert caught.value is error
    assert (recorded.status.status_code, (recorded.attributes or {})["error.type"]) == (
        StatusCode.ERROR,
        f"{error.__class__.__module__}.{error.__class__.__qualname__}",
    )
    [event] = recorded.events
    text = "<exception str() failed>" if name == "__str__" else "odd"
    stack = str((event.attributes or {})["exception.stacktrace"])
    assert (recorded.status.description, (event.attributes or {})["exception.message"]) == (f"Odd: {text}", text)
    assert stack.startswith("Traceback" if name != "__bool__" else "  File")
    assert "raise error" in stack
    assert stack.endswith(f"Odd: {text}\n")
    assert caplog.messages == []


def test_an_exit_is_an_error_too(function: Function) -> None:
    """`sys.exit` in a handler ends the environment; its span is out before."""
    with pytest.raises(SystemExit):
        function.invoke(lambda _event, _context: exit(3))
    exit_ = {"error.type": "SystemExit"}
    assert function.trace == span("orders-create", SERVER, raised=SystemExit, attributes=exit_)


@pytest.mark.parametrize("flag", [";Sampled=0", "", ";Sampled=?"])
def test_an_unsampled_invocation_records_nothing(
    function: Function, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    """The handler runs within the trace all the same, so that its calls carry the decision on."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT}{flag}")
    context = function.invoke(lambda _event, _context: get_current_span().get_span_context())
    assert (f"{context.trace_id:032x}", context.trace_flags.sampled) == (TRACE, False)
    assert function.spans == ()


def test_nothing_of_an_invocation_stays_current(function: Function) -> None:
    """The next one, and threads that the handler left running, do not find its span."""
    original = get_current_span()
    function.invoke(lambda _event, _context: None)
    assert get_current_span() is original


def test_a_handler_that_ends_its_span_gets_no_warning(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    """The current span is not the handler's own, but it may end it; nothing is lost."""
    function.invoke(lambda _event, _context: get_current_span().end())
    assert [recorded.name for recorded in function.spans] == ["orders-create"]
    assert caplog.messages == []


def test_a_request_goes_on_when_its_span_cannot_be_made(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours is one line in the log."""

    def broken(_event: object) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("lambda_latency.runtime.invocation.trigger", broken)
    with caplog.at_level(logging.WARNING):
        assert function.invoke(lambda _event, _context: "fine") == "fine"
    assert caplog.messages == ["lambda-latency: this request is not traced (ValueError: ours)"]
    assert function.spans == ()


def test_a_request_goes_on_when_the_sink_fails(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a sink raises."""

    def broken(_spans: object) -> None:
        raise KeyError("sink")

    monkeypatch.setattr("opentelemetry.sdk.trace.export.in_memory_span_exporter.InMemorySpanExporter.export", broken)
    assert function.invoke(lambda _event, _context: "fine") == "fine"
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("lambda-latency: delivering spans failed (")


def test_a_context_object_of_another_kind_is_no_reason_to_fail(function: Function) -> None:
    """Tests of handlers often pass None."""
    invocation = function.runtime.begin(None, None)
    invocation.answer(None)
    invocation.end()
    function.runtime.after_response()
    assert function.trees("faas.invocation_id", "cloud.account.id") == [("orders-create", "SERVER", "UNSET", {}, [])]


def test_the_resource_is_the_function(function: Function) -> None:
    """As the conventions for FaaS and cloud say."""
    function.invoke(lambda _event, _context: None)
    attributes = dict(function.trace.one("orders-create").resource)
    assert attributes.pop("telemetry.sdk.version")
    assert attributes == {
        "service.name": "orders-create",
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": "eu-west-1",
        "faas.name": "orders-create",
        "faas.version": "$LATEST",
        "faas.instance": "2024/11/25/[$LATEST]0123",
        "faas.max_memory": 512 * 1024 * 1024,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
    }


def test_the_standard_variables_complete_the_resource(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """They have the last word."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "orders")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=prod%2Deu,faas.version=7")
    function: Function = start()
    function.invoke(lambda _event, _context: None)
    attributes = function.trace.one("orders-create").resource
    assert [attributes[key] for key in ("service.name", "deployment.environment", "faas.version")] == [
        "orders",
        "prod-eu",
        "7",
    ]


def test_spans_beyond_the_buffer_are_dropped_and_counted(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The oldest go; one line says how many."""
    function: Function = start(LAMBDA_LATENCY_BUFFERED_SPANS="3")
    runtime: Runtime = function.runtime

    def handler(_event: object, _context: Context) -> None:
        for number in range(5):
            runtime.provider.get_tracer("test").start_span(str(number)).end()

    function.invoke(handler)
    assert sorted(recorded.name for recorded in function.trace.spans) == ["3", "4", "orders-create"]
    (message,) = caplog.messages
    assert message.startswith("lambda-latency: 3 spans were dropped in one invocation; LAMBDA_LATENCY_BUFFERED_SPANS")


QUEUE = {"Records": [{"eventSource": "aws:sqs", "messageId": name} for name in ("a", "b")]}


def failures(*names: object) -> dict[str, Any]:
    """The answer that names them."""
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(
    ("answer", "count", "error"),
    [
        (failures(), 0, None),
        (failures("a"), 1, None),
        (failures("a", "a"), 1, None),
        (failures("a", "b"), 2, "all 2 items of the batch failed"),
        (failures(""), 2, "all 2 items of the batch failed"),  # Lambda takes the whole batch as failed
        ({"batchItemFailures": [{}]}, 2, "all 2 items of the batch failed"),
        ({"batchItemFailures": None}, None, None),
        ({}, None, None),
    ],
)
def test_a_batch_of_which_all_items_failed_is_an_error(
    function: Function, answer: object, count: int | None, error: str | None
) -> None:
    """Lambda itself counts none; a part of a batch is a number on the span."""
    assert function.invoke(lambda _event, _context: answer, QUEUE) is answer
    span = function.trace.one("orders-create")
    assert span.attributes.get("lambda.batch.failures") == count
    assert (span.status_message, span.attributes.get("error.type")) == (
        error or "",
        error and "batchItemFailures",
    )


@pytest.mark.parametrize(
    ("event", "answer", "kind"),
    [
        ({"DurableExecutionArn": "arn"}, {"Status": "FAILED", "Error": {"ErrorType": "ValueError"}}, "ValueError"),
        ({"DurableExecutionArn": "arn"}, {"Status": "FAILED"}, "FAILED"),
        ({"DurableExecutionArn": "arn"}, {"Status": "SUCCEEDED"}, None),
        ({}, {"Status": "FAILED"}, None),
    ],
)
def test_a_durable_execution_that_failed_is_an_error(
    function: Function, event: object, answer: object, kind: str | None
) -> None:
    """It returns that it failed; what else returns such a word is no durable execution."""
    function.invoke(lambda _event, _context: answer, event)
    span = function.trace.one("orders-create")
    assert (span.status.name, span.attributes.get("error.type")) == ("ERROR" if kind else "UNSET", kind)


def test_an_answer_of_a_class_of_its_own_is_not_asked(function: Function) -> None:
    """Its methods may log, count or raise."""

    class Answer(dict[str, Any]):
        def get(self, *_: object) -> Any:
            raise LookupError("asked")

        __contains__ = __getitem__ = get

    answer = Answer(failures("a"))
    assert function.invoke(lambda _event, _context: answer, QUEUE) is answer
    assert function.trace.one("orders-create").attributes["lambda.batch.failures"] == 1
