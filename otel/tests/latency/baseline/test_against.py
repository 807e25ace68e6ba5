"""A report against a baseline: changes are named with bounds that hold the true difference, noise is called noise."""

from __future__ import annotations

import random

import pytest

from lambda_latency.latency import SLOW_CALLER, report_of
from lambda_latency.latency.accounts.account import Account
from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.part import OWN_CODE, Cell, Part
from lambda_latency.latency.baseline.against import Against, Change, against
from lambda_latency.latency.baseline.bootstrap import Stratum, Times, of_medians
from lambda_latency.text import cards
from lambda_latency.text.against import against_lines, against_sentence
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style, paint
from tests.latency.requests import MS, PAYMENTS, TABLE, drawn, request

PLAIN = Style(unicode=False)


def _of(one: Against, part: Part) -> Change:
    return next(change for change in one.cells if change.part == part)


def _said(one: Against) -> str:
    return flat(against_sentence(one, PLAIN))


@pytest.mark.parametrize("seed", range(20))
def test_two_runs_of_one_plan_do_not_differ(seed: int) -> None:
    """A fifth of the orders is slow in both runs, at different positions."""
    found = against(drawn(f"{seed} now"), drawn(f"{seed} then"))
    assert (found.changed, found.slower_percent) == ((), 0.0)
    assert _said(found).startswith("No difference from the baseline (120 requests then, 120 now): ")


@pytest.mark.parametrize("seed", range(20))
def test_a_slower_provider_is_named_within_bounds(seed: int) -> None:
    """Each payment takes 100 ms longer, under noise of a second."""
    found = against(drawn(f"{seed} now", provider_ms=100), drawn(f"{seed} then"))
    first = found.changed[0]
    assert (first.part, first.by_typical) == (PAYMENTS, True)
    assert first.real is not None
    assert first.real.low_ns <= 100 * MS <= first.real.high_ns
    assert first.real.low_ns > 80 * MS
    assert _said(found).startswith("Slower than the baseline (120 requests then, 120 now): payments.example.com takes ")
    back = against(drawn(f"{seed} then"), drawn(f"{seed} now", provider_ms=100)).changed[0]
    assert back.real is not None
    assert (back.part, back.real.difference_ns) == (PAYMENTS, -first.real.difference_ns)


def test_a_change_of_few_requests_is_seen_in_the_mean() -> None:
    """The typical payment does not change; a third of the payments stalls, none did before."""
    found = against(drawn("now", 600, stalls=0.35), drawn("then", 600, stalls=0))
    first = found.changed[0]
    assert (first.part, first.by_typical, first.real) == (PAYMENTS, False, first.mean)
    assert " more on average (between +" in _said(found)
    assert "of 600 requests wait for it, " in _said(found)


def test_a_new_part_is_named() -> None:
    """It has no typical time in the baseline: the mean per request counts."""
    before = [request(number, {OWN_CODE: 20 + number % 7}) for number in range(40)]
    now = [request(number, {OWN_CODE: 20 + number % 7, TABLE: 40 + number % 5}) for number in range(40)]
    found = against(now, before, ["old.jsonl"])
    assert [change.part for change in found.changed] == [TABLE]
    assert found.changed[0].waited == (0, 40)
    assert _said(found) == (
        "Slower than the baseline (40 requests then, 40 now): DynamoDB PutItem orders takes 42 ms more on average "
        "(between +36 ms and +48 ms). 40 of 40 requests wait for it, 0 of 40 did. The cause is external."
    )
    assert found.slower_percent == pytest.approx(100 * 42 / 23, abs=5)


def test_the_table_lists_changed_parts_and_folds_the_others() -> None:
    """`everything` lists all parts."""
    before = [request(number, {OWN_CODE: 20, TABLE: 50}) for number in range(40)]
    now = [request(number, {OWN_CODE: 20, TABLE: 20}) for number in range(40)]
    assert paint(against_lines(against(now, before), PLAIN), PLAIN) == (
        "Against the baseline     owner      then    now  difference           between\n"
        "DynamoDB PutItem orders  external  50 ms  20 ms      -30 ms  -35 ms to -25 ms  each time\n"
        "the whole request                  70 ms  40 ms      -30 ms  -35 ms to -25 ms  typically\n"
        "1 more part: no difference\n"
    )
    assert paint(against_lines(against(now, before), PLAIN, everything=True), PLAIN).endswith(
        "own code               internal  20 ms  20 ms        0 ms    -5 ms to +5 ms  each time, may be noise\n"
        "the whole request                70 ms  40 ms      -30 ms  -35 ms to -25 ms  typically\n"
    )


