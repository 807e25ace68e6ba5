"""A report against a baseline: changes are named with bounds that hold the true difference, noise is called noise."""

import random

import pytest

from lambda_latency.latency import SLOW_CALLER, Breakdowns, report_of
from lambda_latency.latency.baseline.against import Against, EdgeChange, against, rates
from lambda_latency.latency.baseline.periods import Times, WeightedTimes, of_medians
from lambda_latency.latency.breakdowns.breakdown import Breakdown, Calls
from lambda_latency.latency.breakdowns.component import OWN_CODE, Component, Edge
from lambda_latency.text import cards
from lambda_latency.text.against import against_sentence
from lambda_latency.text.against_table import against_lines
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style, paint
from tests.latency.drawn_requests import MS, PAYMENTS, TABLE, drawn, request

PLAIN = Style(unicode=False)


def _of(diff: Against, part: Component) -> EdgeChange:
    return next(change for change in diff.edges if change.component == part)


def _said(diff: Against) -> str:
    return flat(against_sentence(diff, PLAIN))


@pytest.mark.parametrize("seed", range(20))
def test_two_runs_of_one_plan_do_not_differ(seed: int) -> None:
    """A fifth of the orders is slow in both runs, at different positions."""
    diff = against(drawn(f"{seed} now"), drawn(f"{seed} then"))
    assert (diff.changed, diff.decision.slowdown.percent) == ((), 0.0)
    assert _said(diff).startswith("No difference from the baseline (120 requests then, 120 now): ")


@pytest.mark.parametrize("seed", range(20))
def test_a_slower_provider_is_named_within_bounds(seed: int) -> None:
    """Each payment takes 100 ms longer, under noise of a second."""
    diff = against(drawn(f"{seed} now", provider_ms=100), drawn(f"{seed} then"))
    change = diff.changed[0]
    assert (change.component, change.by_typical) == (PAYMENTS, True)
    assert change.difference is not None
    assert change.difference.low_ns <= 100 * MS <= change.difference.high_ns
    assert change.difference.low_ns > 80 * MS
    assert _said(diff).startswith("Slower than the baseline (120 requests then, 120 now): payments.example.com takes ")
    back = against(drawn(f"{seed} then"), drawn(f"{seed} now", provider_ms=100)).changed[0]
    assert back.difference is not None
    assert (back.component, back.difference.difference_ns) == (PAYMENTS, -change.difference.difference_ns)


def test_a_change_of_few_requests_is_told_by_them() -> None:
    """The typical payment does not change; a third of the payments stalls, none did before: no mean says that."""
    diff = against(drawn("now", 600, stalls=0.35), drawn("then", 600, stalls=0))
    change = diff.changed[0]
    assert (change.component, change.by_typical, change.difference) == (PAYMENTS, False, change.mean)
    assert _said(diff) == (
        "Slower than the baseline (600 requests then, 600 now): 101 of 289 requests of POST /orders (35 %) wait 1,297 "
        "ms longer than a typical one for payments.example.com; none did then. The cause is external. Requests of POST "
        "/orders take 729 % more on average."
    )


def test_a_change_of_the_mean_is_told_with_the_requests_that_wait_if_these_are_more() -> None:
    """Every third request waited for the table, and all but a few do now; the wait is as long."""

    def run(share: int) -> list[Breakdown]:
        return [
            request(n, {OWN_CODE: 20 + n % 7, **({TABLE: 60 + n % 5} if n % 10 < share else {})}) for n in range(200)
        ]

    [change] = [change for change in against(run(9), run(3)).edges if change.component == TABLE]
    assert (change.waited, change.is_waited_for_otherwise) == ((60, 180), True)
    [change] = [change for change in against(run(4), run(3)).edges if change.component == TABLE]
    assert (change.waited, change.is_waited_for_otherwise) == ((60, 80), False)


