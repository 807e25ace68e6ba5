"""Lambda handlers: read the event, call, answer.

What is stored and what is charged agree, or a repeated request makes them agree.
"""

import functools
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from functions import payments, request, table
from functions.model import Order
from functions.request import Event

__all__ = ["Answer", "cancel_order", "create_order", "get_order", "list_order"]

Answer = dict[str, Any]

_JSON: Mapping[str, str] = {"Content-Type": "application/json"}
_LOG = logging.getLogger(__name__)


def _answering(route: Callable[[Event], Answer]) -> Callable[[Event, object], Answer]:
    """A Lambda handler of `route` that turns the errors we know into answers.

    Any other exception leaves the handler: Lambda logs it, a trace shows it, and API Gateway tells nothing of it.
    """

    @functools.wraps(route)
    def handler(event: Event, _context: object) -> Answer:
        try:
            return route(event)
        except request.InvalidRequestError as error:
            return _error(
                400, "invalid_request", "the request is not valid; fields says where and why", fields=error.fields
            )
        except payments.PaymentsBrokenError as error:
            _LOG.warning("payments API broken: %s", error)
            return _error(502, "payments_broken", f"the payments API gave no usable answer; {_again(error.order_id)}")
        except payments.PaymentsTimeoutError as error:
            _LOG.warning("payments API too slow: %s", error)
            return _error(504, "payments_timeout", f"the payments API did not answer in time; {_again(error.order_id)}")
        except table.TableBusyError as error:
            _LOG.warning("table busy: %s", error)
            then = _again(error.order_id) if error.order_id else "send the request again"
            return _error(503, "busy", f"there are too many requests; {then}", headers={"Retry-After": "1"})

    return handler


@_answering
def create_order(event: Event) -> Answer:
    """POST /orders: store, charge, confirm. A repeated request goes on where the first one stopped."""
    order = request.new_order(event)
    if earlier := table.put_new(order):
        if not earlier.asks_the_same_as(order):
            return _error(409, "conflict", f"order '{order.order_id}' exists and asks for something else")
        if earlier.status != "pending":
            return _settled(earlier)
        order = earlier
    try:
        try:
            charge_id = payments.charge(order)
        except payments.PaymentDeclinedError:
            return _settled(table.move(order.order_id, "declined", only_from=("pending",)))
        confirmed = table.move(order.order_id, "confirmed", only_from=("pending",), charge_id=charge_id)
    except table.WrongStatusError as wrong:
        if wrong.stored is None:
            raise
        # A request at the same time was faster. The provider gave both the same answer: its end is the end of this one.
        return _settled(wrong.stored)
    return _answer(201, confirmed.shown())


@_answering
def get_order(event: Event) -> Answer:
    """GET /orders/{id}."""
    order_id = request.order_id(event)
    order = table.get(order_id) if order_id else None
    return _answer(200, order.shown()) if order else _not_found(event)


@_answering
def list_order(event: Event) -> Answer:
    """GET /orders?customer=&limit=&next=: the customer's orders, newest first, page by page."""
    wanted = request.listing(event)
    page = table.of_customer(wanted.customer, wanted.limit, wanted.after)
    following = request.next_token(page.last) if page.last else None
    return _answer(200, {"orders": [order.shown() for order in page.orders], "next": following})


@_answering
def cancel_order(event: Event) -> Answer:
    """POST /orders/{id}/cancel: mark, refund, cancel. A repeated request brings a started one to its end."""
    order_id = request.order_id(event)
    if order_id is None:
        return _not_found(event)
    try:
        order = table.move(order_id, "cancelling", only_from=("confirmed", "cancelling"))
        refund_id = payments.refund(order)
        cancelled = table.move(order_id, "cancelled", only_from=("cancelling",), refund_id=refund_id)
    except table.WrongStatusError as wrong:
        if wrong.stored is None:
            return _not_found(event)
        if wrong.stored.status == "cancelled":
            return _answer(200, wrong.stored.shown())
        status = wrong.stored.status
        return _error(409, "conflict", f"order '{order_id}' is {status}; only a confirmed order can be cancelled")
    return _answer(202, cancelled.shown())


def _settled(order: Order) -> Answer:
    """The answer to a request whose order is beyond pending, by this request or by another."""
    match order.status:
        case "confirmed":
            return _answer(200, order.shown())
        case "declined":
            return _error(402, "payment_declined", f"the payment of order '{order.order_id}' was declined")
    return _error(409, "conflict", f"order '{order.order_id}' is {order.status}")


def _not_found(event: Event) -> Answer:
    seen = (event.get("pathParameters") or {}).get("id")
    return _error(404, "not_found", f"there is no order {seen!r:.70}")


def _again(order_id: str) -> str:
    return f"order '{order_id}' is kept: send the request again with this order_id to complete it"


def _error(status: int, code: str, message: str, *, headers: Mapping[str, str] = _JSON, **more: object) -> Answer:
    return _answer(status, {"error": code, "message": message, **more}, headers)


def _answer(status: int, body: object, headers: Mapping[str, str] = _JSON) -> Answer:
    return {"statusCode": status, "headers": {**_JSON, **headers}, "body": json.dumps(body)}
