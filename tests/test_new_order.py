"""What POST /orders refuses to read, field by field."""

import base64
import json

import pytest

from fake_payments import FakePayments
from orders_api import Api, Reply, an_order, error, shown

INVALID = "the request is not valid; fields says where and why"
ORDER_ID = "must be 1 to 64 letters, digits, - or _, got"
TEXT = "must be 1 to 200 printable characters, not only spaces, got"
SKU = "must be 1 to 64 printable characters, not only spaces, got"
CURRENCY = "must be three capital letters, as in ISO 4217, got"
ITEMS = "must be a list of 1 to 100 items, got"
QUANTITY = "must be a whole number from 1 to 1000, got"
PRICE = "must be a whole number of cents from 0 to 99999999, got"
OBJECT = "must be a JSON object, got"
NO_FIELD = "is no field here; the fields are currency, customer, items, order_id, payment_method"
NO_LINE_FIELD = "is no field here; the fields are quantity, sku, unit_price"


def an_item(**changes: object) -> dict[str, object]:
    """A right item, with `changes`."""
    return {"sku": "tea", "quantity": 1, "unit_price": 450, **changes}


def refused(fields: dict[str, str]) -> Reply:
    """The answer that names `fields`."""
    return error(400, "invalid_request", INVALID, fields=fields)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("order_id", "", f"{ORDER_ID} ''"),
        ("order_id", "a b", f"{ORDER_ID} 'a b'"),
        ("order_id", "a/b", f"{ORDER_ID} 'a/b'"),
        ("order_id", "a\n", f"{ORDER_ID} 'a\\n'"),
        ("order_id", "é", f"{ORDER_ID} 'é'"),
        ("order_id", "x" * 65, f"{ORDER_ID} '{'x' * 38}…"),
        ("order_id", None, f"{ORDER_ID} null"),
        ("order_id", 7, f"{ORDER_ID} 7"),
        ("customer", "", f"{TEXT} ''"),
        ("customer", "  ", f"{TEXT} '  '"),
        ("customer", "a\0b", f"{TEXT} 'a\\x00b'"),
        ("customer", "\ud800", f"{TEXT} '\\ud800'"),
        ("customer", "x" * 201, f"{TEXT} '{'x' * 38}…"),
        ("customer", None, f"{TEXT} null"),
        ("customer", ["ada"], f"{TEXT} a list of 1"),
        ("customer", {"name": "ada"}, f"{TEXT} an object"),
        ("payment_method", "", f"{TEXT} ''"),
        ("payment_method", "4111\n", f"{TEXT} 'another text'"),
        ("payment_method", 4111, f"{TEXT} 4111"),
        ("currency", "eur", f"{CURRENCY} 'eur'"),
        ("currency", "EURO", f"{CURRENCY} 'EURO'"),
        ("currency", "ÄÖÜ", f"{CURRENCY} 'ÄÖÜ'"),
        ("currency", None, f"{CURRENCY} null"),
        ("currency", True, f"{CURRENCY} true"),
        ("items", [], f"{ITEMS} a list of 0"),
        ("items", [an_item()] * 101, f"{ITEMS} a list of 101"),
        ("items", an_item(), f"{ITEMS} an object"),
        ("items", "tea", f"{ITEMS} 'tea'"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_right_and_what_was_seen(
    api: Api, provider: FakePayments, field: str, value: object, says: str
) -> None:
    """Nothing is stored and nothing is charged."""
    assert api.post(an_order(**{field: value})) == refused({field: says})
    assert provider.asked == []


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        (None, {"items[1]": "must be an object, got null"}),
        ("tea", {"items[1]": "must be an object, got 'tea'"}),
        ([], {"items[1]": "must be an object, got a list of 0"}),
        (an_item(sku=""), {"items[1].sku": f"{SKU} ''"}),
        (an_item(sku="x" * 65), {"items[1].sku": f"{SKU} '{'x' * 38}…"}),
        (an_item(sku=1), {"items[1].sku": f"{SKU} 1"}),
        (an_item(quantity=0), {"items[1].quantity": f"{QUANTITY} 0"}),
        (an_item(quantity=1001), {"items[1].quantity": f"{QUANTITY} 1001"}),
        (an_item(quantity=-1), {"items[1].quantity": f"{QUANTITY} -1"}),
        (an_item(quantity=1.0), {"items[1].quantity": f"{QUANTITY} 1.0"}),
        (an_item(quantity=float("nan")), {"items[1].quantity": f"{QUANTITY} nan"}),
        (an_item(quantity="1"), {"items[1].quantity": f"{QUANTITY} '1'"}),
        (an_item(quantity=True), {"items[1].quantity": f"{QUANTITY} true"}),
        (an_item(quantity=10**50), {"items[1].quantity": f"{QUANTITY} 1{'0' * 38}…"}),
        (an_item(unit_price=-1), {"items[1].unit_price": f"{PRICE} -1"}),
        (an_item(unit_price=100_000_000), {"items[1].unit_price": f"{PRICE} 100000000"}),
        (an_item(unit_price=4.5), {"items[1].unit_price": f"{PRICE} 4.5"}),
        (an_item(unit_price=False), {"items[1].unit_price": f"{PRICE} false"}),
        (an_item(unit_price=None), {"items[1].unit_price": f"{PRICE} null"}),
        (an_item(price=1), {"items[1].price": NO_LINE_FIELD}),
        (
            {},
            {
                "items[1].sku": f"{SKU} nothing",
                "items[1].quantity": f"{QUANTITY} nothing",
                "items[1].unit_price": f"{PRICE} nothing",
            },
        ),
    ],
    ids=str,
)
def test_a_wrong_part_of_an_item_is_named_with_its_place(api: Api, item: object, fields: dict[str, str]) -> None:
    """The other items are right and not mentioned."""
    assert api.post(an_order(items=[an_item(), item, an_item()])) == refused(fields)


