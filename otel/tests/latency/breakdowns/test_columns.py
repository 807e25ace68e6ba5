"""Accounts in columns: they return the accounts that were added, in any order, also after merging."""

import pytest

from lambda_latency.latency import Breakdown, Tally, percentile
from lambda_latency.latency.breakdowns.breakdown import Calls
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Component, Edge
from tests.latency.generated import load
from tests.latency.system import breakdown_of, charge, order, put_item, request
from tests.trace.build import MS, tree


@pytest.fixture
def accounts() -> list[Breakdown]:
    """Accounts with calls, cold starts, errors and a timeout, each of another trace."""
    return [breakdown_of(trace) for trace in load()]


def test_columns_return_the_accounts_that_were_added(accounts: list[Breakdown]) -> None:
    """By iteration, by index, and as a slice."""
    columns = Breakdowns(accounts)
    assert list(columns) == accounts
    assert [columns[index] for index in range(-len(accounts), 0)] == accounts
    assert list(columns[3:20:2]) == accounts[3:20:2]
    with pytest.raises(IndexError):
        columns[len(accounts)]


def test_extending_appends_accounts(accounts: list[Breakdown]) -> None:
    """The two instances number their values differently."""
    together = Breakdowns(accounts[:7])
    together.extend(Breakdowns(accounts[:6:-1]))
    assert list(together) == [*accounts[:7], *accounts[:6:-1]]


def test_pieces_may_end_anywhere(accounts: list[Breakdown], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also inside the entries of one account."""
    monkeypatch.setattr("lambda_latency.latency.breakdowns.columns.LENGTH", 5)
    together = Breakdowns(accounts[:7])
    together.receive(Breakdowns(accounts[7:]).pieces())
    assert list(together) == accounts


def test_accounts_are_sorted_by_start_and_then_by_trace_id(accounts: list[Breakdown]) -> None:
    """Accounts already in order are returned unchanged."""
    mixed = [a._replace(start_ns=accounts[0].start_ns) if index % 3 else a for index, a in enumerate(accounts)][::-1]
    columns = Breakdowns(mixed)
    expected = sorted(mixed, key=lambda a: (a.start_ns, a.trace_id))
    ordered = columns.in_order()
    assert list(ordered) == expected
    assert ordered.in_order() is ordered
    assert [columns[index] for index in columns.slowest(5)] == sorted(expected, key=lambda a: (-a.wall_ns, a.trace_id))[
        :5
    ]


def test_parts_without_time_are_included_in_sums(accounts: list[Breakdown]) -> None:
    """Only parts of the selected requests are included."""
    plain, waiting, *_ = accounts
    waited = [part for part, _ in waiting.components]
    columns = Breakdowns([plain._replace(edges=((Edge("", Component("external", "pay.example")), 0),)), waiting])
    assert columns.sums_ns([0]) == {Component("external", "pay.example"): 0}
    assert list(columns.sums_ns([1])) == sorted(waited, key=list(columns.components).index)


ACCOUNTS = [
    *(breakdown_of(order(100 + 10 * number, number=number, cold=300 if number == 3 else 0)) for number in range(9)),
    breakdown_of(tree(request(put_item(20, 30), end=50, route="GET /orders", status_code=500), unit=MS)),
    breakdown_of(tree(request(charge(20, 3000), end=3010, timed_out=True, status_code=504), unit=MS)),
]


def test_percentiles_are_of_the_nearest_rank() -> None:
    """The result is always one of the values."""
    values = [50, 10, 40, 30, 20]
    assert [percentile(values, percent) for percent in (1, 20, 21, 50, 90, 95, 100)] == [10, 10, 20, 30, 50, 50, 50]
    assert percentile(range(1, 121), 95) == 114
    assert percentile([], 50) == 0


def test_requests_are_counted() -> None:
    """A request counts as an error or as a timeout, not as both."""
    tally = Tally.from_breakdowns(ACCOUNTS)
    assert (tally.requests, tally.cold_starts, tally.errors, tally.timeouts, max(tally.walls_ns)) == (
        11, 1, 1, 1, 3010 * MS,
    )  # fmt: skip


def test_the_parts_of_many_requests_add_up_to_their_wall_clocks() -> None:
    """Each part has the number of its requests and of its calls."""
    tally = Tally.from_breakdowns(ACCOUNTS)
    assert sum(totals.total_ns for totals in tally.components.values()) == tally.wall_ns
    assert [(part.label, totals.requests, totals.calls.calls) for part, totals in tally.largest_first()] == [
        ("payments.example.com", 10, 10),
        ("cold start", 1, 1),
        ("own code", 11, 0),
        ("DynamoDB PutItem orders", 10, 10),
        ("API Gateway", 11, 0),
        ("Lambda overhead", 11, 0),
        ("Lambda service", 11, 0),
    ]


def test_calls_add_up() -> None:
    """Each count is added by itself."""
    assert Calls(1, 2, 3, 4) + Calls(1, 1, 1, 1) == Calls(2, 3, 4, 5)
    assert Tally.from_breakdowns(ACCOUNTS).components[Component("external", "payments.example.com")].calls == Calls(10)