def test_requests_that_take_more_on_average_are_not_faster() -> None:
    """The p90 falls from 300 to 200 ms, and four requests of 4 s more than outweigh it."""
    draw = random.Random("tail")  # noqa: S311
    before, now = (
        [request(number, {OWN_CODE: slow if number % 6 == 0 else draw.uniform(60, 70)}) for number in range(400)]
        for slow in (300, 200)
    )
    assert against(now, before).answer == "faster"
    late = [request(500 + number, {OWN_CODE: 4000}) for number in range(4)]
    assert against([*now, *late], [*before, late[0]]).answer == "same"


def test_a_longer_tail_is_told_where_the_mean_is_shorter() -> None:
    """A tenth of the requests takes 400 ms in place of 200 ms; three of the baseline took 10 s."""
    draw = random.Random("longer")  # noqa: S311

    def some(slow_ms: float, stalled: tuple[int, ...]) -> list[Account]:
        times = [
            slow_ms + draw.uniform(0, 30) if number % 10 == 0 else draw.lognormvariate(4, 0.3) for number in range(400)
        ]
        return [request(number, {OWN_CODE: 10_000 if number in stalled else ms}) for number, ms in enumerate(times)]

    before = some(200, (5, 205, 305))
    found = against(some(400, ()), before)
    assert (found.answer, [one.service for one in found.causes], found.slower_percent > 50) == ("slower", [""], True)
    assert _said(found) == (
        "Slower than the baseline (400 requests then, 400 now): own code takes longer in the slowest requests (p95 of "
        "POST /orders: 218 ms then, 417 ms now). The tail changed, not the typical request. The cause is internal."
    )


def test_a_changed_mix_of_routes_is_no_difference() -> None:
    """The share of the slow route grows from 10 % to 90 %: each route is compared with itself."""

    def some(fast: int, slow: int, seed: str) -> list[tuple[str, float]]:
        draw = random.Random(seed)  # noqa: S311
        times = [("GET /a", draw.uniform(8, 12)) for _ in range(fast)]
        return times + [("GET /b", draw.uniform(800, 900)) for _ in range(slow)]

    before, now = (
        [request(number, {OWN_CODE: ms}, route=route) for number, (route, ms) in enumerate(times)]
        for times in (some(90, 10, "then"), some(10, 90, "now"))
    )
    assert against(now, before).changed == ()


def test_too_few_requests_are_not_compared() -> None:
    """Neither all requests, nor those of a route."""
    few = [request(number, {OWN_CODE: 20}) for number in range(9)]
    found = against(few, drawn("then"))
    assert (found.whole, found.cells, found.slower_percent) == (None, (), 0.0)
    assert _said(found) == (
        "Too few requests to compare with the baseline (120 then, 9 now): it takes 10 of one route on both sides."
    )
    left = against([*drawn("now"), request(999, {OWN_CODE: 20}, route="GET /new")], drawn("then"))
    assert left.left_out == ("GET /new",)
    assert _said(left).endswith(" Not compared, because one side has too few requests: GET /new.")


def test_a_timeout_is_counted_and_not_compared() -> None:
    """The duration of a timeout is the limit."""
    late = [request(1000 + number, {TABLE: 6000}, timed_out=True) for number in range(20)]
    found = against([*drawn("now"), *late], drawn("then"))
    assert (found.changed, found.requests, found.timeouts) == ((), (120, 120), (0, 20))
    assert "More timeouts: 0 of 120 then, 20 of 140 now (between +5 % and +25 %)." in _said(found)
    assert "Timeouts: 0 then, 1 now." in _said(against([*drawn("now"), late[0]], drawn("then")))


