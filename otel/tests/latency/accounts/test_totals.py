"""The totals of many requests."""

from __future__ import annotations

from lambda_latency.latency import Part, Tally, percentile
from lambda_latency.latency.accounts.calls import Calls
from tests.latency.system import account, charge, order, put_item, request
from tests.trace.build import MS, tree

ACCOUNTS = [
    *(account(order(100 + 10 * number, number=number, cold=300 if number == 3 else 0)) for number in range(9)),
    account(tree(request(put_item(20, 30), end=50, route="GET /orders", status_code=500), unit=MS)),
    account(tree(request(charge(20, 3000), end=3010, timed_out=True, status_code=504), unit=MS)),
]


def test_percentiles_are_of_the_nearest_rank() -> None:
    """The result is always one of the values."""
    values = [50, 10, 40, 30, 20]
    assert [percentile(values, percent) for percent in (1, 20, 21, 50, 90, 95, 100)] == [10, 10, 20, 30, 50, 50, 50]
    assert percentile(range(1, 121), 95) == 114
    assert percentile([], 50) == 0


def test_requests_are_counted() -> None:
    """A request counts as an error or as a timeout, not as both."""
    tally = Tally.of(ACCOUNTS)
    assert (tally.requests, tally.cold_starts, tally.errors, tally.timeouts, max(tally.walls_ns)) == (
        11, 1, 1, 1, 3010 * MS,
    )  # fmt: skip


def test_the_parts_of_many_requests_add_up_to_their_wall_clocks() -> None:
    """Each part has the number of its requests and of its calls."""
    tally = Tally.of(ACCOUNTS)
    assert sum(one.total_ns for one in tally.parts.values()) == tally.wall_ns
    assert [(part.label, one.requests, one.calls.calls) for part, one in tally.largest_first()] == [
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
    assert Tally.of(ACCOUNTS).parts[Part("external", "payments.example.com")].calls == Calls(10)
