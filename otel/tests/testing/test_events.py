"""Events as AWS sends them, and as the runtime understands them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.runtime.trigger import trigger
from lambda_latency.testing import api_event, dynamodb_event, eventbridge_event, sqs_event

if TYPE_CHECKING:
    from collections.abc import Callable


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
    first, second = sqs_event({"sku": "tea"}, "text", queue="orders", tracing_header=header)["Records"]
    assert (json.loads(first["body"]), second["body"]) == ({"sku": "tea"}, "text")
    assert first["attributes"]["AWSTraceHeader"] == header
    assert first["eventSourceARN"].endswith(":orders")


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
