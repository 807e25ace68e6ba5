"""Lambda handlers of the orders API. They contain no tracing code: the template adds the tracing."""

import json
import os
import re
import uuid
from typing import Any

import boto3
import requests
from botocore.config import Config
from urllib3.util import Timeout

ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class PaymentError(Exception):
    """The payments API gave no usable answer; `status` is the status of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def setting(name: str, pattern: str) -> str:
    """Return an environment variable. An invalid one fails the init, which shows right after a deployment."""
    value = os.environ.get(name, "")
    if not re.fullmatch(pattern, value):
        raise ValueError(f"{name} {'must match ' + pattern if value else 'is not set'}")
    return value


ORDERS_TABLE = setting("ORDERS_TABLE", r"[A-Za-z0-9_.-]{3,255}")
PAYMENTS_URL = setting("PAYMENTS_URL", r"https?://[^\s?#@]+").rstrip("/")
PAYMENTS_TIMEOUT_S = int(setting("PAYMENTS_TIMEOUT_MS", r"[1-9][0-9]{0,4}")) / 1000

# With its delays between attempts a call takes at most 5.4 s, so that a call that hangs fails before the function does.
CLIENT = boto3.client(
    "dynamodb",
    config=Config(connect_timeout=0.3, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 3}),
)
SESSION = requests.Session()  # warm requests reuse its connection


def create_order(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """POST /orders: store the order, charge it, confirm it. A repeated request completes a pending order."""
    try:
        order, payment_method = read_order(event)
    except ValueError as error:
        return response(400, {"error": str(error)})
    key, details = {"order_id": {"S": order["order_id"]}}, {"S": json.dumps(order)}
    try:
        CLIENT.put_item(
            TableName=ORDERS_TABLE,
            Item={**key, "status": {"S": "pending"}, "details": details},
            ConditionExpression="attribute_not_exists(order_id) OR (#status = :pending AND details = :details)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":pending": {"S": "pending"}, ":details": details},
        )
    except CLIENT.exceptions.ConditionalCheckFailedException:
        return response(409, {"error": f"order {order['order_id']} exists already"})
    try:
        charge_id = charge(order, payment_method)
    except PaymentError as error:
        return response(error.status, {"error": f"{error}; repeat the request", "order_id": order["order_id"]})
    status = "confirmed" if charge_id else "declined"
    CLIENT.update_item(
        TableName=ORDERS_TABLE,
        Key=key,
        UpdateExpression="SET #status = :status, charge_id = :charge_id",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}, ":charge_id": {"S": charge_id}},
    )
    return response(201 if charge_id else 402, {**order, "status": status, "charge_id": charge_id})


def get_order(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """GET /orders/{id}."""
    order_id = (event.get("pathParameters") or {}).get("id", "")
    if not ORDER_ID.fullmatch(order_id):
        return response(404, {"error": "there is no such order"})
    answer = CLIENT.get_item(TableName=ORDERS_TABLE, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
    if "Item" not in answer:
        return response(404, {"error": "there is no such order"})
    item = {name: value["S"] for name, value in answer["Item"].items()}
    return response(200, {**json.loads(item.pop("details")), **item})


def read_order(event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the order in a request and its payment method, which is not stored. Raises `ValueError`."""
    try:
        body = json.loads(event["body"])
        order = {"order_id": uuid.uuid4().hex, "currency": "EUR", **body}
        items = [{name: item[name] for name in ("sku", "quantity", "unit_price")} for item in body["items"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError("the body must be JSON with items: [{sku, quantity, unit_price}]") from error
    texts = {name: order.get(name) for name in ("order_id", "customer", "currency", "payment_method")}
    for name, text in [*texts.items(), *(("sku", item["sku"]) for item in items)]:
        if not isinstance(text, str) or not 1 <= len(text) <= 64:
            raise ValueError(f"{name} must be a text of 1 to 64 characters")
    if not ORDER_ID.fullmatch(texts["order_id"]):
        raise ValueError("order_id must consist of letters, digits, - and _")
    payment_method = texts.pop("payment_method")
    return {**texts, "items": items, "amount": amount_of(items)}, payment_method


def amount_of(basket: list[dict[str, Any]]) -> int:
    """Return the price of all items in cents. Raises `ValueError`."""
    numbers = [item[name] for item in basket for name in ("quantity", "unit_price")]
    if not 1 <= len(basket) <= 100 or not all(type(number) is int and 0 < number < 1_000_000 for number in numbers):
        raise ValueError("items must be 1 to 100 with quantity and unit_price (in cents) from 1 to 999999")
    return sum(item["quantity"] * item["unit_price"] for item in basket)


def charge(order: dict[str, Any], payment_method: str) -> str:
    """Charge an order; return the charge's id, which is empty if it was declined. Raises `PaymentError`."""
    amount = {name: order[name] for name in ("order_id", "amount", "currency")}
    try:
        answer = SESSION.post(
            f"{PAYMENTS_URL}/charges",
            json={**amount, "payment_method": payment_method},
            headers={"Idempotency-Key": order["order_id"]},  # a repeated request charges only once
            timeout=Timeout(total=PAYMENTS_TIMEOUT_S),  # type: ignore[arg-type]  # a number would limit each read alone
            allow_redirects=False,
        )
        charged = answer.json() if answer.status_code == 201 else {}
    except requests.Timeout as error:
        raise PaymentError(504, "the payments API did not answer in time") from error
    except requests.RequestException as error:
        raise PaymentError(502, "the payments API gave no valid answer") from error
    if answer.status_code == 402:
        return ""
    match charged:
        case {"charge_id": str(charge_id), "status": "succeeded"} if charge_id:
            return charge_id
    raise PaymentError(502, f"the payments API answered with status {answer.status_code}")


def response(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """Return a response in API Gateway's form."""
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
