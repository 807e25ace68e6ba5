"""GET /orders/{id} and GET /orders?customer=."""

import base64
import json

import pytest

from orders_api import Api, Reply, an_order, error, shown

INVALID = "the request is not valid; fields says where and why"


def test_an_order_is_found_by_its_id(api: Api) -> None:
    """The answer is the order as POST gave it."""
    made = api.post(an_order())

    assert api.get("o-1") == Reply(200, shown(made.body))


@pytest.mark.parametrize("order_id", ["o-2", "a b", "x" * 65, "..", "é"])
def test_an_unknown_id_is_404(api: Api, order_id: str) -> None:
    """Whether no order has the id, or none can have it."""
    assert api.get(order_id) == error(404, "not_found", f"there is no order {order_id!r:.70}")


def test_orders_are_listed_newest_first(api: Api) -> None:
    """Only those of the customer who is asked for."""
    made = [api.post(an_order(order_id=f"o-{number}")).body for number in range(3)]
    api.post(an_order(order_id="other", customer="bob"))

    assert api.list(customer="ada") == Reply(200, {"orders": made[::-1], "next": None})


def test_a_customer_without_orders_has_an_empty_list(api: Api) -> None:
    """It is no error: who is a customer is not known here."""
    assert api.list(customer="nobody") == Reply(200, {"orders": [], "next": None})


@pytest.mark.parametrize(("count", "sizes"), [(3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_pages_hold_every_order_once(api: Api, count: int, sizes: list[int]) -> None:
    """`next` leads on until it is null, and no page is empty."""
    made = [api.post(an_order(order_id=f"o-{number}")).body for number in range(count)]

    pages = [api.list(customer="ada", limit="2").body]
    while pages[-1]["next"]:
        pages.append(api.list(customer="ada", limit="2", next=pages[-1]["next"]).body)

    assert [len(page["orders"]) for page in pages] == sizes
    assert [order for page in pages for order in page["orders"]] == made[::-1]


def test_twenty_orders_are_listed_when_no_limit_is_given(api: Api) -> None:
    """The twenty-first is on the next page."""
    for number in range(21):
        api.post(an_order(order_id=f"o-{number}"))

    first = api.list(customer="ada").body

    assert len(first["orders"]) == 20
    assert [order["order_id"] for order in api.list(customer="ada", next=first["next"]).body["orders"]] == ["o-0"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "", " 5", "+5", "٣", "1" * 400])
def test_a_wrong_limit_is_named(api: Api, limit: str) -> None:
    """Only whole numbers from 1 to 100, and nothing that merely looks like one."""
    reply = api.list(customer="ada", limit=limit)

    shown_limit = repr(limit) if len(limit) < 38 else f"{repr(limit)[:39]}…"
    right = f"must be a whole number from 1 to 100, got {shown_limit}"
    assert reply == error(400, "invalid_request", INVALID, fields={"limit": right})


def token(value: object) -> str:
    """`value` encoded the way ours are."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "made_up",
    [
        "",
        "x",
        "====",
        "é",
        token([]),
        token({}),
        token(["2026-01-01T00:00:00.000000Z"]),
        token(["2026-01-01", "o-1"]),
        token(["2026-01-01T00:00:00.000000Z", "a b"]),
        token(["2026-01-01T00:00:00.000000Z", 1]),
        token(json.loads("[" * 200 + "]" * 200)),
    ],
)
def test_a_made_up_next_is_named(api: Api, made_up: str) -> None:
    """It never reaches DynamoDB."""
    reply = api.list(customer="ada", next=made_up)

    shown_next = repr(made_up) if len(made_up) < 38 else f"{repr(made_up)[:39]}…"
    right = f"must be the `next` of an earlier answer, unchanged, got {shown_next}"
    assert reply == error(400, "invalid_request", INVALID, fields={"next": right})


def test_every_wrong_part_of_a_query_is_named(api: Api) -> None:
    """A query that is missing altogether has no customer."""
    customer = "must be 1 to 200 printable characters, not only spaces, got"

    assert api.list() == error(400, "invalid_request", INVALID, fields={"customer": f"{customer} nothing"})
    assert api.list(customer=" ", limit="x", next="y") == error(
        400,
        "invalid_request",
        INVALID,
        fields={
            "customer": f"{customer} ' '",
            "limit": "must be a whole number from 1 to 100, got 'x'",
            "next": "must be the `next` of an earlier answer, unchanged, got 'y'",
        },
    )
