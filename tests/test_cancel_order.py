"""POST /orders/{id}/cancel."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fake_payments import FakePayments, Step
from orders_api import Api, Refusal, Reply, an_order, error, shown

KEPT = "order 'o-1' is kept: send the request again with this order_id to complete it"
BROKEN = error(502, "payments_broken", f"the payments API gave no usable answer; {KEPT}")
SLOW = error(504, "payments_timeout", f"the payments API did not answer in time; {KEPT}")


def test_a_confirmed_order_is_refunded_and_cancelled(api: Api, provider: FakePayments) -> None:
    """The answer is 202 with the order, and one refund of its charge was asked for."""
    api.post(an_order())

    reply = api.cancel("o-1")

    assert reply == Reply(202, shown(reply.body, status="cancelled", refund_id="re-refund-o-1"))
    assert provider.asked[1:] == [("/v1/refunds", "refund-o-1", {"charge_id": "ch-o-1", "amount": 900})]
    assert api.get("o-1") == Reply(200, reply.body)


def test_a_cancelled_order_is_cancelled_once(api: Api, provider: FakePayments) -> None:
    """The second answer is 200 with the order, and the provider is not asked again."""
    api.post(an_order())
    first = api.cancel("o-1")

    assert api.cancel("o-1") == Reply(200, first.body)
    assert len(provider.asked) == 2


@pytest.mark.parametrize("order_id", ["o-1", "a b", ""])
def test_an_unknown_order_cannot_be_cancelled(api: Api, order_id: str) -> None:
    """And it does not come into being by trying."""
    assert api.cancel(order_id) == error(404, "not_found", f"there is no order {order_id!r}")
    assert api.get("o-1").status == 404


def test_a_declined_order_cannot_be_cancelled(api: Api, provider: FakePayments) -> None:
    """The answer names the state."""
    api.post(an_order(payment_method="card-declined"))

    reply = api.cancel("o-1")

    assert reply == error(409, "conflict", "order 'o-1' is declined; only a confirmed order can be cancelled")
    assert len(provider.asked) == 1


def test_a_pending_order_cannot_be_cancelled(api: Api, provider: FakePayments) -> None:
    """Nobody knows yet whether there is anything to give back."""
    provider.steps.append(Step(answer=(500, "{}")))
    api.post(an_order())

    reply = api.cancel("o-1")

    assert reply == error(409, "conflict", "order 'o-1' is pending; only a confirmed order can be cancelled")
    assert provider.refunds == 0


@pytest.mark.parametrize(
    "step",
    [
        Step(answer=(500, "{}")),
        Step(books=False, answer=(500, "{}")),
        Step(books=False, answer=(402, '{"error": "card_declined"}')),
        Step(answer=(201, '{"refund_id": ""}')),
        Step(answer=(201, "oops")),
        Step(ends="cut"),
    ],
    ids=str,
)
def test_a_broken_refund_leaves_the_order_cancelling_and_a_repeated_cancel_completes_it(
    api: Api, provider: FakePayments, step: Step
) -> None:
    """However the provider broke, money goes back once."""
    api.post(an_order())
    provider.steps.append(step)

    assert api.cancel("o-1") == BROKEN
    stored = api.get("o-1")
    assert stored == Reply(200, shown(stored.body, status="cancelling"))

    again = api.cancel("o-1")
    assert again == Reply(202, shown(again.body, status="cancelled", refund_id="re-refund-o-1"))
    assert provider.refunds == 1


@pytest.mark.usefixtures("impatient")
def test_a_slow_refund_leaves_the_order_cancelling_and_a_repeated_cancel_completes_it(
    api: Api, provider: FakePayments
) -> None:
    """The provider refunded, only its answer did not come in time."""
    api.post(an_order())
    provider.hang()

    assert api.cancel("o-1") == SLOW
    assert api.get("o-1").body["status"] == "cancelling"
    assert api.cancel("o-1").status == 202
    assert provider.refunds == 1


def test_a_cancelling_order_cannot_be_made_again(api: Api, provider: FakePayments) -> None:
    """The same order while its refund is open is a conflict that names the state."""
    api.post(an_order())
    provider.steps.append(Step(answer=(500, "{}")))
    api.cancel("o-1")

    assert api.post(an_order()) == error(409, "conflict", "order 'o-1' is cancelling")


def test_two_cancels_at_once_refund_once(api: Api, provider: FakePayments) -> None:
    """Both are with the provider at the same time; one answer is 202, the other 200, with the same order."""
    api.post(an_order())
    both = threading.Barrier(2)
    provider.steps += [Step(wait=both), Step(wait=both)]

    with ThreadPoolExecutor(2) as pool:
        replies = sorted(pool.map(api.cancel, ["o-1", "o-1"]), key=lambda reply: reply.status)

    cancelled = shown(replies[0].body, status="cancelled", refund_id="re-refund-o-1")
    assert replies == [Reply(200, cancelled), Reply(202, cancelled)]
    assert provider.refunds == 1


def test_a_table_that_is_busy_before_the_refund_leaves_the_order_confirmed(
    api: Api, provider: FakePayments, refusing: Refusal
) -> None:
    """No money moves before the table knows of it."""
    api.post(an_order())

    with refusing("UpdateItem", "ThrottlingException"):
        reply = api.cancel("o-1")

    assert reply == error(503, "busy", f"there are too many requests; {KEPT}")
    assert api.get("o-1").body["status"] == "confirmed"
    assert provider.refunds == 0
