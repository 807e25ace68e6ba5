"""POST /orders, where the provider works."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fake_payments import PATIENCE, FakePayments, Step
from orders_api import Api, Reply, an_order, error, shown

DECLINED = error(402, "payment_declined", "the payment of order 'o-1' was declined")


def test_an_order_is_charged_and_confirmed(api: Api, provider: FakePayments) -> None:
    """The answer is 201 with the order, and one charge of its amount was asked for."""
    reply = api.post(an_order())

    assert reply == Reply(201, shown(reply.body))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", reply.body["created_at"])
    charge = {"order_id": "o-1", "amount": 900, "currency": "EUR", "payment_method": "card-1"}
    assert provider.asked == [("/v1/charges", "o-1", charge)]


def test_an_order_without_an_id_gets_one(api: Api) -> None:
    """The id is ours, and the order is found under it."""
    body = an_order()
    del body["order_id"]

    reply = api.post(body)

    order_id = reply.body["order_id"]
    assert re.fullmatch("[0-9a-f]{32}", order_id)
    assert reply == Reply(201, shown(reply.body, order_id=order_id, charge_id=f"ch-{order_id}"))
    assert api.get(order_id) == Reply(200, reply.body)


def test_the_currency_of_the_order_is_charged(api: Api, provider: FakePayments) -> None:
    """EUR is only the default."""
    reply = api.post(an_order(currency="USD"))

    assert reply == Reply(201, shown(reply.body, currency="USD"))
    assert provider.asked[0][2]["currency"] == "USD"


def test_no_answer_shows_the_payment_method(api: Api) -> None:
    """It is the customer's secret."""
    replies = [api.post(an_order()), api.post(an_order()), api.get("o-1"), api.list(customer="ada"), api.cancel("o-1")]

    assert not [reply for reply in replies if "card-1" in str(reply)]


def test_the_same_order_again_is_a_replay(api: Api, provider: FakePayments) -> None:
    """The second answer is 200 with the order, and the provider is not asked again."""
    first = api.post(an_order())

    assert api.post(an_order()) == Reply(200, first.body)
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"customer": "bob"},
        {"items": [{"sku": "tea", "quantity": 3, "unit_price": 450}]},
        {"currency": "USD"},
        {"payment_method": "card-2"},
    ],
    ids=str,
)
def test_another_order_under_a_taken_id_is_a_conflict(
    api: Api, provider: FakePayments, change: dict[str, object]
) -> None:
    """The first order stays as it was, nothing else is charged."""
    first = api.post(an_order())

    reply = api.post(an_order(**change))

    assert reply == error(409, "conflict", "order 'o-1' exists and asks for something else")
    assert api.get("o-1") == Reply(200, first.body)
    assert len(provider.asked) == 1


def test_a_declined_payment_is_402_and_stays_declined(api: Api, provider: FakePayments) -> None:
    """The order is stored as declined, and the same order again is declined without asking."""
    body = an_order(payment_method="card-declined")

    assert [api.post(body), api.post(body)] == [DECLINED, DECLINED]
    stored = api.get("o-1")
    assert stored == Reply(200, shown(stored.body, status="declined", charge_id=None))
    assert len(provider.asked) == 1


def test_a_cancelled_order_cannot_be_made_again(api: Api, provider: FakePayments) -> None:
    """The same order after its cancellation is a conflict that names the state."""
    api.post(an_order())
    api.cancel("o-1")

    assert api.post(an_order()) == error(409, "conflict", "order 'o-1' is cancelled")
    assert (provider.charges, provider.refunds) == (1, 1)


def test_two_equal_orders_at_once_charge_once(api: Api, provider: FakePayments) -> None:
    """Both are with the provider at the same time; one answer is 201, the other 200, with the same order."""
    both = threading.Barrier(2)
    provider.steps += [Step(wait=both), Step(wait=both)]

    with ThreadPoolExecutor(2) as pool:
        replies = sorted(pool.map(api.post, [an_order(), an_order()]), key=lambda reply: reply.status)

    assert replies == [Reply(200, shown(replies[0].body)), Reply(201, replies[0].body)]
    assert [key for _, key, _ in provider.asked] == ["o-1", "o-1"]
    assert provider.charges == 1


def test_two_equal_declined_orders_at_once_are_both_declined(api: Api, provider: FakePayments) -> None:
    """The one that comes second to the table gives the same answer."""
    both = threading.Barrier(2)
    provider.steps += [Step(wait=both), Step(wait=both)]

    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(api.post, [an_order(payment_method="card-declined")] * 2))

    assert replies == [DECLINED, DECLINED]


def test_an_order_that_is_cancelled_while_another_request_charges_it_stays_cancelled(
    api: Api, provider: FakePayments
) -> None:
    """The request that was held up at the provider does not bring the order back to life."""
    arrived, go_on = threading.Event(), threading.Event()

    class Held:
        def wait(self, timeout: float | None = None) -> None:
            arrived.set()
            go_on.wait(timeout)

    provider.steps.append(Step(wait=Held()))
    with ThreadPoolExecutor(1) as pool:
        held_up = pool.submit(api.post, an_order())
        assert arrived.wait(PATIENCE)
        assert [api.post(an_order()).status, api.cancel("o-1").status] == [201, 202]
        go_on.set()

        assert held_up.result() == error(409, "conflict", "order 'o-1' is cancelled")
    assert api.get("o-1").body["status"] == "cancelled"
    assert (provider.charges, provider.refunds) == (1, 1)
