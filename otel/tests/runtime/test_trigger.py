"""An event's shape tells what called the function."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from lambda_latency.runtime.trigger import Trigger, trigger

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
