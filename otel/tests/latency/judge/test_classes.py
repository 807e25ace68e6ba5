"""Classes of slow requests: by route and cell, with what they do not explain; and what `slow` means with a limit."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lambda_latency.latency import Account, Accounts, Cell, Part, classes, report_of
from lambda_latency.latency.accounts.part import COLD_START, OWN_CODE
from lambda_latency.text import Style, flat, render_report, sentence
from tests.latency.requests import MS, PAYMENTS, RETRIES, TABLE, drawn, request
from tests.trace.build import T0

if TYPE_CHECKING:
    from collections.abc import Sequence

REVIEWS = Part("database", "postgresql reviews")


def _shop(seed: int = 1, requests: int = 1000) -> list[Account]:
    """Orders of about 235 ms, and products of about 36 ms, of which one in ten waits 120 ms more for the reviews."""
    draw = random.Random(seed)  # noqa: S311
    found = []
    for number in range(requests):
        if number % 4:
            parts = {OWN_CODE: draw.lognormvariate(2, 0.2), PAYMENTS: draw.lognormvariate(5.4, 0.2)}
            found.append(request(number, parts, route="POST /orders"))
        else:
            late = 120 if number % 40 == 0 else 0
            parts = {OWN_CODE: draw.lognormvariate(2, 0.2), REVIEWS: draw.lognormvariate(3.3, 0.2) + late}
            found.append(request(number, parts, route="GET /products"))
    return found


def _told(accounts: Sequence[Account]) -> str:
    text = render_report(report_of(accounts, lambda _: {}), Style(width=10_000, unicode=False, thin=False))
    return text.split("\n\n")[0]


def test_a_fast_route_is_judged_by_itself() -> None:
    """Its slow requests are faster than a typical request of another route."""
    found = classes(Accounts(_shop()))
    [one] = found.found
    assert (one.cell, one.routes) == (Cell("", REVIEWS), ("GET /products",))
    assert 25 <= len(one.members) <= 27
    assert (one.confidence, one.stretch, round(one.share, 1)) == ("high", None, 1.0)
    assert 110 * MS < one.excess_ns == one.excess_call_ns < 130 * MS
    assert _told(_shop()).startswith(f"{len(one.members)} of 1,000 requests wait for postgresql reviews: 1")


def test_three_causes_are_three_findings() -> None:
    """Each with its count, its share of the excess, its confidence, and a step."""
    accounts = drawn("three", 1000)
    found = classes(Accounts(accounts))
    assert [one.cell.part for one in found.found] == [PAYMENTS, COLD_START, RETRIES]
    assert sum(one.share for one in found.found) == pytest.approx(1, abs=0.1)
    told = _told(accounts)
    assert [line.split(" of 1,000 ")[0] for line in told.splitlines() if " of 1,000 requests wait for " in line] == [
        str(len(found.found[0].members)),
        *(f"Also: {len(one.members)}" for one in found.found[1:]),
    ]
    assert told.count("Next: ") == 3


def test_fewer_than_eight_are_told_and_not_blamed() -> None:
    """Alone, or beside a class."""
    steady = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(100)]
    seven = [request(200 + number, {OWN_CODE: 50, TABLE: 400}) for number in range(7)]
    found = classes(Accounts([*steady, *seven]))
    assert (found.found, [(one.cell.part, len(one.members), one.confidence) for one in found.few]) == (
        (),
        [(TABLE, 7, "low")],
    )
    eight = [request(300 + number, {OWN_CODE: 50, PAYMENTS: 900}) for number in range(8)]
    assert "Too few to tell: 7 requests for DynamoDB PutItem orders (400 ms)." in _told([*steady, *seven, *eight])


def test_a_request_without_a_dominant_cell_is_mixed() -> None:
    """It is counted, and blames nothing."""
    steady = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(100)]
    mixed = [
        request(200 + number, {OWN_CODE: 250, TABLE: 200, PAYMENTS: 200}, route="POST /orders") for number in range(20)
    ]
    found = classes(Accounts([*steady, *mixed]))
    assert (found.found, found.few, len(found.mixed)) == ((), (), 20)
    assert _told([*steady, *mixed]).startswith("Thin evidence: 20 of 120 requests are slow.")


def test_more_than_five_classes_are_counted() -> None:
    """As others, with their requests."""
    accounts = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(400)]
    for which in range(7):
        part = Part("external", f"host{which}.example.com")
        accounts += [request(1000 + 10 * which + at, {OWN_CODE: 50, part: 900 - 50 * which}) for at in range(10)]
    found = classes(Accounts(accounts))
    assert ([len(one.members) for one in found.found], found.others) == ([10] * 5, (2, 20))
    assert "Others: 2 classes, 20 requests." in _told(accounts)


def test_a_slow_hour_is_a_stretch() -> None:
    """Where nearly all of them started; scattered ones have none."""
    for members, has in ((range(600, 640), True), (range(0, 1000, 25), False)):
        accounts = [
            request(number, {OWN_CODE: 50 + number % 5, PAYMENTS: 900 if number in members else 20})._replace(
                start_ns=T0 + number * 1000 * MS
            )
            for number in range(1000)
        ]
        [one] = classes(Accounts(accounts)).found
        assert (one.stretch is not None) is has


def test_a_machine_that_stalls_is_no_cause() -> None:
    """Requests that are slow in all cells alike are told as such."""
    usual = {OWN_CODE: 20.0, TABLE: 30.0, PAYMENTS: 50.0}
    accounts = [
        request(number, {part: ms * (10 if 300 <= number < 330 else 1 + number % 7 / 50) for part, ms in usual.items()})
        for number in range(600)
    ]
    found = classes(Accounts(accounts))
    assert found.found == ()
    assert len(found.alike) + len(found.mixed) == 30


def test_a_limit_says_what_is_slow() -> None:
    """Requests over it, on each route; where most exceed it the route is a line, and its fence counts."""
    accounts = _shop()
    found = classes(Accounts(accounts), 100 * MS)
    assert [one.cell.part for one in found.found] == [REVIEWS]
    assert [(one.route, one.cell) for one in found.slowness.whole] == [("POST /orders", Cell("", PAYMENTS))]
    assert classes(Accounts(accounts), 10_000 * MS).slow == ()


def test_a_route_that_takes_many_times_as_long_is_a_line() -> None:
    """It is no cause."""
    accounts = _shop() + [request(5000 + number, {TABLE: 3000}, route="GET /export") for number in range(20)]
    found = classes(Accounts(accounts))
    assert [one.routes for one in found.found] == [("GET /products",)]
    assert (
        "GET /export is slow as a whole: a typical request takes 3,000 ms, 3,000 ms of it (100 %) "
        "DynamoDB PutItem orders." in _told(accounts)
    )


def test_nothing_names_the_routes_that_it_holds_for() -> None:
    """And those that it says nothing about."""
    accounts = [request(number, {OWN_CODE: 50 + number % 5}, route="GET /a") for number in range(100)]
    accounts += [request(200 + number, {OWN_CODE: 50}, route="GET /b") for number in range(3)]
    told = _told(accounts)
    assert told.startswith("Nothing stands out.")
    assert "Judged: GET /a." in told
    assert "Not judged, because too few requests came: GET /b." in told


def test_a_file_of_slow_requests_alone_blames_nothing() -> None:
    """There is no other request to compare them with, without a limit and with one."""
    accounts = [request(number, {OWN_CODE: 50, PAYMENTS: 900 + number % 9}) for number in range(100)]
    assert classes(Accounts(accounts)).slow == ()
    found = classes(Accounts(accounts), 800 * MS)
    assert (found.slow, [one.route for one in found.slowness.whole]) == ((), ["POST /orders"])


def test_the_order_of_requests_changes_nothing() -> None:
    """Files are read in any order."""
    accounts = drawn("order", 400)
    assert _told(accounts) == _told(accounts[::-1])


@pytest.mark.parametrize("sigma", [0.2, 0.6])
def test_wide_noise_in_parallel_branches_is_no_class(sigma: float) -> None:
    """A part that is on the critical path of few requests has a median of 0."""
    draw = random.Random(sigma)  # noqa: S311
    told = 0
    for _ in range(10):
        accounts = []
        for number in range(500):
            branches = [(draw.lognormvariate(3.5, sigma), Part("external", f"host{at}")) for at in range(4)]
            ms, part = max(branches)
            accounts.append(request(number, {part: ms, OWN_CODE: draw.lognormvariate(3, sigma)}))
        told += bool(classes(Accounts(accounts)).found)
    assert told == 0


def test_calls_into_one_callee_are_one_class_whoever_calls() -> None:
    """A queue before one service delays all its callers: four of them would be four classes of five."""
    callee, callers = Part("network", "stock"), ("baskets", "mail", "orders", "search")
    accounts = []
    for number in range(400):
        late = 300 if number % 10 == 0 else 0
        cells = tuple((Cell(callers[(number // 10 + at) % 4], part), ns * MS)
                      for at, (part, ns) in enumerate([(callee, 20 + number % 3 + late), (OWN_CODE, 10)]))  # fmt: skip
        accounts.append(request(number, {})._replace(cells=cells, wall_ns=sum(ns for _, ns in cells)))
    found = report_of(accounts, lambda _: {})
    [one] = found.classes.found
    assert (one.cell, one.callers, len(one.members), one.excess_ns) == (Cell("", callee), callers, 40, 300 * MS)
    assert one.gain_ns == 300 * MS
    assert _told(accounts).startswith("40 of 400 requests wait for the network to stock: 300 ms more than a typical")


def test_two_calls_of_one_request_into_one_callee_are_its_excess() -> None:
    """Each of them alone would be half of it: mixed."""
    callee = Part("network", "stock")
    accounts = []
    for number in range(200):
        late = 120 if number % 10 == 0 else 0
        cells = tuple((Cell(caller, callee), (20 + late) * MS) for caller in ("baskets", "mail"))
        own = (Cell("", OWN_CODE), (10 + late // 20) * MS)
        accounts.append(request(number, {})._replace(cells=(*cells, own), wall_ns=sum(ns for _, ns in (*cells, own))))
    [one] = classes(Accounts(accounts)).found
    assert (one.cell, one.callers, one.excess_ns) == (Cell("", callee), ("baskets", "mail"), 240 * MS)


def test_the_request_against_the_verdict_does_not_depend_on_the_order_of_reading() -> None:
    """It is the slowest one that no class explains."""
    steady = [request(number, {OWN_CODE: 50 + number % 5, TABLE: 20}) for number in range(200)]
    slow = [request(300 + number, {OWN_CODE: 50, TABLE: 400}) for number in range(20)]
    mixed = [request(400 + number, {OWN_CODE: 200, TABLE: 170 + number, PAYMENTS: 150}) for number in range(5)]
    found = [report_of(some, lambda _: {}).verdict for some in ([*steady, *slow, *mixed], [*mixed, *slow, *steady])]
    assert found[0] == found[1]
    assert found[0].against is not None
    assert (found[0].against.account.trace_id, found[0].others) == (mixed[-1].trace_id, 5)


@pytest.mark.parametrize(
    ("then", "said"), [(1, "new since"), (3, "new since"), (30, "also in"), (12, "also in"), (0, "new since")]
)
def test_a_class_is_in_the_baseline_too_if_it_had_hardly_fewer(then: int, said: str) -> None:
    """One slow request of the baseline is no reason to call 30 of now old."""

    def some(slow: int, first: int) -> list[Account]:
        return [
            request(first + number, {OWN_CODE: 50 + number % 5, TABLE: 400 if number < slow else 20})
            for number in range(300)
        ]

    baseline = Accounts(some(then, 1000))
    report = report_of(some(30, 0), lambda _: {}, baseline=baseline)
    assert f", {said} the baseline." in flat(sentence(report, Style()))
