"""Which requests failed, and the call that failed in them."""

from __future__ import annotations

from lambda_latency.latency import Account, Accounts, Failures, Part
from lambda_latency.latency.judge.timeouts import failures
from tests.latency.generated import timed_out
from tests.latency.system import account, charge, order, put_item, request
from tests.trace.build import MS, Node, tree

PAYMENTS = Part("external", "payments.example.com")


def _of(number: int, *inside: Node, status_code: int) -> Account:
    top = request(*inside, end=120, status_code=status_code)
    return account(tree(top, unit=MS, trace_id=f"{number:032x}"))


def test_requests_that_end_or_time_out_are_no_failures() -> None:
    """A deadline is told on a card of its own."""
    assert failures(Accounts([account(order(90)), account(timed_out())])) is None


def test_the_call_that_failed_in_half_of_them_is_named() -> None:
    """With a request that shows it, and the status that most have."""
    refused = [_of(at, charge(20, 70, status_code=503), status_code=502) for at in (1, 2)]
    others = [_of(at, put_item(20, 70), status_code=500) for at in (3, 4)]
    found = failures(Accounts([others[0], *refused, others[1], account(order(90))]))
    assert found == Failures(4, "POST /orders", 502, 2, PAYMENTS, 2, f"{1:032x}")


def test_a_call_that_failed_in_fewer_is_not() -> None:
    """One of three."""
    every = [_of(1, charge(20, 70, status_code=503), status_code=502)]
    every += [_of(at, put_item(20, 70), status_code=500) for at in (2, 3)]
    assert failures(Accounts(every)) == Failures(3, "POST /orders", 500, 2, None, 0, f"{1:032x}")
