"""botocore's spans, with upstream's instrumentation, against a DynamoDB that answers by plan."""

import contextlib
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.standard import ThrottledRetryableChecker

from lambda_latency.runtime.drivers.aws import THROTTLES, requested, responded, watch_sessions
from tests.runtime.conftest import Function
from tests.runtime.stubs import Answer, Server, aws_error

ITEM = {"id": {"S": "1"}}
KEYS = (
    "rpc.service", "rpc.method", "aws.region", "aws.table_name", "aws.dynamodb.table_names", "http.status_code",
    "aws.request_id", "retry_attempts", "error.type",
)  # fmt: skip


def client(server: Server, **config: Any) -> Any:
    """A DynamoDB client of the stub."""
    return boto3.client("dynamodb", endpoint_url=server.url, config=Config(**config))


def call(function: Function, act: Callable[[], object]) -> Any:
    """Do one thing in a handler, whatever comes of it; the one child of the handler's span."""

    def handler(_event: object, _context: object) -> None:
        with contextlib.suppress(ClientError, BotoCoreError):
            act()

    function.invoke(handler)
    trees = function.trees(*KEYS)
    ((*_, children),) = trees
    assert len(children) == 1, trees
    return children[0]


def test_a_call_is_one_client_span_with_what_x_ray_shows(function: Function, server: Server) -> None:
    """Service, operation, region, table, status, request id, retries; and no second span for the HTTP under it."""
    server.otherwise = Answer(headers={"x-amzn-RequestId": "REQ1"})
    assert call(function, lambda: client(server).put_item(TableName="orders", Item=ITEM)) == (
        "DynamoDB.PutItem",
        "CLIENT",
        "UNSET",
        {
            "rpc.service": "DynamoDB",
            "rpc.method": "PutItem",
            "aws.region": "eu-west-1",
            "aws.table_name": "orders",
            "aws.dynamodb.table_names": ("orders",),
            "http.status_code": 200,
            "aws.request_id": "REQ1",
            "retry_attempts": 0,
        },
        [],
    )


@pytest.mark.parametrize(
    ("operation", "params", "table", "all_names"),
    [
        ("get_item", {"TableName": "orders", "Key": ITEM}, "orders", ("orders",)),
        ("put_item", {"TableName": "orders", "Item": ITEM}, "orders", ("orders",)),
        ("update_item", {"TableName": "orders", "Key": ITEM}, "orders", ("orders",)),
        ("delete_item", {"TableName": "orders", "Key": ITEM}, "orders", ("orders",)),
        ("query", {"TableName": "orders", "KeyConditionExpression": "a"}, "orders", ("orders",)),
        ("scan", {"TableName": "orders"}, "orders", ("orders",)),
        ("batch_get_item", {"RequestItems": {"orders": {"Keys": [ITEM]}}}, "orders", ("orders",)),
        ("batch_get_item", {"RequestItems": {"orders": {"Keys": [ITEM]}, "stock": {"Keys": [ITEM]}}}, None,
         ("orders", "stock")),
        ("batch_write_item", {"RequestItems": {"orders": [{"PutRequest": {"Item": ITEM}}]}}, "orders", ("orders",)),
        ("transact_get_items", {"TransactItems": [{"Get": {"TableName": "orders", "Key": ITEM}}]}, "orders",
         ("orders",)),
        ("transact_write_items", {"TransactItems": [
            {"Put": {"TableName": "orders", "Item": ITEM}},
            {"Delete": {"TableName": "stock", "Key": ITEM}},
            {"ConditionCheck": {"TableName": "orders", "Key": ITEM, "ConditionExpression": "a"}}]}, None,
         ("orders", "stock")),
        ("list_tables", {}, None, None),
    ],
)  # fmt: skip
def test_the_tables_of_a_call_are_named(
    function: Function, server: Server, operation: str, params: dict[str, Any], table: str | None, all_names: Any
) -> None:
    """One by X-Ray's key, all by OpenTelemetry's; those of transactions too, which upstream leaves out."""
    _, _, _, attributes, _ = call(function, lambda: getattr(client(server), operation)(**params))
    assert (attributes.get("aws.table_name"), attributes.get("aws.dynamodb.table_names")) == (table, all_names)


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
def test_a_throttle_is_a_429(function: Function, server: Server, code: str) -> None:
    """DynamoDB answers 400, which would count as the caller's mistake."""
    server.otherwise = aws_error(code)
    dynamodb = client(server, retries={"mode": "standard", "total_max_attempts": 2})
    name, _, status, attributes, _ = call(function, partial(dynamodb.put_item, TableName="orders", Item=ITEM))
    assert (name, status) == ("DynamoDB.PutItem", "ERROR")
    assert [attributes[key] for key in ("http.status_code", "error.type", "retry_attempts")] == [429, code, 1]


def attempts(function: Function) -> list[dict[str, Any]]:
    """The events of the one call, with their delays as whether there was one."""
    [span] = [span for span in function.spans if span.kind.name == "CLIENT"]
    events = [event for event in span.events if event.name == "attempt"]
    times = [span.start_time or 0, *(event.timestamp or 0 for event in events), span.end_time or 0]
    assert times == sorted(times)
    raw = [dict[str, Any](event.attributes or {}) for event in events]
    return [{**fields, **({"retry.delay_ms": True} if fields.get("retry.delay_ms", 0) > 0 else {})} for fields in raw]