def test_a_new_part_is_named() -> None:
    """It has no typical time in the baseline: the mean per request counts."""
    baseline = [request(number, {OWN_CODE: 20 + number % 7}) for number in range(40)]
    current = [request(number, {OWN_CODE: 20 + number % 7, TABLE: 40 + number % 5}) for number in range(40)]
    diff = against(current, baseline, ["old.jsonl"])
    assert [change.component for change in diff.changed] == [TABLE]
    assert diff.changed[0].waited == (0, 40)
    assert _said(diff) == (
        "Slower than the baseline (40 requests then, 40 now): DynamoDB PutItem orders takes 42 ms more on average "
        "(between +36 ms and +48 ms). 40 of 40 requests wait for it, 0 of 40 did. The cause is internal (AWS). "
        "Requests take 184 % more on average."
    )
    assert diff.decision.slowdown.percent == pytest.approx(100 * 42 / 23, abs=5)


def test_the_table_lists_changed_parts_and_folds_the_others() -> None:
    """`everything` lists all parts."""
    baseline = [request(number, {OWN_CODE: 20, TABLE: 50}) for number in range(40)]
    current = [request(number, {OWN_CODE: 20, TABLE: 20}) for number in range(40)]
    assert paint(against_lines(against(current, baseline), PLAIN), PLAIN) == (
        "Against the baseline     owner   then    now  difference           between\n"
        "DynamoDB PutItem orders  AWS    50 ms  20 ms      -30 ms  -35 ms to -25 ms  each time\n"
        "the whole request               70 ms  40 ms      -30 ms  -35 ms to -25 ms  typically\n"
        "1 more part: no difference\n"
    )
    assert paint(against_lines(against(current, baseline), PLAIN, everything=True), PLAIN).endswith(
        "own code               internal  20 ms  20 ms        0 ms    -5 ms to +5 ms  each time, may be noise\n"
        "the whole request                70 ms  40 ms      -30 ms  -35 ms to -25 ms  typically\n"
    )


def test_requests_that_take_more_on_average_are_not_faster() -> None:
    """The p90 falls from 300 to 200 ms, and four requests of 4 s more than outweigh it."""
    draw = random.Random("tail")  # noqa: S311
    baseline, current = (
        [request(number, {OWN_CODE: slow if number % 6 == 0 else draw.uniform(60, 70)}) for number in range(400)]
        for slow in (300, 200)
    )
    assert against(current, baseline).answer == "faster"
    late = [request(500 + number, {OWN_CODE: 4000}) for number in range(4)]
    assert against([*current, *late], [*baseline, late[0]]).answer == "same"


def test_a_longer_tail_is_told_where_the_mean_is_shorter() -> None:
    """A tenth of the requests takes 400 ms in place of 200 ms; three of the baseline took 10 s."""
    draw = random.Random("longer")  # noqa: S311

    def run(slow_ms: float, stalled: tuple[int, ...]) -> list[Breakdown]:
        times = [
            slow_ms + draw.uniform(0, 30) if number % 10 == 0 else draw.lognormvariate(4, 0.3) for number in range(400)
        ]
        return [request(number, {OWN_CODE: 10_000 if number in stalled else ms}) for number, ms in enumerate(times)]

    baseline = run(200, (5, 205, 305))
    diff = against(run(400, ()), baseline)
    assert (diff.answer, [cause.service for cause in diff.causes], diff.decision.slowdown.percent > 50) == (
        "slower",
        [""],
        True,
    )
    assert _said(diff) == (
        "Slower than the baseline (400 requests then, 400 now): own code takes longer in the slowest requests (p95 of "
        "POST /orders: 218 ms then, 417 ms now). The tail changed, not the typical request. Requests of POST /orders "
        "take 90.8 % more at p95."
    )


def test_a_changed_mix_of_routes_is_no_difference() -> None:
    """The share of the slow route grows from 10 % to 90 %: each route is compared with itself."""

    def drawn_times(fast: int, slow: int, seed: str) -> list[tuple[str, float]]:
        draw = random.Random(seed)  # noqa: S311
        times = [("GET /a", draw.uniform(8, 12)) for _ in range(fast)]
        return times + [("GET /b", draw.uniform(800, 900)) for _ in range(slow)]

    baseline, current = (
        [request(number, {OWN_CODE: ms}, route=route) for number, (route, ms) in enumerate(times)]
        for times in (drawn_times(90, 10, "then"), drawn_times(10, 90, "now"))
    )
    assert against(current, baseline).changed == ()


