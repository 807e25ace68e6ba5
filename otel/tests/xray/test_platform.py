"""The segments that API Gateway and Lambda write, made from the laptop's platform spans."""

from typing import Any

import pytest

from lambda_latency.local.spans.segments import InvocationTimes, TracingHeader, function_segments
from lambda_latency.trace import Span, SpanKind
from tests.xray.document import segment_document
from tests.xray.platform import xray_documents

TRACE = "6b062b4446e3a08453e966dd7812677f"
STAGE = "61d714df97d99000"
FUNCTION = "5aba275343121860"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:CreateOrder"
SECOND = 1_795_566_404_000_000_000
LAMBDA = f"https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/{ARN}/invocations"


def at(ms: float) -> int:
    """Milliseconds after a round second."""
    return SECOND + int(ms * 1_000_000)


def stage(status: int = 201) -> Span:
    """The gateway's span of a POST /orders."""
    return Span(
        trace_id=TRACE,
        span_id=STAGE,
        name="orders/dev",
        kind=SpanKind.SERVER,
        start_ns=at(1.2),
        end_ns=at(50.9),
        attributes={
            "aws.xray.origin": "AWS::ApiGateway::Stage",
            "http.request.method": "POST",
            "http.route": "/orders/{id}/cancel",
            "url.path": "/orders/7/cancel",
            "http.response.status_code": status,
            "http.status_code": status,
            "aws.request_id": "request-1",
        },
    )


def invocation(failure: str | None = None) -> list[Span]:
    """Lambda's spans of the same request: a cold start, 40 ms of work, and some after the response."""
    times = InvocationTimes(at(2.5), at(10.25), at(50.5), at(60), (at(2.75), at(10)))
    attributes: dict[str, object] = {"cloud.resource_id": ARN, "faas.invocation_id": "request-2"}
    if failure is not None:
        attributes["error.type"] = failure
    return function_segments("CreateOrder", TracingHeader(TRACE, STAGE, True), FUNCTION, times, attributes, failure)


