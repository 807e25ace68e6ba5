"""What a caller sent, as checked values, or every field that is wrong, so that nobody has to find them one by one."""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeGuard

from functions.model import Line, Order, Position

__all__ = ["Event", "InvalidRequestError", "Listing", "listing", "new_order", "next_token", "order_id"]

Event = Mapping[str, Any]

_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # it stands in a path and in a header: nothing that needs escaping
_CURRENCY = re.compile(r"[A-Z]{3}")
_LIMIT = re.compile(r"[0-9]{1,3}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_MOST_ITEMS = 100
_MOST_PIECES = 1_000
_MOST_CENTS = 99_999_999  # with the two above a sum has 13 digits: exact in JSON's numbers, too
_MOST_UNKNOWN = 10  # of names that are no field: an answer must not grow with the nonsense in a request
_ORDER_FIELDS = frozenset({"order_id", "customer", "items", "currency", "payment_method"})
_LINE_FIELDS = frozenset({"sku", "quantity", "unit_price"})


class InvalidRequestError(Exception):
    """`fields` maps each wrong field to what is right and what was seen."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Listing:
    """Which part of which customer's orders is asked for."""

    customer: str
    limit: int
    after: Position | None


def new_order(event: Event) -> Order:
    """The order in the body of POST /orders, pending, with an id of ours if the caller gave none."""
    body = _body(event)
    check = _Check()
    check.known(body, _ORDER_FIELDS, "")
    if "order_id" in body:
        check.matches("order_id", body["order_id"], _ORDER_ID, "1 to 64 letters, digits, - or _")
    check.text("customer", body.get("customer", _ABSENT), 200)
    check.text("payment_method", body.get("payment_method", _ABSENT), 200, secret=True)
    currency = body.get("currency", "EUR")
    check.matches("currency", currency, _CURRENCY, "three capital letters, as in ISO 4217")
    items = body.get("items", _ABSENT)
    if not isinstance(items, list) or not 1 <= len(items) <= _MOST_ITEMS:
        check.fail("items", f"must be a list of 1 to {_MOST_ITEMS} items", items)
    else:
        for index, item in enumerate(items):
            check.line(f"items[{index}]", item)
    check.done()
    return Order(
        order_id=body.get("order_id") or uuid.uuid4().hex,
        customer=body["customer"],
        items=tuple(Line(item["sku"], item["quantity"], item["unit_price"]) for item in body["items"]),
        currency=currency,
        payment_method=body["payment_method"],
        created_at=_now(),
    )


def order_id(event: Event) -> str | None:
    """The id in the path, or None where it is none that an order can have."""
    seen = (event.get("pathParameters") or {}).get("id")
    return seen if isinstance(seen, str) and _ORDER_ID.fullmatch(seen) else None


def listing(event: Event) -> Listing:
    """What the query of GET /orders asks for."""
    query = event.get("queryStringParameters") or {}
    check = _Check()
    check.text("customer", query.get("customer", _ABSENT), 200)
    limit = query.get("limit", "20")
    if not (isinstance(limit, str) and _LIMIT.fullmatch(limit) and 1 <= int(limit) <= 100):
        check.fail("limit", "must be a whole number from 1 to 100", limit)
    after = None
    if "next" in query and (after := _position(query["next"])) is None:
        check.fail("next", "must be the `next` of an earlier answer, unchanged", query["next"])
    check.done()
    return Listing(query["customer"], int(limit), after)


def next_token(position: Position) -> str:
    """`position` as a text that fits into a query; `listing` reads it again."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(token: object) -> Position | None:
    try:
        match json.loads(base64.b64decode(str(token) + "=" * (-len(str(token)) % 4), b"-_", validate=True)):
            case [str(created_at), str(order)] if _MOMENT.fullmatch(created_at) and _ORDER_ID.fullmatch(order):
                return created_at, order
    except (ValueError, RecursionError):
        pass
    return None


def _body(event: Event) -> dict[str, Any]:
    raw = event.get("body")
    if raw is None or raw == "":
        raise InvalidRequestError({"body": "must be a JSON object, got nothing"})
    try:
        if event.get("isBase64Encoded"):
            raw = base64.b64decode(raw, validate=True).decode()
        body = json.loads(raw)
    except binascii.Error:
        raise InvalidRequestError({"body": "must be base64, as its event says, got something else"}) from None
    except UnicodeDecodeError:
        raise InvalidRequestError({"body": "must be a JSON object in UTF-8, got other bytes"}) from None
    except (ValueError, RecursionError):  # also a number of 5,000 digits, and brackets 100,000 deep
        raise InvalidRequestError({"body": "must be a JSON object, got something that is not JSON"}) from None
    if not isinstance(body, dict):
        raise InvalidRequestError({"body": f"must be a JSON object, got {_seen(body)}"})
    return body


class _Check:
    """Collects what is wrong, field by field."""

    __slots__ = ("_wrong",)

    def __init__(self) -> None:
        self._wrong: dict[str, str] = {}

    def done(self) -> None:
        if self._wrong:
            raise InvalidRequestError(self._wrong)

    def fail(self, field: str, right: str, value: object) -> None:
        self._wrong[field] = f"{right}, got {_seen(value)}"

    def known(self, value: Mapping[str, object], names: frozenset[str], prefix: str) -> None:
        for name in sorted(value.keys() - names)[:_MOST_UNKNOWN]:
            self._wrong[prefix + _cut(name)] = f"is no field here; the fields are {', '.join(sorted(names))}"

    def line(self, field: str, value: object) -> None:
        if not isinstance(value, dict):
            self.fail(field, "must be an object", value)
            return
        self.known(value, _LINE_FIELDS, f"{field}.")
        self.text(f"{field}.sku", value.get("sku", _ABSENT), 64)
        self.whole(f"{field}.quantity", value.get("quantity", _ABSENT), "whole number", 1, _MOST_PIECES)
        self.whole(f"{field}.unit_price", value.get("unit_price", _ABSENT), "whole number of cents", 0, _MOST_CENTS)

    def matches(self, field: str, value: object, pattern: re.Pattern[str], right: str) -> None:
        if not (isinstance(value, str) and pattern.fullmatch(value)):
            self.fail(field, f"must be {right}", value)

    def text(self, field: str, value: object, longest: int, *, secret: bool = False) -> None:
        # Printable also keeps out halves of surrogate pairs, which JSON can carry and DynamoDB cannot.
        if not (isinstance(value, str) and 1 <= len(value) <= longest and value.isprintable() and value.strip()):
            shown = "another text" if secret and isinstance(value, str) and value else value
            self.fail(field, f"must be 1 to {longest} printable characters, not only spaces", shown)

    def whole(self, field: str, value: object, kind: str, least: int, most: int) -> None:
        if not (_is_whole(value) and least <= value <= most):
            self.fail(field, f"must be a {kind} from {least} to {most}", value)


_ABSENT = object()


def _seen(value: object) -> str:
    match value:
        case str():
            return _cut(repr(value))
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return _cut(repr(value))
        case list():
            return f"a list of {len(value)}"
        case dict():
            return "an object"
    return "nothing"


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