def test_too_few_requests_are_not_compared() -> None:
    """Neither all requests, nor those of a route."""
    too_few = [request(number, {OWN_CODE: 20}) for number in range(9)]
    diff = against(too_few, drawn("then"))
    assert (diff.whole, diff.edges, diff.decision.slowdown.percent) == (None, (), 0.0)
    assert _said(diff) == (
        "Too few requests to compare with the baseline (120 then, 9 now): it takes 10 of one route on both sides."
    )
    with_new_route = against([*drawn("now"), request(999, {OWN_CODE: 20}, route="GET /new")], drawn("then"))
    assert with_new_route.left_out == ("GET /new",)
    assert _said(with_new_route).endswith(" Not compared, because one side has too few requests: GET /new.")


def test_a_timeout_is_counted_and_not_compared() -> None:
    """The duration of a timeout is the limit."""
    late = [request(1000 + number, {TABLE: 6000}, timed_out=True) for number in range(20)]
    diff = against([*drawn("now"), *late], drawn("then"))
    assert (diff.changed, diff.requests, diff.timeouts) == ((), (120, 120), (0, 20))
    assert "More timeouts: 0 of 120 then, 20 of 140 now (between +5 % and +25 %)." in _said(diff)
    assert "Timeouts: 0 then, 1 now." in _said(against([*drawn("now"), late[0]], drawn("then")))


def test_a_small_difference_does_not_count() -> None:
    """Less than a fifth of a typical request and less than 20 ms, however steady."""
    for usual_ms, least_ms in ((50, 10), (400, 20)):
        baseline = [request(number, {OWN_CODE: usual_ms}) for number in range(40)]
        for more_ms in (least_ms - 1, least_ms):
            current = [request(number, {OWN_CODE: usual_ms + more_ms}) for number in range(40)]
            assert len(against(current, baseline).changed) == (more_ms == least_ms)


def test_the_means_of_the_parts_add_up() -> None:
    """Their sum is the mean of the whole request, except for rounding."""
    diff = against(drawn("now", 400, provider_ms=30), drawn("then", 300))
    assert diff.whole is not None
    together = sum(change.mean.difference_ns for change in diff.edges)
    assert abs(together - diff.whole.mean.difference_ns) <= len(diff.edges)


@pytest.mark.parametrize("size", [20, 300])
def test_bounds_hold_a_known_difference(size: int) -> None:
    """The median of skewed times, a hundred times: 99 % of the bounds hold it; the test allows for chance."""
    draw = random.Random(size)  # noqa: S311
    held = 0
    for number in range(100):
        baseline, current = ([round(draw.lognormvariate(3, 0.5) * MS) for _ in range(size)] for _ in range(2))
        stratum = WeightedTimes(1, Times.in_order(baseline), Times.in_order([ns + 50 * MS for ns in current]))
        bounds = of_medians(str(number), [stratum], 1)
        held += bounds.low_ns <= 50 * MS <= bounds.high_ns
    assert held >= 95


def _own_code(slow: range) -> list[Breakdown]:
    """120 requests of about 20 ms, of which some take 180 ms."""
    return [request(number, {OWN_CODE: (180 if number in slow else 20) + number % 7}) for number in range(120)]


def test_consecutive_slow_requests_are_a_stretch() -> None:
    """Something stalled once: 15 of 120 requests in a row are slow, none before. That is no proof of a change."""
    baseline, current = _own_code(range(0)), _own_code(range(75, 90))
    diff = against(current, baseline)
    assert (diff.answer, diff.decision.window) == ("slower", (current[75].start_ns, current[89].start_ns))
    assert [(change.component, change.tested.is_sure) for change in diff.changed] == [(OWN_CODE, False)]
    assert _said(diff).startswith("Slower than the baseline from 2026-11-24T22:40:00Z to 2026-11-24T22:40:00Z (120 ")
    apart = against(_own_code(range(1, 120, 8)), baseline)
    assert [change.component for change in apart.changed] == [OWN_CODE]


