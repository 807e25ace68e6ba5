"""POST /orders, where something fails half way: what is stored and what is charged agree in the end, and once."""

import logging
import socket

import pytest

from fake_payments import FakePayments, Step
from orders_api import Api, Refusal, Reply, an_order, error, shown

KEPT = "order 'o-1' is kept: send the request again with this order_id to complete it"
BROKEN = error(502, "payments_broken", f"the payments API gave no usable answer; {KEPT}")
SLOW = error(504, "payments_timeout", f"the payments API did not answer in time; {KEPT}")


def assert_pending_then_completed(api: Api, provider: FakePayments) -> None:
    """The order waits, and the same request again completes it with one charge in all."""
    stored = api.get("o-1")
    assert stored == Reply(200, shown(stored.body, status="pending", charge_id=None))
    assert api.post(an_order()) == Reply(201, shown(stored.body))
    assert provider.charges == 1
    assert {key for _, key, _ in provider.asked} == {"o-1"}


@pytest.mark.parametrize("books", [True, False], ids=["charged", "not charged"])
@pytest.mark.parametrize(
    "answer",
    [
        (500, "{}"),
        (503, ""),
        (200, '{"charge_id": "ch-o-1", "status": "succeeded"}'),
        (302, ""),
        (400, "{}"),
        (404, "{}"),
        (429, "{}"),
        (201, ""),
        (201, "<html>"),
        (201, "[" * 100_000),
        (201, "[]"),
        (201, "null"),
        (201, '{"charge_id": "ch-o-1"}'),
        (201, '{"status": "succeeded"}'),
        (201, '{"charge_id": "", "status": "succeeded"}'),
        (201, '{"charge_id": 7, "status": "succeeded"}'),
        (201, '{"charge_id": "ch-o-1", "status": "failed"}'),
    ],
    ids=lambda answer: str(answer)[:60],
)
def test_an_answer_that_was_not_agreed_is_502_and_a_repeated_order_completes(
    api: Api, provider: FakePayments, answer: tuple[int, str], books: bool
) -> None:
    """Whether the provider had charged before it broke or not."""
    provider.steps.append(Step(books=books, answer=answer))

    assert api.post(an_order()) == BROKEN
    assert_pending_then_completed(api, provider)


@pytest.mark.parametrize("books", [True, False], ids=["charged", "not charged"])
def test_a_cut_connection_is_502_and_a_repeated_order_completes(api: Api, provider: FakePayments, books: bool) -> None:
    """The connection ends before any answer."""
    provider.steps.append(Step(books=books, ends="cut"))

    assert api.post(an_order()) == BROKEN
    assert_pending_then_completed(api, provider)


def test_a_redirect_is_502_and_not_followed(api: Api, provider: FakePayments) -> None:
    """An order's payment goes to the configured address and nowhere else."""
    provider.steps.append(Step(books=False, answer=(307, ""), location="/v1/elsewhere"))

    assert api.post(an_order()) == BROKEN
    assert [path for path, _, _ in provider.asked] == ["/v1/charges"]
    assert_pending_then_completed(api, provider)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("books", [True, False], ids=["charged", "not charged"])
def test_a_slow_provider_is_504_and_a_repeated_order_completes(api: Api, provider: FakePayments, books: bool) -> None:
    """The provider takes the order and says nothing."""
    provider.hang(books=books)

    assert api.post(an_order()) == SLOW
    assert_pending_then_completed(api, provider)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_stops_half_way_is_504_and_a_repeated_order_completes(api: Api, provider: FakePayments) -> None:
    """The head of the answer and some of its body came in time."""
    provider.hang(ends="half")

    assert api.post(an_order()) == SLOW
    assert_pending_then_completed(api, provider)


def test_a_provider_that_is_down_is_502_and_a_repeated_order_completes(
    api: Api, provider: FakePayments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at its address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        with monkeypatch.context() as patch:
            patch.setattr(api.payments, "_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
            assert api.post(an_order()) == BROKEN

    assert_pending_then_completed(api, provider)


def test_a_broken_provider_is_in_the_log_and_its_answer_is_not(
    api: Api, provider: FakePayments, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning names the order and the status; no body of the provider gets anywhere."""
    provider.steps.append(Step(answer=(500, '{"secret": "s3cret"}')))

    with caplog.at_level(logging.WARNING, logger="functions.orders"):
        reply = api.post(an_order())

    assert caplog.messages == ["payments API broken: order o-1: status 500"]
    assert "s3cret" not in str(reply)


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
def test_a_table_that_is_busy_after_the_charge_is_503_and_a_repeated_order_completes(
    api: Api, provider: FakePayments, refusing: Refusal, code: str
) -> None:
    """The answer names the order, since the money has moved."""
    with refusing("UpdateItem", code):
        assert api.post(an_order()) == error(503, "busy", f"there are too many requests; {KEPT}")

    assert_pending_then_completed(api, provider)


def test_a_table_that_is_busy_after_the_decline_is_503_and_a_repeated_order_is_declined(
    api: Api, refusing: Refusal
) -> None:
    """The repeated order gets the answer that the first one should have had."""
    with refusing("UpdateItem", "ThrottlingException"):
        assert api.post(an_order(payment_method="card-declined")).status == 503

    assert api.post(an_order(payment_method="card-declined")).status == 402
    assert api.get("o-1").body["status"] == "declined"


def test_a_table_that_is_busy_before_anything_is_stored_is_503_and_nothing_is_charged(
    api: Api, provider: FakePayments, refusing: Refusal
) -> None:
    """Nothing is kept, so the answer promises nothing."""
    with refusing("PutItem", "ProvisionedThroughputExceededException"):
        reply = api.post(an_order())

    assert reply == error(503, "busy", "there are too many requests; send the request again")
    assert (provider.asked, api.get("o-1").status) == ([], 404)


def test_reading_a_busy_table_is_503(api: Api, refusing: Refusal) -> None:
    """GET of one order and of many."""
    busy = error(503, "busy", "there are too many requests; send the request again")

    with refusing("GetItem", "ThrottlingException"), refusing("Query", "ThrottlingException"):
        assert [api.get("o-1"), api.list(customer="ada")] == [busy, busy]


def test_an_unexpected_error_leaves_the_handler_and_a_repeated_order_completes(
    api: Api, provider: FakePayments, refusing: Refusal
) -> None:
    """Lambda and the trace see it; after a crash between charge and update the same request goes on."""
    with refusing("UpdateItem", "InternalServerError"), pytest.raises(Exception, match="InternalServerError"):
        api.post(an_order())

    assert_pending_then_completed(api, provider)


def test_a_pending_order_under_the_same_id_with_other_content_is_a_conflict(api: Api, provider: FakePayments) -> None:
    """Another amount must never be sent under the key of the first."""
    provider.steps.append(Step(answer=(500, "{}")))
    api.post(an_order())

    reply = api.post(an_order(items=[{"sku": "tea", "quantity": 1, "unit_price": 1}]))

    assert reply == error(409, "conflict", "order 'o-1' exists and asks for something else")
    assert len(provider.asked) == 1
    assert_pending_then_completed(api, provider)
