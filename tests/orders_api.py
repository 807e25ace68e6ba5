"""The handlers, imported as in a new sandbox and called with the events that API Gateway makes."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

Refusal = Callable[[str, str], AbstractContextManager[None]]

JSON = {"Content-Type": "application/json"}


ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "ORDERS_TABLE": "orders",
    "PAYMENTS_TIMEOUT_MS": "20000",  # a test of a slow provider shortens it: no other depends on the machine's speed
}


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


@contextmanager
def imported(**environment: str) -> Iterator[Api]:
    """The modules of the functions, imported anew under `environment`, and out of `sys.modules` again at once."""

    def ours() -> list[str]:
        return [name for name in sys.modules if name.split(".")[0] == "functions"]

    with pytest.MonkeyPatch.context() as patch:
        for name in ours():
            patch.delitem(sys.modules, name)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            patch.delenv(name, raising=False)
        for name, value in (ENVIRONMENT | environment).items():
            patch.setenv(name, value)
        try:
            modules = [importlib.import_module(f"functions.{name}") for name in ("orders", "table", "payments")]
        finally:
            for name in ours():
                del sys.modules[name]
    api = Api(*modules)
    try:
        yield api
    finally:
        api.table.CLIENT.close()
        api.payments.SESSION.close()


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
