"""The handlers, called with the events that API Gateway makes."""

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ["Api", "Reply", "an_order", "error", "shown"]

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: Any
    headers: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", self.headers or JSON)


@dataclass(frozen=True, slots=True)
class Api:
    """The four routes, and the modules behind them."""

    orders: ModuleType
    table: ModuleType
    payments: ModuleType

    def post(self, body: object, **event: object) -> Reply:
        """POST /orders; a body that is no text is sent as JSON."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        return _reply(self.orders.create_order({"body": text, **event}, None))

    def get(self, order_id: str) -> Reply:
        """GET /orders/{id}."""
        return _reply(self.orders.get_order({"pathParameters": {"id": order_id}}, None))

    def list(self, **query: str) -> Reply:
        """GET /orders?..."""
        return _reply(self.orders.list_order({"queryStringParameters": query or None}, None))

    def cancel(self, order_id: str) -> Reply:
        """POST /orders/{id}/cancel."""
        return _reply(self.orders.cancel_order({"pathParameters": {"id": order_id}}, None))


def an_order(**changes: object) -> dict[str, object]:
    """A right body for POST /orders, with `changes`."""
    return {
        "order_id": "o-1",
        "customer": "ada",
        "items": [{"sku": "tea", "quantity": 2, "unit_price": 450}, {"sku": "cup", "quantity": 1, "unit_price": 0}],
        "payment_method": "card-1",
        **changes,
    }


def shown(seen: Any, **changes: object) -> dict[str, object]:
    """What an answer must show of `an_order()`: of `seen`, the answer itself, only the moment of creation is taken."""
    return {
        "order_id": "o-1",
        "customer": "ada",
        "items": [{"sku": "tea", "quantity": 2, "unit_price": 450}, {"sku": "cup", "quantity": 1, "unit_price": 0}],
        "currency": "EUR",
        "amount": 900,
        "created_at": seen["created_at"],
        "status": "confirmed",
        "charge_id": "ch-o-1",
        "refund_id": None,
        **changes,
    }


def error(status: int, code: str, message: str, **more: object) -> Reply:
    """An answer that is an error."""
    headers = JSON | {"Retry-After": "1"} if status == 503 else JSON
    return Reply(status, {"error": code, "message": message, **more}, headers)


def _reply(answer: dict[str, Any]) -> Reply:
    assert answer.keys() == {"statusCode", "headers", "body"}
    return Reply(answer["statusCode"], json.loads(answer["body"]), answer["headers"])
