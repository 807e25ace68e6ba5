"""Accounts in columns: they return the accounts that were added, in any order, also after merging."""

from __future__ import annotations

import pytest

from lambda_latency.latency import Account
from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.part import Cell, Part
from tests.latency.generated import load
from tests.latency.system import account


@pytest.fixture
def every() -> list[Account]:
    """Accounts with calls, cold starts, errors and a timeout, each of another trace."""
    return [account(trace) for trace in load()]


def test_columns_return_the_accounts_that_were_added(every: list[Account]) -> None:
    """By iteration, by index, and as a slice."""
    columns = Accounts(every)
    assert list(columns) == every
    assert [columns[at] for at in range(-len(every), 0)] == every
    assert list(columns[3:20:2]) == every[3:20:2]
    with pytest.raises(IndexError):
        columns[len(every)]


def test_extending_appends_accounts(every: list[Account]) -> None:
    """The two instances number their values differently."""
    together = Accounts(every[:7])
    together.extend(Accounts(every[:6:-1]))
    assert list(together) == [*every[:7], *every[:6:-1]]


def test_pieces_may_end_anywhere(every: list[Account], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also inside the entries of one account."""
    monkeypatch.setattr("lambda_latency.latency.accounts.columns.LENGTH", 5)
    together = Accounts(every[:7])
    together.receive(Accounts(every[7:]).pieces())
    assert list(together) == every


def test_accounts_are_sorted_by_start_and_then_by_trace_id(every: list[Account]) -> None:
    """Accounts already in order are returned unchanged."""
    mixed = [one._replace(start_ns=every[0].start_ns) if at % 3 else one for at, one in enumerate(every)][::-1]
    columns = Accounts(mixed)
    expected = sorted(mixed, key=lambda one: (one.start_ns, one.trace_id))
    ordered = columns.in_order()
    assert list(ordered) == expected
    assert ordered.in_order() is ordered
    assert [columns[at] for at in columns.slowest(5)] == sorted(expected, key=lambda one: (-one.wall_ns, one.trace_id))[
        :5
    ]


def test_parts_without_time_are_included_in_sums(every: list[Account]) -> None:
    """Only parts of the selected requests are included."""
    first, second, *_ = every
    waited = [part for part, _ in second.parts]
    columns = Accounts([first._replace(cells=((Cell("", Part("external", "pay.example")), 0),)), second])
    assert columns.sums_ns([0]) == {Part("external", "pay.example"): 0}
    assert list(columns.sums_ns([1])) == sorted(waited, key=list(columns.parts).index)