SERVICES = ("orders", "baskets", "stock", "mail")


def _served(number: int, times: float = 1.0, seed: str = "") -> Breakdown:
    """A request that four services work on, each with a database; all of them take so many times as long."""
    draw = random.Random(f"{seed} {number}")  # noqa: S311 - repeatable
    cells = [
        (Edge(name, part), round(times * draw.uniform(25, 35) * MS))
        for name in SERVICES
        for part in (Component("own code", name), Component("database", f"postgresql {name}"))
    ]
    return request(number, {})._replace(edges=tuple(cells), wall_ns=sum(ns for _, ns in cells))


def test_a_burst_in_which_all_parts_are_slow_is_the_machine() -> None:
    """Told by the requests before and after it: all cells take three times as long for a while."""
    baseline = [_served(number, seed="then") for number in range(120)]
    current = [_served(number, 3 if 75 <= number < 90 else 1, "now") for number in range(120)]
    diff = against(current, baseline)
    assert (diff.answer, diff.decision.window, diff.decision.slowdown.percent) == ("disturbed", None, 0.0)
    assert _said(diff).startswith("Disturbed (120 requests then, 120 now): nearly all parts became slower alike")


def test_one_slow_part_among_many_is_not_the_machine() -> None:
    """The same time, but in one of the databases."""

    def slow(breakdown: Breakdown) -> Breakdown:
        head, (cell, ns), *tail = breakdown.edges
        cells = (head, (cell, ns + 480 * MS), *tail)
        return breakdown._replace(edges=cells, wall_ns=breakdown.wall_ns + 480 * MS)

    baseline = [_served(number, seed="then") for number in range(120)]
    current = [_served(number, seed="now") for number in range(120)]
    current[75:90] = map(slow, current[75:90])
    diff = against(current, baseline)
    assert (diff.answer, diff.decision.window) == ("slower", (current[75].start_ns, current[89].start_ns))
    assert diff.causes[0].edges[0] == Edge("orders", Component("database", "postgresql orders"))


def test_slower_requests_of_an_interval_without_a_slow_part_are_unsure() -> None:
    """Each of them waits longer for another part."""

    def slow(number: int, breakdown: Breakdown) -> Breakdown:
        slowed = number % len(breakdown.edges)
        cells = [(cell, ns + 200 * MS if index == slowed else ns) for index, (cell, ns) in enumerate(breakdown.edges)]
        return breakdown._replace(edges=tuple(cells), wall_ns=breakdown.wall_ns + 200 * MS)

    baseline = [_served(number, seed="then") for number in range(400)]
    current = [_served(number, seed="now") for number in range(400)]
    current[75:123] = [slow(number, current[number]) for number in range(75, 123)]
    diff = against(current, baseline)
    assert diff.answer == "unsure"
    assert _said(diff).startswith(
        "Unsure (400 requests then, 400 now): requests were slower from 2026-11-24T22:40:00Z to 2026-11-24T22:40:00Z, "
        "and no part is sure to be the cause: give more requests."
    )


def test_a_load_that_drifts_is_the_machine_whatever_calls_take_no_time() -> None:
    """All parts take 8 % longer; each request also calls a service in parallel that it never waits for."""
    parallel = tuple(Edge(name, Component("network", "audit")) for name in SERVICES)

    def with_calls(breakdown: Breakdown) -> Breakdown:
        calls, took = tuple((cell, Calls(1)) for cell in parallel), tuple((cell, (MS,)) for cell in parallel)
        return breakdown._replace(edge_calls=calls, durations_ns=took)

    baseline = [with_calls(_served(number, seed="then")) for number in range(200)]
    current = [with_calls(_served(number, 1.08, "now")) for number in range(200)]
    diff = against(current, baseline)
    assert (diff.answer, diff.changed) == ("disturbed", ())


