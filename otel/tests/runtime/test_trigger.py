"""An event's shape tells what called the function."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from lambda_latency.runtime.callers import links
from lambda_latency.runtime.trigger import Trigger, trigger
from lambda_latency.testing import SERVER, remote, span
from tests.runtime.conftest import SEGMENT, TRACE, Function

REST = {"httpMethod": "POST", "resource": "/orders/{id}", "path": "/orders/7", "queryStringParameters": {"token": "x"},
        "headers": {"Host": "evil"}, "requestContext": {"stage": "prod", "domainName": "api.example.com"}}  # fmt: skip
HTTP = {"version": "2.0", "routeKey": "GET /orders/{id}", "rawPath": "/orders/7", "rawQueryString": "token=x",
        "requestContext": {"domainName": "h.example.com", "http": {"method": "GET", "path": "/orders/7"}}}  # fmt: skip
BALANCER = {"httpMethod": "GET", "path": "/orders", "requestContext": {"elb": {"targetGroupArn": "arn"}}}


def of(kind: str, name: str = "", attributes: Mapping[str, Any] = MappingProxyType({})) -> Trigger:
    """A trigger."""
    return kind, name, attributes


def records(key: str, value: str) -> dict[str, Any]:
    """An event of records from one source."""
    return {"Records": [{key: value}]}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (REST, of("http", "POST /orders/{id}", {
            "http.request.method": "POST", "http.route": "/orders/{id}", "url.path": "/orders/7",
            "server.address": "api.example.com"})),
        (HTTP, of("http", "GET /orders/{id}", {
            "http.request.method": "GET", "http.route": "/orders/{id}", "url.path": "/orders/7",
            "server.address": "h.example.com"})),
        (HTTP | {"routeKey": "$default"}, of("http", "GET", {
            "http.request.method": "GET", "url.path": "/orders/7", "server.address": "h.example.com"})),
        (BALANCER, of("http", "GET", {"http.request.method": "GET", "url.path": "/orders"})),
        (REST | {"httpMethod": "SPAM"}, of("http", "HTTP /orders/{id}", {
            "http.request.method": "_OTHER", "http.route": "/orders/{id}", "url.path": "/orders/7",
            "server.address": "api.example.com"})),
        (REST | {"methodArn": "arn", "type": "REQUEST"}, of("other")),
        (records("eventSource", "aws:sqs"), of("pubsub")),
        (records("EventSource", "aws:sns"), of("pubsub")),
        (records("eventSource", "aws:kinesis"), of("pubsub")),
        (records("eventSource", "aws:dynamodb"), of("datasource")),
        (records("eventSource", "aws:s3"), of("datasource")),
        ({"eventSource": "aws:kafka", "records": {}}, of("pubsub")),
        ({"source": "orders", "detail-type": "Placed", "detail": {}}, of("pubsub")),
        ({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, of("timer")),
        ({"hello": "world"}, of("other")),
        ({"Records": []}, of("other")),
        ({"Records": ["text"]}, of("other")),
        ({"Records": 7, "eventSource": ["x"]}, of("other")),
        ({"httpMethod": ["GET"], "requestContext": {"http": {"method": {}}}}, of("http", "HTTP", {
            "http.request.method": "_OTHER"})),
        ({"requestContext": "x", "httpMethod": "GET"}, of("other")),
        ([1, 2], of("other")),
        ("text", of("other")),
        (None, of("other")),
    ],
)  # fmt: skip
def test_the_shape_of_an_event_tells_its_trigger(event: object, expected: Trigger) -> None:
    """Kind, name and attributes, and never a header or the query."""
    assert trigger(event) == expected


def header(number: int) -> str:
    """The tracing header of a sender."""
    return f"Root=1-0000000{number}-{number:024x};Parent={number:016x};Sampled=1"


def sqs(value: object) -> dict[str, Any]:
    """A record of SQS."""
    return {"eventSource": "aws:sqs", "body": "{}", "attributes": {"AWSTraceHeader": value}}


def sns(value: object) -> dict[str, Any]:
    """A record of SNS."""
    named = {"AWSTraceHeader": {"Type": "String", "Value": value}}
    return {"EventSource": "aws:sns", "Sns": {"Message": "{}", "MessageAttributes": named}}


EVENTBRIDGE = {"source": "orders", "detail-type": "Placed", "detail": {}, "trace-header": header(4)}


@pytest.mark.parametrize(
    ("event", "senders"),
    [
        ({"Records": [sqs(header(1)), sqs(header(2)), sqs(header(1)), sqs("nonsense"), {"eventSource": "x"}]}, [1, 2]),
        ({"Records": [sns(header(3))]}, [3]),
        (EVENTBRIDGE, [4]),
    ],
)  # fmt: skip
def test_each_sender_is_a_link(function: Function, event: dict[str, Any], senders: list[int]) -> None:
    """Once; and the parent is Lambda's segment as ever."""
    function.invoke(lambda _event, _context: None, event)
    expected = [remote(f"0000000{number}{number:024x}", f"{number:016x}") for number in senders]
    assert function.trace == span("orders-create", SERVER, parent=remote(TRACE, SEGMENT), links=expected)


@pytest.mark.parametrize(
    "event",
    [
        None,
        {"Records": 7},
        {"Records": ["text", None, sqs(7), sqs(None), {"eventSource": "aws:sqs", "attributes": 5}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageAttributes": {"AWSTraceHeader": "text"}}}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageAttributes": 5}}, {"EventSource": "aws:sns"}]},
        {"trace-header": header(1)},
        {"detail-type": "x", "trace-header": {}},
    ],
)
def test_what_is_no_header_is_no_link(event: object) -> None:
    """And no reason to fail."""
    assert links(event) == []


def test_a_large_batch_has_as_many_links_as_a_span_may() -> None:
    """The first ones."""
    records = [sqs(f"Root=1-00000001-{number:024x};Parent={number:016x};Sampled=1") for number in range(1, 200)]
    assert [link.context.span_id for link in links({"Records": records})] == list(range(1, 129))
