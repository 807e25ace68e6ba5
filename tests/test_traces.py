"""What a request to the functions looks like as a trace: which calls it makes, in which order, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.testing import CLIENT, ERROR, SERVER, Invoke, Recording, span

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_api import Api, Refusal

ORDER = {
    "order_id": "order-1",
    "customer": "ada",
    "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}],
    "payment_method": "card-1",
}


def test_an_order_is_stored_then_charged_then_confirmed(
    api: Api, invoke: Invoke, trace: Recording, api_event: Callable[..., dict[str, Any]]
) -> None:
    """Three calls, one after the other, and none twice."""
    answer = invoke(api.orders.create_order, api_event("POST", "/orders", ORDER))
    assert answer["statusCode"] == 201
    assert trace() == span("POST /orders", SERVER, attributes={"http.status_code": 201})[
        span("DynamoDB.PutItem", CLIENT, attributes={"aws.table_name": "orders"}),
        span("POST", CLIENT, attributes={"http.status_code": 201}),
        span("DynamoDB.UpdateItem", CLIENT, attributes={"aws.table_name": "orders"}),
    ]  # fmt: skip


def test_an_order_that_is_not_stored_is_not_charged(
    api: Api, refusing: Refusal, invoke: Invoke, trace: Recording, api_event: Callable[..., dict[str, Any]]
) -> None:
    """The trace ends with the call that was refused, and says so."""
    with refusing("PutItem", "ThrottlingException"):
        answer = invoke(api.orders.create_order, api_event("POST", "/orders", ORDER))
    assert answer["statusCode"] == 503
    assert trace() == span("POST /orders", SERVER, status=ERROR)[span("DynamoDB.PutItem", CLIENT, status=ERROR)]


def test_orders_are_listed_with_one_query(
    api: Api, invoke: Invoke, trace: Recording, api_event: Callable[..., dict[str, Any]]
) -> None:
    """However many there are; warm as well."""
    for number in (1, 2, 3):
        invoke(api.orders.create_order, api_event("POST", "/orders", {**ORDER, "order_id": f"order-{number}"}))
    for cold in (True, False):
        invoke(api.orders.list_order, api_event("GET", "/orders?customer=ada"), cold=cold)
        assert trace() == span("GET /orders", SERVER, attributes={"faas.coldstart": cold})[
            span("DynamoDB.Query", CLIENT, attributes={"aws.table_name": "orders"})
        ]  # fmt: skip
