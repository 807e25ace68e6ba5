"""The orders in DynamoDB. Every write has its condition, so that of two requests for one order only one wins."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.model import Order, Position, Status
from functions.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["CLIENT", "Page", "TableBusyError", "WrongStatusError", "get", "move", "of_customer", "put_new"]

# 5.4 s at most, with delays of up to 1 s and 2 s: a call that hangs is an error here, not the function's timeout.
CLIENT: "DynamoDBClient" = boto3.client(
    "dynamodb",
    config=Config(
        connect_timeout=0.3,
        read_timeout=0.5,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,  # a frozen environment sends nothing, a thawed one finds out about a dead connection
    ),
)

_TABLE = settings().orders_table
_INDEX = "customer-index"
_THROTTLES = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize
_ONE_AT_A_TIME = threading.Lock()  # boto3 promises that threads may share a client, but not that


class TableBusyError(Exception):
    """DynamoDB refused a call for its rate, and still did after all retries. `order_id`: of an order that is stored."""

    def __init__(self, what: str, order_id: str | None) -> None:
        super().__init__(what if order_id is None else f"order {order_id}: {what}")
        self.order_id = order_id


class WrongStatusError(Exception):
    """An order was not moved, being in none of the expected states. `stored` is what there is, None for nothing."""

    def __init__(self, stored: Order | None) -> None:
        super().__init__(f"order is {stored.status}" if stored else "no such order")
        self.stored = stored


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders of one customer, newest first, and where to go on, or None at the end."""

    orders: tuple[Order, ...]
    last: Position | None


def put_new(order: Order) -> Order | None:
    """Stores `order` unless its id is taken; then nothing changes and the order that has it is returned."""
    try:
        with _throttles_named():
            CLIENT.put_item(
                TableName=_TABLE,
                Item={name: _serialize(value) for name, value in order.stored().items()},
                ConditionExpression="attribute_not_exists(order_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except CLIENT.exceptions.ConditionalCheckFailedException as error:
        return _order(error.response["Item"])  # type: ignore[typeddict-item]  # in the answer, not in the stubs
    return None


def get(order_id: str) -> Order | None:
    """The order, as the last write left it: who has just created it must find it."""
    with _throttles_named():
        answer = CLIENT.get_item(TableName=_TABLE, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
    return _order(answer["Item"]) if "Item" in answer else None


def of_customer(customer: str, limit: int, after: Position | None) -> Page:
    """Up to `limit` orders of `customer` behind `after`, newest first."""
    start: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": _index_key(customer, after)}
    with _throttles_named():
        answer = CLIENT.query(
            TableName=_TABLE,
            IndexName=_INDEX,
            KeyConditionExpression="customer = :customer",
            ExpressionAttributeValues={":customer": {"S": customer}},
            ScanIndexForward=False,
            Limit=limit + 1,  # one more says whether a next page has anything in it
            **start,
        )
    found = [_order(item) for item in answer["Items"]]
    orders = tuple(found[:limit])
    more = len(found) > limit or "LastEvaluatedKey" in answer  # a page also ends at 1 MB
    return Page(orders, (orders[-1].created_at, orders[-1].order_id) if more and orders else None)


def move(order_id: str, to: Status, *, only_from: tuple[Status, ...], **ids: str) -> Order:
    """Gives the order the status `to` and `ids` (charge_id, refund_id). Raises WrongStatusError outside `only_from`."""
    values = {"status": to, **ids}
    expected = {f":from{number}": status for number, status in enumerate(only_from)}
    bound = {f":{name}": value for name, value in values.items()} | expected
    try:
        with _throttles_named(order_id):
            answer = CLIENT.update_item(
                TableName=_TABLE,
                Key={"order_id": {"S": order_id}},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=f"#status IN ({', '.join(expected)})",
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={name: {"S": value} for name, value in bound.items()},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except CLIENT.exceptions.ConditionalCheckFailedException as error:
        item: Mapping[str, Any] | None = error.response.get("Item")  # type: ignore[assignment]  # not in the stubs
        raise WrongStatusError(_order(item) if item else None) from None
    return _order(answer["Attributes"])


def _order(item: Mapping[str, Any]) -> Order:
    with _ONE_AT_A_TIME:
        return Order.restored({name: _deserialize(value) for name, value in item.items()})


def _index_key(customer: str, position: Position) -> dict[str, Any]:
    created_at, order_id = position
    return {"customer": {"S": customer}, "created_at": {"S": created_at}, "order_id": {"S": order_id}}


@contextmanager
def _throttles_named(order_id: str | None = None) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _THROTTLES:
            raise TableBusyError(f"{error.operation_name}: {code}", order_id) from error
        raise