def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    """Nobody has to find them one by one."""
    body = {"order_id": "", "items": [an_item(quantity=0), an_item(sku=None)], "currency": "x", "status": "confirmed"}

    assert api.post(body) == refused(
        {
            "status": NO_FIELD,
            "order_id": f"{ORDER_ID} ''",
            "customer": f"{TEXT} nothing",
            "payment_method": f"{TEXT} nothing",
            "currency": f"{CURRENCY} 'x'",
            "items[0].quantity": f"{QUANTITY} 0",
            "items[1].sku": f"{SKU} null",
        }
    )


def test_an_answer_does_not_grow_with_the_nonsense_in_a_request(api: Api) -> None:
    """Ten unknown fields are named, cut to 40 characters."""
    reply = api.post(an_order(**{f"{number:04}" + "x" * 100: 1 for number in range(1_000)}))

    assert reply == refused({f"{number:04}" + "x" * 35 + "…": NO_FIELD for number in range(10)})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (None, f"{OBJECT} nothing"),
        ("", f"{OBJECT} nothing"),
        ("{", f"{OBJECT} something that is not JSON"),
        ("customer=ada", f"{OBJECT} something that is not JSON"),
        ("[" * 100_000, f"{OBJECT} something that is not JSON"),
        ('{"customer": ' + "1" * 5_000 + "}", f"{OBJECT} something that is not JSON"),
        ("[]", f"{OBJECT} a list of 0"),
        ("null", f"{OBJECT} null"),
        ("12", f"{OBJECT} 12"),
        ('"text"', f"{OBJECT} 'text'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_json_object_is_refused(api: Api, body: str | None, says: str) -> None:
    """The body itself is the wrong field."""
    assert api.post(body) == refused({"body": says})


def test_a_base64_body_is_read(api: Api) -> None:
    """API Gateway sends bodies so where a media type is declared binary."""
    body = base64.b64encode(json.dumps(an_order(customer="Zoë")).encode()).decode()

    reply = api.post(body, isBase64Encoded=True)

    assert reply == Reply(201, shown(reply.body, customer="Zoë"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{}", "must be base64, as its event says, got something else"),
        ("YQ", "must be base64, as its event says, got something else"),
        (base64.b64encode(b"\xff").decode(), "must be a JSON object in UTF-8, got other bytes"),
        (base64.b64encode(b"nothing").decode(), f"{OBJECT} something that is not JSON"),
    ],
)
def test_a_base64_body_that_is_none_is_refused(api: Api, body: str, says: str) -> None:
    """What cannot be decoded is said, and not raised."""
    assert api.post(body, isBase64Encoded=True) == refused({"body": says})


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": "A-z_0" * 12 + "1234"},
        {"customer": "x" * 200},
        {"customer": "雪 ☃ Zoë"},
        {"items": [an_item()] * 100},
        {"items": [an_item(sku="x" * 64, quantity=1_000, unit_price=99_999_999)] * 100},
        {"items": [an_item(unit_price=0)]},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_the_limits_themselves_are_allowed(api: Api, changes: dict[str, object]) -> None:
    """And what is at them comes back from the table unchanged."""
    reply = api.post(an_order(**changes))

    assert reply.status == 201
    assert {name: reply.body[name] for name in changes} == changes
    assert api.get(reply.body["order_id"]) == Reply(200, reply.body)