def test_a_small_difference_does_not_count() -> None:
    """Less than a fifth of a typical request and less than 20 ms, however steady."""
    for usual_ms, least_ms in ((50, 10), (400, 20)):
        before = [request(number, {OWN_CODE: usual_ms}) for number in range(40)]
        for more_ms in (least_ms - 1, least_ms):
            now = [request(number, {OWN_CODE: usual_ms + more_ms}) for number in range(40)]
            assert len(against(now, before).changed) == (more_ms == least_ms)


def test_the_order_of_requests_changes_nothing() -> None:
    """The result is equal to the nanosecond."""
    before, now = drawn("then"), drawn("now", provider_ms=30)
    found = against(now, before)
    assert against(now[::-1], sorted(before, key=lambda one: one.wall_ns)) == found


def test_the_means_of_the_parts_add_up() -> None:
    """Their sum is the mean of the whole request, except for rounding."""
    found = against(drawn("now", 400, provider_ms=30), drawn("then", 300))
    assert found.whole is not None
    together = sum(change.mean.difference_ns for change in found.cells)
    assert abs(together - found.whole.mean.difference_ns) <= len(found.cells)


@pytest.mark.parametrize("size", [20, 300])
def test_bounds_hold_a_known_difference(size: int) -> None:
    """The median of skewed times, a hundred times: 99 % of the bounds hold it; the test allows for chance."""
    draw = random.Random(size)  # noqa: S311
    held = 0
    for number in range(100):
        before, now = ([round(draw.lognormvariate(3, 0.5) * MS) for _ in range(size)] for _ in range(2))
        stratum = Stratum(1, Times.of(before), Times.of([value + 50 * MS for value in now]))
        found = of_medians(str(number), [stratum], 1)
        held += found.low_ns <= 50 * MS <= found.high_ns
    assert held >= 95


def test_consecutive_slow_requests_are_a_stretch() -> None:
    """Something stalled once: 15 of 120 requests in a row are slow, none before. That is no proof of a change."""
    before = [request(number, {OWN_CODE: 20 + number % 7}) for number in range(120)]
    now = [request(number, {OWN_CODE: (180 if 75 <= number < 90 else 20) + number % 7}) for number in range(120)]
    found = against(now, before)
    assert (found.answer, found.stretch) == ("slower", (now[75].start_ns, now[89].start_ns))
    assert [(change.part, change.tested.is_sure) for change in found.changed] == [(OWN_CODE, False)]
    assert _said(found).startswith("Slower than the baseline from 2026-11-24T22:40:00Z to 2026-11-24T22:40:00Z (120 ")
    apart = [request(number, {OWN_CODE: (180 if number % 8 == 1 else 20) + number % 7}) for number in range(120)]
    assert [change.part for change in against(apart, before).changed] == [OWN_CODE]


SERVICES = ("orders", "baskets", "stock", "mail")


def _served(number: int, times: float = 1.0, seed: str = "") -> Account:
    """A request that four services work on, each with a database; all of them take so many times as long."""
    draw = random.Random(f"{seed} {number}")  # noqa: S311 - repeatable
    cells = [
        (Cell(name, part), round(times * draw.uniform(25, 35) * MS))
        for name in SERVICES
        for part in (Part("own code", name), Part("database", f"postgresql {name}"))
    ]
    return request(number, {})._replace(cells=tuple(cells), wall_ns=sum(ns for _, ns in cells))


def test_a_burst_in_which_all_parts_are_slow_is_the_machine() -> None:
    """Told by the requests before and after it: all cells take three times as long for a while."""
    before = [_served(number, seed="then") for number in range(120)]
    now = [_served(number, 3 if 75 <= number < 90 else 1, "now") for number in range(120)]
    found = against(now, before)
    assert (found.answer, found.stretch, found.slower_percent) == ("disturbed", None, 0.0)
    assert _said(found).startswith("Disturbed (120 requests then, 120 now): nearly all parts became slower alike")


def test_one_slow_part_among_many_is_not_the_machine() -> None:
    """The same time, but in one of the databases."""

    def slow(one: Account) -> Account:
        cell, ns = one.cells[1]
        return one._replace(cells=(one.cells[0], (cell, ns + 480 * MS), *one.cells[2:]), wall_ns=one.wall_ns + 480 * MS)

    before = [_served(number, seed="then") for number in range(120)]
    now = [_served(number, seed="now") for number in range(120)]
    now[75:90] = map(slow, now[75:90])
    found = against(now, before)
    assert (found.answer, found.stretch) == ("slower", (now[75].start_ns, now[89].start_ns))
    assert found.causes[0].cells[0] == Cell("orders", Part("database", "postgresql orders"))


