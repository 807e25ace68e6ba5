"""What AWS calls carry: our span as the parent, and Lambda's Lineage."""

import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.session import Session
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor

from tests.runtime.conftest import SEGMENT, TRACE, Function
from tests.runtime.stubs import Answer, Server, aws_error

ROOT = f"1-{TRACE[:8]}-{TRACE[8:]}"


def client(server: Server, service: Any = "dynamodb") -> Any:
    """A client of the stub, which tries three times."""
    return boto3.client(service, endpoint_url=server.url, config=Config(retries={"mode": "standard"}))


def put(server: Server) -> Callable[[object, object], object]:
    """A handler that writes an item."""
    return lambda _event, _context: client(server).put_item(TableName="orders", Item={"id": {"S": "1"}})


def test_the_calls_span_is_the_parent_and_lineage_stays(function: Function, server: Server) -> None:
    """In each attempt, once."""
    server.plan = [aws_error("ThrottlingException")]
    function.invoke(put(server))
    call = function.trace.one("DynamoDB.PutItem")
    expected = f"Root={ROOT};Parent={call.span_id};Sampled=1;Lineage=1:abcdef12:0"
    assert [request.headers["x-amzn-trace-id"] for request in server.requests] == [expected, expected]


@pytest.mark.parametrize(
    ("service", "operation", "params", "answer", "name"),
    [
        ("sqs", "send_message", {"QueueUrl": "http://q/1/q", "MessageBody": "x"},
         b'{"MessageId": "1", "MD5OfMessageBody": "9dd4e461268c8034f5c8564e155c67a6"}', "SQS.SendMessage"),
        ("lambda", "invoke", {"FunctionName": "pay", "Payload": b"{}"}, b"{}", "Lambda.Invoke"),
        ("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}, b"{}",
         "EventBridge.PutEvents"),
    ],
)  # fmt: skip
def test_services_that_pass_the_trace_on_get_the_calls_span(
    function: Function, server: Server, service: str, operation: str, params: dict[str, Any], answer: bytes, name: str
) -> None:
    """Where it matters: whoever they call next is a child of the call, not of the whole function."""
    server.otherwise = Answer(body=answer)
    function.invoke(lambda _event, _context: getattr(client(server, service), operation)(**params))
    (request,) = server.requests
    call = function.trace.one(name)
    assert request.headers["x-amzn-trace-id"] == f"Root={ROOT};Parent={call.span_id};Sampled=1;Lineage=1:abcdef12:0"


def test_an_unsampled_call_says_so(function: Function, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision and Lineage go on."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={ROOT};Parent={SEGMENT};Sampled=0;Lineage=1:abcdef12:0")
    function.invoke(put(server))
    header = server.requests[0].headers["x-amzn-trace-id"]
    assert header.startswith(f"Root={ROOT};Parent=")
    assert header.endswith(";Sampled=0;Lineage=1:abcdef12:0")


def test_a_header_that_somebody_wrote_on_purpose_stays(function: Function, server: Server) -> None:
    """It names another trace."""
    header = "Root=1-00000001-000000000000000000000001;Parent=0000000000000001;Sampled=1"

    def handler(_event: object, _context: object) -> None:
        dynamodb = client(server)
        dynamodb.meta.events.register(
            "before-call", lambda params, **_: params["headers"].__setitem__("X-Amzn-Trace-Id", header)
        )
        dynamodb.list_tables()

    function.invoke(handler)
    assert server.requests[0].headers["x-amzn-trace-id"] == header


def test_lineage_that_an_instrumentation_has_lost_is_written_again(function: Function, server: Server) -> None:
    """Upstream's did so, before SDK 1.42, where the function put it on itself: after the request was made."""

    def handler(_event: object, _context: object) -> None:
        dynamodb = client(server)
        dynamodb.meta.events.register("before-sign", upstream)
        dynamodb.list_tables()

    def upstream(request: Any, **_: object) -> None:
        header = request.headers["X-Amzn-Trace-Id"]
        del request.headers["X-Amzn-Trace-Id"]
        request.headers["X-Amzn-Trace-Id"] = header.partition(";Lineage")[0]

    function.invoke(handler)
    call = function.trace.one("DynamoDB.ListTables")
    header = server.requests[0].headers["x-amzn-trace-id"]
    assert header == f"Root={ROOT};Parent={call.span_id};Sampled=1;Lineage=1:abcdef12:0"


