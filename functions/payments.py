"""The payments API: one call a request, its timeout, its errors.

Every call carries an idempotency key, so it may be repeated without a second charge.
"""

from typing import Any

import requests
from urllib3.exceptions import ReadTimeoutError
from urllib3.util import Timeout

from functions.model import Order
from functions.settings import settings

__all__ = [
    "SESSION",
    "PaymentDeclinedError",
    "PaymentsBrokenError",
    "PaymentsError",
    "PaymentsTimeoutError",
    "charge",
    "refund",
]

SESSION = requests.Session()  # one for the life of the sandbox: warm requests find an open connection

_URL = settings().payments_url
_SECONDS = settings().payments_timeout_s


class PaymentsError(Exception):
    """A payment did not go through::

        PaymentsError
        +-- PaymentDeclinedError     the answer is no, and stays no
        +-- PaymentsBrokenError      no usable answer: nobody knows whether money moved
        +-- PaymentsTimeoutError     no answer in time: likewise

    The text is for the log; a caller gets none of it.
    """

    def __init__(self, order_id: str, what: str) -> None:
        super().__init__(f"order {order_id}: {what}")
        self.order_id = order_id


class PaymentDeclinedError(PaymentsError):
    """The provider refused the payment method."""


class PaymentsBrokenError(PaymentsError):
    """The provider could not be reached, or its answer is none of the agreed ones."""


class PaymentsTimeoutError(PaymentsError):
    """The provider took longer than PAYMENTS_TIMEOUT_MS."""


def charge(order: Order) -> str:
    """Charges the amount of `order` and returns the charge's id; the same id again if it was charged before."""
    answer = _post(
        "charges",
        order,
        order.order_id,
        {
            "order_id": order.order_id,
            "amount": order.amount,
            "currency": order.currency,
            "payment_method": order.payment_method,
        },
    )
    if answer.status_code == requests.codes.payment_required:
        raise PaymentDeclinedError(order.order_id, "the charge was declined")
    match _created(answer, order):
        case {"charge_id": str(charge_id), "status": "succeeded"} if charge_id:
            return charge_id
    raise PaymentsBrokenError(order.order_id, "201 without a charge_id and the status succeeded")


def refund(order: Order) -> str:
    """Gives the amount of `order` back and returns the refund's id; the same id again if it was refunded before."""
    body = {"charge_id": order.charge_id, "amount": order.amount}
    match _created(_post("refunds", order, f"refund-{order.order_id}", body), order):
        case {"refund_id": str(refund_id)} if refund_id:
            return refund_id
    raise PaymentsBrokenError(order.order_id, "201 without a refund_id")


def _post(path: str, order: Order, key: str, body: dict[str, Any]) -> requests.Response:
    try:
        return SESSION.post(
            f"{_URL}/{path}",
            json=body,
            headers={"Idempotency-Key": key},
            # Two numbers would allow their sum. requests takes urllib3's own value, its stubs do not know that.
            timeout=Timeout(total=_SECONDS),  # type: ignore[arg-type]
            allow_redirects=False,  # a redirected POST becomes a GET, which charges nothing and looks fine
        )
    except requests.Timeout as error:
        raise PaymentsTimeoutError(order.order_id, type(error).__name__) from error
    except requests.RequestException as error:
        # An answer that stops half way in its body is a ConnectionError for requests, whatever stopped it.
        if any(isinstance(cause, ReadTimeoutError) for cause in error.args):
            raise PaymentsTimeoutError(order.order_id, "the answer stopped half way") from error
        raise PaymentsBrokenError(order.order_id, type(error).__name__) from error


def _created(answer: requests.Response, order: Order) -> object:
    if answer.status_code != requests.codes.created:
        raise PaymentsBrokenError(order.order_id, f"status {answer.status_code}")
    try:
        return answer.json()
    except (ValueError, RecursionError) as error:
        raise PaymentsBrokenError(order.order_id, "201 with a body that is not JSON") from error