def test_slower_requests_of_an_interval_without_a_slow_part_are_unsure() -> None:
    """Each of them waits longer for another part."""

    def slow(number: int, one: Account) -> Account:
        at = number % len(one.cells)
        cells = [(cell, ns + 200 * MS if place == at else ns) for place, (cell, ns) in enumerate(one.cells)]
        return one._replace(cells=tuple(cells), wall_ns=one.wall_ns + 200 * MS)

    before = [_served(number, seed="then") for number in range(400)]
    now = [_served(number, seed="now") for number in range(400)]
    now[75:123] = [slow(number, now[number]) for number in range(75, 123)]
    found = against(now, before)
    assert found.answer == "unsure"
    assert _said(found).startswith(
        "Unsure (400 requests then, 400 now): requests were slower from 2026-11-24T22:40:00Z to 2026-11-24T22:40:00Z, "
        "and no part is sure to be the cause: give more requests."
    )


def test_a_load_that_drifts_is_the_machine_whatever_calls_take_no_time() -> None:
    """All parts take 8 % longer; each request also calls a service in parallel that it never waits for."""
    beside = tuple(Cell(name, Part("network", "audit")) for name in SERVICES)

    def with_calls(one: Account) -> Account:
        calls, took = tuple((cell, Calls(1)) for cell in beside), tuple((cell, (MS,)) for cell in beside)
        return one._replace(cell_calls=calls, took=took)

    before = [with_calls(_served(number, seed="then")) for number in range(200)]
    now = [with_calls(_served(number, 1.08, "now")) for number in range(200)]
    found = against(now, before)
    assert (found.answer, found.changed) == ("disturbed", ())


def test_a_rare_part_of_the_baseline_is_no_new_one() -> None:
    """Two requests waited for it then, and now twelve: as long as those two."""

    def some(rare: int) -> list[Account]:
        return [
            request(number, {OWN_CODE: 20 + number % 7, **({TABLE: 60 + number % 5} if number < rare else {})})
            for number in range(40)
        ]

    assert _of(against(some(12), some(2)), TABLE).tested.kind == "same"
    assert _of(against(some(12), some(0)), TABLE).tested.kind == "slower"
    outlier = request(3, {OWN_CODE: 20, TABLE: 600})
    assert (
        _of(
            against([outlier if one.trace_id == outlier.trace_id else one for one in some(12)], some(2)), TABLE
        ).tested.kind
        == "same"
    )


def test_a_slow_caller_is_the_cause_of_its_slow_calls() -> None:
    """Six slow networks are one slow caller, and a connection of one of them is no seventh."""
    callees = ("auth", "baskets", "mail", "stock", "tax", "users")

    def some(seed: str, more_ms: int) -> list[Account]:
        draw = random.Random(seed)  # noqa: S311 - repeatable
        found = []
        for number in range(100):
            edges = [*(Cell("orders", Part("network", name)) for name in callees), Cell("orders", Part("connect", "x"))]
            cells = [(cell, round((draw.uniform(9, 11) + more_ms) * MS)) for cell in edges]
            cells += [(Cell(name, Part("own code", name)), round(draw.uniform(9, 11) * MS)) for name in callees]
            found.append(request(number, {})._replace(cells=tuple(cells), wall_ns=sum(ns for _, ns in cells)))
        return found

    found = against(some("now", 30), some("then", 0))
    first = found.causes[0]
    assert (found.answer, first.service, first.origin, first.asserted) == ("slower", "orders", "caller", True)
    assert {cell.part.name for cell in first.cells} >= {*callees}
    assert "the calls of orders slowed alike, so it is the cause; " in _said(found)
    assert "Also:" not in _said(found)
    step = SLOW_CALLER.format(name="orders")
    report = report_of(some("now", 30), lambda _: {}, against=found)
    assert cards(report, Style())[0].steps == (step,)