def test_each_attempt_of_a_call_that_was_tried_again_is_an_event(function: Function, server: Server) -> None:
    """With status, error code, and the wait before the next; for X-Ray the first and the last as attributes too."""
    server.plan = [aws_error("ThrottlingException"), Answer(status=500), Answer()]
    dynamodb = client(server, retries={"mode": "standard", "total_max_attempts": 3})
    call(function, lambda: dynamodb.get_item(TableName="orders", Key=ITEM))
    assert attempts(function) == [
        {"attempt": 1, "http.status_code": 400, "error.type": "ThrottlingException", "retry.delay_ms": True},
        {"attempt": 2, "http.status_code": 500, "error.type": "500", "retry.delay_ms": True},
        {"attempt": 3, "http.status_code": 200},
    ]
    [span] = [span for span in function.spans if span.kind.name == "CLIENT"]
    initial, second, _ = (event for event in span.events if event.name == "attempt")
    begun_ns, delay_ms = span.start_time or 0, (second.attributes or {})["retry.delay_ms"]
    assert isinstance(delay_ms, float)
    assert (span.attributes or {})["lambda.retry.first_ended_ms"] == (initial.timestamp - begun_ns) / 1e6
    assert (span.attributes or {})["lambda.retry.last_began_ms"] == (second.timestamp - begun_ns) / 1e6 + delay_ms


def test_a_call_that_was_answered_at_once_has_no_attempts(function: Function, server: Server) -> None:
    """Its span says all."""
    dynamodb = client(server)
    call(function, lambda: dynamodb.get_item(TableName="orders", Key=ITEM))
    assert attempts(function) == []


def test_a_throttle_that_a_retry_overcame_is_in_the_count(function: Function, server: Server) -> None:
    """The call went well in the end."""
    server.plan = [aws_error("ThrottlingException")]
    _, _, status, attributes, _ = call(function, lambda: client(server).put_item(TableName="orders", Item=ITEM))
    assert (status, attributes["http.status_code"], attributes["retry_attempts"]) == ("UNSET", 200, 1)


def test_the_throttles_are_botocores_own() -> None:
    """What botocore retries as throttling."""
    codes: Any = ThrottledRetryableChecker
    assert frozenset(codes._THROTTLED_ERROR_CODES) == THROTTLES


def test_a_failed_condition_is_an_outcome(function: Function, server: Server) -> None:
    """The table did what it was asked: status OK, and the handler still gets the exception."""
    server.otherwise = aws_error("ConditionalCheckFailedException")
    caught: list[str] = []

    def act() -> None:
        try:
            client(server).put_item(TableName="orders", Item=ITEM, ConditionExpression="attribute_not_exists(id)")
        except ClientError as error:
            caught.append(error.response["Error"]["Code"])

    _, _, status, attributes, _ = call(function, act)
    assert (caught, status) == (["ConditionalCheckFailedException"], "OK")
    assert (attributes["http.status_code"], "error.type" in attributes) == (400, False)


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        (["ConditionalCheckFailed", "None"], "OK"),
        (["ConditionalCheckFailed", "ThrottlingError"], "ERROR"),
        (["TransactionConflict"], "ERROR"),
        (["None"], "ERROR"),
    ],
)
def test_a_cancelled_transaction_is_an_outcome_if_only_conditions_failed(
    function: Function, server: Server, codes: list[str], status: str
) -> None:
    """A conflict or a throttle among the reasons is a failure."""
    server.otherwise = aws_error("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])
    puts = [{"Put": {"TableName": "orders", "Item": ITEM}} for _ in codes]
    assert call(function, lambda: client(server).transact_write_items(TransactItems=puts))[2] == status


def test_a_refused_connection_is_an_error(function: Function) -> None:
    """There is no response to read anything from."""
    with Server() as gone:
        pass
    dynamodb = client(gone, retries={"total_max_attempts": 1})
    _, _, status, attributes, _ = call(function, partial(dynamodb.put_item, TableName="orders", Item=ITEM))
    assert (status, "http.status_code" in attributes) == ("ERROR", False)


def test_hooks_never_fail_a_call(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    """Upstream calls the response hook in a `finally`: what it raised would replace the caller's own exception."""
    with function.runtime.provider.get_tracer("test").start_as_current_span("unsampled") as span:
        requested(span, "dynamodb", "PutItem", {"TableName": "orders"})
    nonsense: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": 7}
    responded(span, "dynamodb", "PutItem", nonsense)
    assert [message.partition(" (")[0] for message in caplog.messages] == ["lambda-latency: an AWS call's span failed"]


def test_a_botocore_without_initializers_is_one_plain_line(caplog: pytest.LogCaptureFixture) -> None:
    """Such as those of 2021: its spans are upstream's alone."""
    botocore = ModuleType("botocore")
    botocore.__version__ = "1.20.0"  # type: ignore[attr-defined]
    watch_sessions(botocore, lambda **_: None)()
    assert caplog.messages == [
        "lambda-latency: botocore 1.20.0 is too old for the tracing header and the attempts of AWS calls"
    ]
