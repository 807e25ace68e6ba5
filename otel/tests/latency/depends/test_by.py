"""Requests by the values of one attribute."""

from __future__ import annotations

import random

import pytest

from lambda_latency.latency import ReportError
from tests.latency.attributed import Order, attributed, report_on


def _order(number: int, draw: random.Random) -> Order:
    first: dict[str, object] = {"tenant.id": f"t-{number % 20}", "size": draw.randrange(10_000)}
    return Order(number, first, {}, {})


def _slow(order: Order, _draw: random.Random) -> bool:
    return order.first["tenant.id"] == "t-3"


def test_the_value_with_most_slow_requests_is_first_and_rare_ones_are_one_row() -> None:
    """All rows together have all requests."""
    found = report_on(attributed(_order, _slow), by="tenant.id").by
    assert found is not None
    first, last = found.rows[0], found.rows[-1]
    assert first.value is not None
    assert (first.value.text, first.requests, first.slow) == ("t-3", 20, 20)
    assert first.parts[0][0].name == "payments.example.com"
    assert (last.value, last.requests, found.others) == (None, 160, 8)
    assert sum(row.requests for row in found.rows) == found.read == 400


def test_numbers_are_told_by_ranges_in_order() -> None:
    """Each has as many requests as the others."""
    found = report_on(attributed(_order, _slow), by="size").by
    assert found is not None
    lows = [row.value.low for row in found.rows if row.value is not None]
    assert lows == [None, *sorted(low for low in lows if low is not None)]
    assert {row.requests for row in found.rows} <= set(range(60, 75))


def test_what_accounts_have_is_not_read() -> None:
    """A route needs no spans."""
    found = report_on(attributed(_order, _slow), by="route").by
    assert found is not None
    assert [(row.value and row.value.text, row.requests) for row in found.rows] == [("POST /orders", 400)]


def test_an_attribute_that_no_span_has_is_refused_with_the_nearest_name() -> None:
    """It is most likely misspelled."""
    with pytest.raises(ReportError, match=r"no span has the attribute 'tenant'\n  did you mean tenant.id\?"):
        report_on(attributed(_order, _slow), by="tenant")
