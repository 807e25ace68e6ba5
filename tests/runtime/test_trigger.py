"""An event's shape tells what called the function."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_latency.runtime.trigger import Trigger, trigger

REST = {"httpMethod": "POST", "resource": "/orders/{id}", "path": "/orders/7", "queryStringParameters": {"token": "x"},
        "headers": {"Host": "evil"}, "requestContext": {"stage": "prod", "domainName": "api.example.com"}}  # fmt: skip
HTTP = {"version": "2.0", "routeKey": "GET /orders/{id}", "rawPath": "/orders/7", "rawQueryString": "token=x",
        "requestContext": {"domainName": "h.example.com", "http": {"method": "GET", "path": "/orders/7"}}}  # fmt: skip
BALANCER = {"httpMethod": "GET", "path": "/orders", "requestContext": {"elb": {"targetGroupArn": "arn"}}}


def records(key: str, value: str) -> dict[str, Any]:
    """An event of records from one source."""
    return {"Records": [{key: value}]}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (REST, Trigger("http", "POST /orders/{id}", {
            "http.request.method": "POST", "http.route": "/orders/{id}", "url.path": "/orders/7",
            "server.address": "api.example.com"})),
        (HTTP, Trigger("http", "GET /orders/{id}", {
            "http.request.method": "GET", "http.route": "/orders/{id}", "url.path": "/orders/7",
            "server.address": "h.example.com"})),
        (HTTP | {"routeKey": "$default"}, Trigger("http", "GET", {
            "http.request.method": "GET", "url.path": "/orders/7", "server.address": "h.example.com"})),
        (BALANCER, Trigger("http", "GET", {"http.request.method": "GET", "url.path": "/orders"})),
        (REST | {"httpMethod": "SPAM"}, Trigger("http", "HTTP /orders/{id}", {
            "http.request.method": "_OTHER", "http.route": "/orders/{id}", "url.path": "/orders/7",
            "server.address": "api.example.com"})),
        (REST | {"methodArn": "arn", "type": "REQUEST"}, Trigger("other")),
        (records("eventSource", "aws:sqs"), Trigger("pubsub")),
        (records("EventSource", "aws:sns"), Trigger("pubsub")),
        (records("eventSource", "aws:kinesis"), Trigger("pubsub")),
        (records("eventSource", "aws:dynamodb"), Trigger("datasource")),
        (records("eventSource", "aws:s3"), Trigger("datasource")),
        ({"eventSource": "aws:kafka", "records": {}}, Trigger("pubsub")),
        ({"source": "orders", "detail-type": "Placed", "detail": {}}, Trigger("pubsub")),
        ({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, Trigger("timer")),
        ({"hello": "world"}, Trigger("other")),
        ({"Records": []}, Trigger("other")),
        ({"Records": ["text"]}, Trigger("other")),
        ({"Records": 7, "eventSource": ["x"]}, Trigger("other")),
        ({"httpMethod": ["GET"], "requestContext": {"http": {"method": {}}}}, Trigger("http", "HTTP", {
            "http.request.method": "_OTHER"})),
        ({"requestContext": "x", "httpMethod": "GET"}, Trigger("other")),
        ([1, 2], Trigger("other")),
        ("text", Trigger("other")),
        (None, Trigger("other")),
    ],
)  # fmt: skip
def test_the_shape_of_an_event_tells_its_trigger(event: object, expected: Trigger) -> None:
    """Kind, name and attributes, and never a header or the query."""
    assert trigger(event) == expected