def test_a_rare_part_of_the_baseline_is_no_new_one() -> None:
    """Two requests waited for it then, and now twelve: as long as those two."""

    def run(rare: int) -> list[Breakdown]:
        return [
            request(number, {OWN_CODE: 20 + number % 7, **({TABLE: 60 + number % 5} if number < rare else {})})
            for number in range(40)
        ]

    assert _of(against(run(12), run(2)), TABLE).tested.kind == "same"
    assert _of(against(run(12), run(0)), TABLE).tested.kind == "slower"
    outlier = request(3, {OWN_CODE: 20, TABLE: 600})
    current = [outlier if r.trace_id == outlier.trace_id else r for r in run(12)]
    assert _of(against(current, run(2)), TABLE).tested.kind == "same"


def test_a_slow_caller_is_the_cause_of_its_slow_calls() -> None:
    """Six slow networks are one slow caller, and a connection of one of them is no seventh."""
    callees = ("auth", "baskets", "mail", "stock", "tax", "users")

    def run(seed: str, more_ms: int) -> list[Breakdown]:
        draw = random.Random(seed)  # noqa: S311 - repeatable
        requests = []
        for number in range(100):
            edges = [
                *(Edge("orders", Component("network", name)) for name in callees),
                Edge("orders", Component("connect", "x")),
            ]
            cells = [(cell, round((draw.uniform(9, 11) + more_ms) * MS)) for cell in edges]
            cells += [(Edge(name, Component("own code", name)), round(draw.uniform(9, 11) * MS)) for name in callees]
            requests.append(request(number, {})._replace(edges=tuple(cells), wall_ns=sum(ns for _, ns in cells)))
        return requests

    diff = against(run("now", 30), run("then", 0))
    cause = diff.causes[0]
    assert (diff.answer, cause.service, cause.origin, cause.asserted) == ("slower", "orders", "caller", True)
    assert {cell.component.name for cell in cause.edges} >= {*callees}
    assert "the calls of orders slowed alike, so it is the cause; " in _said(diff)
    assert "Also:" not in _said(diff)
    step = SLOW_CALLER.format(name="orders")
    report = report_of(run("now", 30), lambda _: {}, against=diff)
    assert cards(report, Style())[0].steps == (step,)


def _requests(count: int, *, errors: int = 0, cold: int = 0, late: int = 0) -> Breakdowns:
    accounts = Breakdowns()
    for number in range(count):
        breakdown = request(number, {TABLE: 50 + number % 7}, timed_out=number >= count - late)
        accounts.append(breakdown._replace(error=number < errors, cold_start=number < cold))
    return accounts


def test_more_cold_starts_are_reported_if_times_are_equal() -> None:
    """The sentence is not "No difference"."""
    diff = against(_requests(400, cold=380), _requests(400))
    assert [(rate.name, rate.old, rate.new, rate.stands) for rate in diff.rates] == [
        ("errors", (0, 400), (0, 400), False),
        ("cold starts", (0, 400), (380, 400), True),
        ("timeouts", (0, 400), (0, 400), False),
    ]
    assert flat(against_sentence(diff, Style(unicode=False))) == (
        "Times do not differ from the baseline (400 requests then, 400 now), but rates do. "
        "More cold starts: 0 of 400 then, 380 of 400 now (between +90 % and +97 %)."
    )


def test_few_requests_prove_nothing() -> None:
    """One error in ten requests does not differ from none in ten."""
    [errors, *_] = rates(_requests(10), _requests(10, errors=1))
    assert not errors.stands
    assert errors.low < 0 < errors.difference < errors.high
    assert rates(_requests(0), _requests(10)) == ()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5])
def test_equal_shares_show_no_difference(share: float) -> None:
    """In 99 of 100 comparisons of two samples with one share, all three rates together."""
    draw = random.Random(f"{share}")  # noqa: S311 - a repeatable seed
    wrong = 0
    for _ in range(300):
        then, current = (sum(draw.random() < share for _ in range(120)) for _ in range(2))
        wrong += rates(_requests(120, errors=then), _requests(120, errors=current))[0].stands
    assert wrong <= 3
