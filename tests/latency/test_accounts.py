"""Accounts in columns: what goes in comes out, in any order, from any number of places."""

from __future__ import annotations

import pytest

from lambda_latency.latency import Account
from lambda_latency.latency.accounts import Accounts
from lambda_latency.latency.part import Part
from tests.latency.load import load
from tests.latency.system import account


@pytest.fixture
def every() -> list[Account]:
    """Accounts with calls, cold starts, errors and a timeout, each of another trace."""
    return [account(trace) for trace in load()]


def test_what_goes_in_comes_out(every: list[Account]) -> None:
    """One by one, by place, as a slice."""
    columns = Accounts(every)
    assert list(columns) == every
    assert [columns[at] for at in range(-len(every), 0)] == every
    assert list(columns[3:20:2]) == every[3:20:2]
    with pytest.raises(IndexError):
        columns[len(every)]


def test_accounts_from_several_places_are_one_after_the_other(every: list[Account]) -> None:
    """Each place has numbered its names in its own way."""
    together = Accounts(every[:7])
    together.extend(Accounts(every[:6:-1]))
    assert list(together) == [*every[:7], *every[:6:-1]]


def test_the_order_is_that_of_the_start_and_then_of_the_id(every: list[Account]) -> None:
    """They are brought into it; those that stand in it stay as they are."""
    mixed = [one._replace(start_ns=every[0].start_ns) if at % 3 else one for at, one in enumerate(every)][::-1]
    columns = Accounts(mixed)
    expected = sorted(mixed, key=lambda one: (one.start_ns, one.trace_id))
    ordered = columns.in_order()
    assert list(ordered) == expected
    assert ordered.in_order() is ordered
    assert [columns[at] for at in columns.slowest(5)] == sorted(expected, key=lambda one: (-one.wall_ns, one.trace_id))[
        :5
    ]


def test_parts_that_took_no_time_are_parts(every: list[Account]) -> None:
    """Of the requests that are asked for, and of no others."""
    first, second, *_ = every
    waited = [part for part, _ in second.parts]
    columns = Accounts([first._replace(parts=((Part("external", "pay.example"), 0),)), second])
    assert columns.sums_ns([0]) == {Part("external", "pay.example"): 0}
    assert list(columns.sums_ns([1])) == sorted(waited, key=list(columns.parts).index)