def by_origin(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Documents by their origin."""
    return {document["origin"]: document for document in documents}


MARK = {"default": {"otel.resource.lambda_latency.laptop": True}}  # of the machine that stands for AWS


def test_a_stage_is_written_as_api_gateway_writes_it() -> None:
    """With its call to Lambda inside, which is the parent of Lambda's own segment; times in whole milliseconds."""
    documents = xray_documents([stage(), *invocation()])

    found = by_origin(documents)
    call = found["AWS::Lambda"]["parent_id"]
    assert len(documents) == 3
    assert found["AWS::ApiGateway::Stage"] == {
        "id": STAGE,
        "name": "orders/dev",
        "trace_id": "1-6b062b44-46e3a08453e966dd7812677f",
        "start_time": 1795566404.001,
        "end_time": 1795566404.05,
        "origin": "AWS::ApiGateway::Stage",
        "http": {
            "request": {
                "method": "POST",
                "url": "https://localapi00.execute-api.us-east-1.amazonaws.com/dev/orders/7/cancel",
                "client_ip": "127.0.0.1",
                "x_forwarded_for": True,
            },
            "response": {"status": 201, "content_length": 0},
        },
        "aws": {
            "api_gateway": {
                "account_id": "123456789012",
                "rest_api_id": "localapi00",
                "stage": "dev",
                "request_id": "request-1",
            }
        },
        "annotations": {"aws:api_id": "localapi00", "aws:api_stage": "dev"},
        "metadata": {"default": {"extended_request_id": "request-1", "request_id": "request-1"}},
        "resource_arn": "arn:aws:apigateway:us-east-1::/restapis/localapi00/stages/dev",
        "subsegments": [
            {
                "id": call,
                "name": "Lambda",
                "start_time": 1795566404.002,
                "end_time": 1795566404.05,
                "http": {
                    "request": {"url": LAMBDA, "method": "POST"},
                    "response": {"status": 201, "content_length": 0},
                },
                "aws": {
                    "function_name": "CreateOrder",
                    "region": "us-east-1",
                    "operation": "Invoke",
                    "resource_names": ["CreateOrder"],
                },
                "namespace": "aws",
            }
        ],
    }


def test_an_invocation_is_written_as_lambda_writes_it() -> None:
    """The service's segment, and the function's with Initialization, which lies before it, Invocation and Overhead."""
    documents = xray_documents([stage(), *invocation()])

    found = by_origin(documents)
    service, function = found["AWS::Lambda"], found["AWS::Lambda::Function"]
    assert service == {
        "id": service["id"],
        "name": "CreateOrder",
        "trace_id": "1-6b062b44-46e3a08453e966dd7812677f",
        "start_time": 1795566404.002,
        "end_time": 1795566404.05,
        "parent_id": found["AWS::ApiGateway::Stage"]["subsegments"][0]["id"],
        "origin": "AWS::Lambda",
        "metadata": MARK,
        "http": {"response": {"status": 200}},
        "aws": {"request_id": "request-2"},
        "resource_arn": ARN,
    }
    assert function == {
        "id": FUNCTION,
        "name": "CreateOrder",
        "trace_id": "1-6b062b44-46e3a08453e966dd7812677f",
        "start_time": 1795566404.01025,
        "end_time": 1795566404.06,
        "parent_id": service["id"],
        "origin": "AWS::Lambda::Function",
        "metadata": MARK,
        "aws": {"account_id": "123456789012", "function_arn": ARN, "resource_names": ["CreateOrder"]},
        "subsegments": [
            {
                "id": phase["id"],
                "name": name,
                "start_time": start,
                "end_time": end,
                "aws": {"function_arn": ARN},
                "metadata": MARK,
            }
            for phase, (name, start, end) in zip(
                function["subsegments"],
                [
                    ("Initialization", 1795566404.00275, 1795566404.01),
                    ("Invocation", 1795566404.01025, 1795566404.0505002),  # as exact as the exporter's floats
                    ("Overhead", 1795566404.0505002, 1795566404.06),
                ],
                strict=True,
            )
        ],
    }


def test_the_order_of_the_spans_does_not_matter() -> None:
    """A stage has its call, and Lambda's segment is a child of the call, also where Lambda's spans come first."""
    lambdas = invocation()

    assert by_origin(xray_documents([*lambdas, stage()])) == by_origin(xray_documents([stage(), *lambdas]))


def test_a_function_that_failed_is_a_fault_with_a_cause() -> None:
    """Lambda answers its caller with 200 all the same; the stage says 502."""
    documents = xray_documents([stage(502), *invocation("Sandbox.Timedout")])

    found = by_origin(documents)
    assert [found[origin].get("fault") for origin in sorted(found)] == [True, True, True]
    exceptions = found["AWS::Lambda::Function"]["cause"]["exceptions"]
    assert [{**one, "id": ""} for one in exceptions] == [
        {"id": "", "type": "Sandbox.Timedout", "message": "Sandbox.Timedout"}
    ]
    assert found["AWS::ApiGateway::Stage"]["subsegments"][0]["http"]["response"]["status"] == 200


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (200, {}),
        (404, {"error": True}),
        (429, {"error": True, "throttle": True}),
        (500, {"fault": True}),
    ],
)
def test_a_stage_is_flagged_by_its_answer(status: int, flags: dict[str, bool]) -> None:
    """As X-Ray does: 4xx an error, 429 a throttle too, 5xx a fault."""
    (document,) = xray_documents([stage(status)])

    assert {key: document[key] for key in ("error", "throttle", "fault") if key in document} == flags


def test_spans_of_others_are_left_to_the_exporter() -> None:
    """The handler's span below the function's is no phase of it, whatever it is called."""
    handler = Span(
        trace_id=TRACE,
        span_id="1" * 16,
        parent_id=FUNCTION,
        name="Invocation",
        kind=SpanKind.SERVER,
        start_ns=at(11),
        end_ns=at(50),
    )

    exported, *documents = xray_documents([handler, *invocation()], ["http.route"])

    assert exported == segment_document(handler, ["http.route"])
    assert len(by_origin(documents)["AWS::Lambda::Function"]["subsegments"]) == 3