def test_a_full_message_is_sent_as_it_is_and_nobody_warns(
    function: Function, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Upstream would, where no room is left for the names that a propagator writes."""
    server.otherwise = Answer(body=b"<PublishResponse><PublishResult/></PublishResponse>")
    attributes = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(10)}
    params = {"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "x", "MessageAttributes": attributes}
    function.invoke(lambda _event, _context: client(server, "sns").publish(**params))
    names = [value for key, value in parse_qsl(server.requests[0].body.decode()) if key.endswith(".Name")]
    assert (sorted(names), caplog.messages) == (sorted(attributes), [])


@pytest.mark.parametrize("libraries", ["all", "botocore", "requests,urllib3", "none"])
def test_lineage_stays_whatever_is_traced(start: Callable[..., Function], server: Server, libraries: str) -> None:
    """Lambda stops a function that calls itself for ever by it; the parent is the innermost span that there is."""
    function = start(LAMBDA_LATENCY_INSTRUMENTATIONS=libraries)
    function.invoke(put(server))
    calls = [span for span in function.trace.traces[0].spans if span.kind.name == "CLIENT"]
    parent = calls[0].span_id if calls else function.trace.one("orders-create").span_id
    header = server.requests[0].headers["x-amzn-trace-id"]
    assert header == f"Root={ROOT};Parent={parent};Sampled=1;Lineage=1:abcdef12:0"
    assert len(calls) == (libraries != "none")


def test_a_session_that_was_made_before_carries_lineage_too(
    start: Callable[..., Function], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3's own one."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client(server)
    function = start(LAMBDA_LATENCY_INSTRUMENTATIONS="urllib3")
    function.invoke(put(server))
    assert server.requests[0].headers["x-amzn-trace-id"].endswith(";Lineage=1:abcdef12:0")


def test_upstreams_wrapper_that_writes_the_header_is_off_unless_the_function_installs_it(
    start: Callable[..., Function],
) -> None:
    """The runtime writes the header later, in a handler of botocore; upstream's wrapper would only cost time."""
    plain = vars(Endpoint)["prepare_request"]
    function = start()
    during = vars(Endpoint)["prepare_request"]
    instrumentor: Any = BotocoreInstrumentor()  # type: ignore[no-untyped-call]
    instrumentor.instrument(tracer_provider=function.runtime.provider)
    installed = vars(Endpoint)["prepare_request"]
    instrumentor.uninstrument()
    assert (during is plain, installed is plain, vars(Endpoint)["prepare_request"] is plain) == (True, False, True)


def test_stopping_leaves_botocore_as_it_was(start: Callable[..., Function]) -> None:
    """New sessions hear nothing of it."""
    start().runtime.stop()
    handlers = Session().get_component("event_emitter").emit("needs-retry.dynamodb.PutItem", attempts=1)
    assert all(handler.__module__ != "lambda_latency.runtime.drivers.aws" for handler, _ in handlers)


@pytest.mark.parametrize(
    ("service", "operation", "params", "body"),
    [
        ("sns", "publish", {"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "x"}, b"MessageAttributes"),
        ("sqs", "send_message", {"QueueUrl": "http://q/1/q", "MessageBody": "x"}, b"MessageAttributes"),
        ("lambda", "invoke", {"FunctionName": "pay", "Payload": b'{"a":   1}'}, b"headers"),
    ],
)
def test_messages_and_payloads_stay_as_they_are(
    function: Function, server: Server, service: str, operation: str, params: dict[str, Any], body: bytes
) -> None:
    """Upstream would write a header into them: an event that the receiver does not expect, an attribute too many."""
    server.otherwise = Answer(
        body=b"<a/>"
        if service == "sns"
        else b'{"MessageId": "1", "MD5OfMessageBody": "9dd4e461268c8034f5c8564e155c67a6"}'
    )

    def handler(_event: object, _context: object) -> None:
        with contextlib.suppress(Exception):  # whatever the answer: the request is what counts
            getattr(client(server, service), operation)(**params)

    function.invoke(handler)
    assert body not in server.requests[0].body
    assert "x-amzn-trace-id" in server.requests[0].headers
