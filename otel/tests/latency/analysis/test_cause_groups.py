"""Classes of slow requests: by route and cell, with what they do not explain; and what `slow` means with a limit."""

import random
import re
from collections.abc import Sequence

import pytest

from lambda_latency.latency import Breakdown, Breakdowns, Component, Edge, against, cause_groups, report_of
from lambda_latency.latency.breakdowns.component import COLD_START, OWN_CODE
from lambda_latency.text import Style, cards, flat, render_report, sentence
from lambda_latency.text.cause_groups import group_sentence
from tests.latency.drawn_requests import MS, PAYMENTS, RETRIES, TABLE, drawn, request
from tests.trace.build import T0

REVIEWS = Component("database", "postgresql reviews")


def _shop(seed: int = 1, requests: int = 1000) -> list[Breakdown]:
    """Orders of about 235 ms, and products of about 36 ms, of which one in ten waits 120 ms more for the reviews."""
    draw = random.Random(seed)  # noqa: S311
    accounts = []
    for number in range(requests):
        if number % 4:
            parts = {OWN_CODE: draw.lognormvariate(2, 0.2), PAYMENTS: draw.lognormvariate(5.4, 0.2)}
            accounts.append(request(number, parts, route="POST /orders"))
        else:
            late = 120 if number % 40 == 0 else 0
            parts = {OWN_CODE: draw.lognormvariate(2, 0.2), REVIEWS: draw.lognormvariate(3.3, 0.2) + late}
            accounts.append(request(number, parts, route="GET /products"))
    return accounts


def _told(accounts: Sequence[Breakdown]) -> str:
    text = render_report(report_of(accounts, lambda _: {}), Style(width=10_000, unicode=False, thin=False))
    return text.split("\n\n")[0]


def test_a_fast_route_is_judged_by_itself() -> None:
    """Its slow requests are faster than a typical request of another route."""
    groups = cause_groups(Breakdowns(_shop()))
    [group] = groups.groups
    assert (group.edge, group.routes) == (Edge("", REVIEWS), ("GET /products",))
    assert 25 <= len(group.members) <= 27
    assert (group.confidence, group.window, round(group.share, 1)) == ("high", None, 1.0)
    assert 110 * MS < group.excess_ns == group.excess_call_ns < 130 * MS
    count = f"{len(group.members)} of 250 requests of GET /products (10 %)"
    assert _told(_shop()).startswith(f"{count} wait for postgresql reviews: 1")


def test_three_causes_are_three_findings() -> None:
    """Each with its count, its share of the excess, its confidence, and a step."""
    accounts = drawn("three", 1000)
    groups = cause_groups(Breakdowns(accounts))
    assert [group.edge.component for group in groups.groups] == [PAYMENTS, COLD_START, RETRIES]
    assert sum(group.share for group in groups.groups) == pytest.approx(1, abs=0.1)
    text = _told(accounts)
    assert re.findall(r"^(.+) of [0-9,]+ requests of .* wait for ", text, re.MULTILINE) == [
        str(len(groups.groups[0].members)),
        *(f"Also: {len(group.members)}" for group in groups.groups[1:]),
    ]
    assert text.count("Next: ") == 3


def test_fewer_than_eight_are_told_and_not_blamed() -> None:
    """Alone, or beside a class."""
    steady = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(100)]
    seven = [request(200 + number, {OWN_CODE: 50, TABLE: 400}) for number in range(7)]
    groups = cause_groups(Breakdowns([*steady, *seven]))
    assert (
        groups.groups,
        [(group.edge.component, len(group.members), group.confidence) for group in groups.small],
    ) == (
        (),
        [(TABLE, 7, "low")],
    )
    eight = [request(300 + number, {OWN_CODE: 50, PAYMENTS: 900}) for number in range(8)]
    assert "Too few to tell: 7 requests for DynamoDB PutItem orders (400 ms)." in _told([*steady, *seven, *eight])


def test_requests_with_a_second_cause_make_no_cause_group_of_fewer_than_eight() -> None:
    """Heavy tails meet by chance: eight requests need the cause alone, and those with another one come on top."""
    for alone, groups_of in ((7, []), (8, [11])):
        steady = [request(number, {OWN_CODE: 50 + number % 5, TABLE: 20, PAYMENTS: 20}) for number in range(100)]
        by_table = [request(200 + number, {OWN_CODE: 50, TABLE: 420, PAYMENTS: 20}) for number in range(alone)]
        of_both = [request(300 + number, {OWN_CODE: 50, TABLE: 420, PAYMENTS: 220}) for number in range(3)]
        groups = cause_groups(Breakdowns([*steady, *by_table, *of_both]))
        assert [len(group.members) for group in groups.groups] == groups_of
        assert [len(group.members) for group in groups.small] == ([] if groups_of else [10])


def test_a_request_without_a_dominant_cell_is_mixed() -> None:
    """It is counted, and blames nothing."""
    steady = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(100)]
    equal = {OWN_CODE: 250.0, TABLE: 200.0} | {Component("external", f"host{host}"): 200.0 for host in range(4)}
    mixed = [request(200 + number, equal) for number in range(20)]
    groups = cause_groups(Breakdowns([*steady, *mixed]))
    assert (groups.groups, groups.small, len(groups.mixed)) == ((), (), 20)
    assert _told([*steady, *mixed]).startswith("Thin evidence: 20 of 120 requests of POST /orders are slow.")


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.7])
def test_a_cause_in_most_requests_of_a_route_is_a_class(share: float) -> None:
    """The slow ones hardly move the threshold: it is that of the faster group."""
    draw = random.Random(share)  # noqa: S311
    accounts, late = [], set()
    for number in range(300):
        slow = 400 * draw.lognormvariate(0, 0.1) if draw.random() < share else 0
        parts = {OWN_CODE: draw.lognormvariate(2.5, 0.35), REVIEWS: draw.lognormvariate(4.3, 0.35) + slow}
        accounts.append(request(number, parts, route="GET /products"))
        late |= {number} if slow else set()
    [group] = cause_groups(Breakdowns(accounts)).groups
    assert (group.edge, group.of_other_kind) == (Edge("", REVIEWS), False)
    assert len(late & {*group.members}) >= 0.95 * len(late)


@pytest.mark.parametrize("distribution", ["lognormal", "exponential", "uniform"])
@pytest.mark.parametrize("requests", [36, 400])
def test_one_group_of_requests_is_not_divided(distribution: str, requests: int) -> None:
    """However wide it is: no more requests are slow than beyond the threshold of all."""
    draw = random.Random(f"{distribution}{requests}")  # noqa: S311
    draws = {
        "lognormal": lambda: 60 * draw.lognormvariate(0, 0.5),
        "exponential": lambda: 20 + draw.expovariate(1 / 60),
        "uniform": lambda: draw.uniform(4, 60),
    }
    blamed = 0
    for _ in range(20):
        accounts = [request(number, {OWN_CODE: draws[distribution]()}) for number in range(requests)]
        blamed += bool(cause_groups(Breakdowns(accounts)).groups)
    assert blamed == 0


@pytest.mark.parametrize(("misses", "classes"), [(0.3, 1), (0.7, 0)])
def test_the_misses_of_a_cache_are_another_kind_of_requests(misses: float, classes: int) -> None:
    """Where the threshold finds them they are told as such; most requests of a route are not."""
    draw = random.Random(misses)  # noqa: S311
    accounts = []
    for number in range(400):
        parts = {OWN_CODE: 8 * draw.lognormvariate(0, 0.1)}
        if draw.random() < misses:
            parts[REVIEWS] = 60 * draw.lognormvariate(0, 0.1)
        accounts.append(request(number, parts, route="GET /products"))
    report = report_of(accounts, lambda _: {})
    groups = [(group.edge, group.of_other_kind, group.confidence) for group in report.groups.groups]
    assert groups == [(Edge("", REVIEWS), True, "medium")] * classes
    kind = "Most other requests do not make this call: these are another kind of requests, such as a cache's misses."
    assert (kind in flat(sentence(report, Style()))) is bool(classes)
    steps = [step for card in cards(report, Style()) for step in card.steps]
    call = "the call to postgresql reviews"
    assert steps == [f"Find out whether these requests need {call}, or whether its answers could be kept."] * classes
    assert "belong to no finding" not in _told(accounts)


def _pairs_of_causes() -> list[Breakdown]:
    """Requests of which 60 wait for two services, 40 for two others, 30 for one, and 5 for that one and own code."""
    late = {"items": (100, 160), "products": (100, 160), "categories": (160, 200), "search": (160, 235)}
    late_ms = {"items": 90.0, "products": 76.0, "categories": 70.0, "search": 60.0}
    accounts = []
    for number in range(1000):
        parts = {OWN_CODE: 20.0 + number % 5 + (50 if 230 <= number < 235 else 0)}
        for name, (begin, end) in late.items():
            parts[Component("database", name)] = 10.0 + number % 3 + (late_ms[name] if begin <= number < end else 0)
        accounts.append(request(number, parts))
    return accounts


def test_two_parts_at_once_are_a_class_of_both() -> None:
    """One that is met by another by chance is a class of the first one; the larger excess comes first."""
    accounts = _pairs_of_causes()
    groups = cause_groups(Breakdowns(accounts))
    assert [
        ([(edge.component.name, ns // MS) for edge, ns in group.edges], len(group.members), group.confidence)
        for group in groups.groups
    ] == [
        ([("items", 90), ("products", 76)], 60, "high"),
        ([("categories", 70), ("search", 60)], 40, "high"),
        ([("search", 60)], 35, "high"),
    ]
    assert (groups.small, groups.mixed) == ((), ())
    lines = _told(accounts).splitlines()
    assert lines[0] == (
        "60 of 1,000 requests of POST /orders (6 %) wait for items and products: 90 + 76 ms more than a typical one, "
        "56 % of the excess."
    )
    assert lines[1] == "High confidence: they are the largest excess in 60 of the 135 slow requests."
    assert next(line for line in lines[2:] if line.startswith("Also: ")) == (
        "Also: 40 of 1,000 requests of POST /orders (4 %) wait for categories and search: 70 + 60 ms more than a "
        "typical one, 29 % of the excess."
    )


def test_the_owner_of_a_set_is_told_if_it_is_that_of_all_its_parts() -> None:
    """Own code and a callee have no owner in common."""
    accounts = [
        request(number, {OWN_CODE: 50 + number % 5 + late, TABLE: 20 + late})
        for number, late in ((number, 200 if number % 10 == 0 else 0) for number in range(300))
    ]
    assert _told(accounts).splitlines()[0] == (
        "30 of 300 requests of POST /orders (10 %) wait for DynamoDB PutItem orders and their own code: 200 + 198 ms "
        "more than a typical one, 100 % of the excess."
    )


def test_requests_that_are_slow_and_in_no_class_are_counted() -> None:
    """Times of the route vary so widely that its threshold lies above them; another route has a class."""
    accounts = [request(number, {OWN_CODE: 50 + number % 5, PAYMENTS: 900 * (number < 20)}) for number in range(200)]
    wide = [9 + 2 * step for step in range(12)] + [60 * 1.2**step for step in range(12)]
    wide += [705 + 44 * step for step in range(12)]
    accounts += [request(500 + n, {OWN_CODE: ms}, route="GET /orders/{id}") for n, ms in enumerate(wide)]
    text = _told(accounts)
    assert text.startswith("20 of 200 requests of POST /orders (10 %) wait for payments.example.com: ")
    assert "16 requests of GET /orders/{id} above 258 ms belong to no finding: times vary too widely there." in text


def test_a_few_different_slow_requests_among_hundreds_are_nothing() -> None:
    """With a limit each of them counts, and so does one of few."""
    steady = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(400)]
    slow = [request(900 + host, {OWN_CODE: 50, Component("external", f"host{host}"): 600}) for host in range(3)]
    for accounts, limit_ms, expected in (
        ([*steady, *slow], None, "even"),
        ([*steady, *slow], 300, "thin"),
        ([*steady[:100], *slow], None, "thin"),
    ):
        report = report_of(accounts, lambda _: {}, slow_ns=limit_ms * MS if limit_ms else None)
        assert (report.verdict.kind, report.groups.groups) == (expected, ())
    text = _told([*steady, *slow])
    assert text.startswith("Nothing stands out.\n")
    assert "Too few to tell: 1 request for host0 (600 ms), 1 request for host1 (600 ms), 1 request for host2" in text


def test_more_than_five_classes_are_counted() -> None:
    """As others, with their requests."""
    accounts = [request(number, {OWN_CODE: 50 + number % 5}) for number in range(400)]
    for which in range(7):
        part = Component("external", f"host{which}.example.com")
        accounts += [request(1000 + 10 * which + index, {OWN_CODE: 50, part: 900 - 50 * which}) for index in range(10)]
    groups = cause_groups(Breakdowns(accounts))
    assert ([len(group.members) for group in groups.groups], groups.uncounted) == ([10] * 5, (2, 20))
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
        [group] = cause_groups(Breakdowns(accounts)).groups
        assert (group.window is not None) is has


def test_a_machine_that_stalls_is_no_cause() -> None:
    """Requests that are slow in all cells alike are told as such."""
    parts = {OWN_CODE: 20.0, TABLE: 30.0, PAYMENTS: 50.0}
    accounts = [
        request(number, {part: ms * (10 if 300 <= number < 330 else 1 + number % 7 / 50) for part, ms in parts.items()})
        for number in range(600)
    ]
    groups = cause_groups(Breakdowns(accounts))
    assert groups.groups == ()
    assert len(groups.alike) + len(groups.mixed) == 30


def test_a_limit_says_what_is_slow() -> None:
    """Requests over it, on each route; where most exceed it the route is a line, and its threshold counts."""
    accounts = _shop()
    groups = cause_groups(Breakdowns(accounts), 100 * MS)
    assert [group.edge.component for group in groups.groups] == [REVIEWS]
    assert [(line.route, line.edge) for line in groups.slowness.whole] == [("POST /orders", Edge("", PAYMENTS))]
    assert cause_groups(Breakdowns(accounts), 10_000 * MS).slow == ()


def test_a_route_that_takes_many_times_as_long_is_a_line() -> None:
    """It is no cause."""
    accounts = _shop() + [request(5000 + number, {TABLE: 3000}, route="GET /export") for number in range(20)]
    groups = cause_groups(Breakdowns(accounts))
    assert [group.routes for group in groups.groups] == [("GET /products",)]
    assert (
        "GET /export is slow as a whole: a typical request takes 3,000 ms, 3,000 ms of it (100 %) "
        "DynamoDB PutItem orders." in _told(accounts)
    )


def test_nothing_names_the_routes_that_it_holds_for() -> None:
    """And those that it says nothing about."""
    accounts = [request(number, {OWN_CODE: 50 + number % 5}, route="GET /a") for number in range(100)]
    accounts += [request(200 + number, {OWN_CODE: 50}, route="GET /b") for number in range(3)]
    text = _told(accounts)
    assert text.startswith("Nothing stands out.")
    assert "Judged: GET /a." in text
    assert "Not judged, because too few requests came: GET /b." in text


def test_a_file_of_slow_requests_alone_blames_nothing() -> None:
    """There is no other request to compare them with, without a limit and with one."""
    accounts = [request(number, {OWN_CODE: 50, PAYMENTS: 900 + number % 9}) for number in range(100)]
    assert cause_groups(Breakdowns(accounts)).slow == ()
    groups = cause_groups(Breakdowns(accounts), 800 * MS)
    assert (groups.slow, [line.route for line in groups.slowness.whole]) == ((), ["POST /orders"])


@pytest.mark.parametrize("sigma", [0.2, 0.6])
def test_wide_noise_in_parallel_branches_is_no_class(sigma: float) -> None:
    """A part that is on the critical path of few requests has a median of 0."""
    draw = random.Random(sigma)  # noqa: S311
    blamed = 0
    for _ in range(10):
        accounts = []
        for number in range(500):
            branches = [(draw.lognormvariate(3.5, sigma), Component("external", f"host{host}")) for host in range(4)]
            ms, part = max(branches)
            accounts.append(request(number, {part: ms, OWN_CODE: draw.lognormvariate(3, sigma)}))
        blamed += bool(cause_groups(Breakdowns(accounts)).groups)
    assert blamed == 0


def test_calls_into_one_callee_are_one_class_whoever_calls() -> None:
    """A queue before one service delays all its callers: four of them would be four classes of five."""
    callee, callers = Component("network", "stock"), ("baskets", "mail", "orders", "search")
    accounts = []
    for number in range(400):
        late = 300 if number % 10 == 0 else 0
        waits = enumerate([(callee, 20 + number % 3 + late), (OWN_CODE, 10)])
        cells = tuple((Edge(callers[(number // 10 + index) % 4], part), ns * MS) for index, (part, ns) in waits)
        accounts.append(request(number, {})._replace(edges=cells, wall_ns=sum(ns for _, ns in cells)))
    report = report_of(accounts, lambda _: {})
    [group] = report.groups.groups
    assert (group.edge, group.callers, len(group.members), group.excess_ns) == (Edge("", callee), callers, 40, 300 * MS)
    assert group.gain_ns == 300 * MS
    assert _told(accounts).startswith(
        "40 of 400 requests of POST /orders (10 %) wait for the network to stock: 300 ms more"
    )


def test_two_calls_of_one_request_into_one_callee_are_its_excess() -> None:
    """Each of them alone would be half of it: mixed."""
    callee = Component("network", "stock")
    accounts = []
    for number in range(200):
        late = 120 if number % 10 == 0 else 0
        cells = tuple((Edge(caller, callee), (20 + late) * MS) for caller in ("baskets", "mail"))
        code = (Edge("", OWN_CODE), (10 + late // 20) * MS)
        accounts.append(request(number, {})._replace(edges=(*cells, code), wall_ns=sum(ns for _, ns in (*cells, code))))
    [group] = cause_groups(Breakdowns(accounts)).groups
    assert (group.edge, group.callers, group.excess_ns) == (Edge("", callee), ("baskets", "mail"), 240 * MS)


def test_the_request_against_the_verdict_does_not_depend_on_the_order_of_reading() -> None:
    """It is the slowest one that no class explains."""
    steady = [request(number, {OWN_CODE: 50 + number % 5, TABLE: 20}) for number in range(200)]
    slow = [request(300 + number, {OWN_CODE: 50, TABLE: 400}) for number in range(20)]
    hosts = {Component("external", f"host{host}"): 150.0 for host in range(5)}
    mixed = [request(400 + number, {OWN_CODE: 50, TABLE: 170 + number, **hosts}) for number in range(5)]
    verdicts = [report_of(mix, lambda _: {}).verdict for mix in ([*steady, *slow, *mixed], [*mixed, *slow, *steady])]
    assert verdicts[0] == verdicts[1]
    assert verdicts[0].counterexample is not None
    assert (verdicts[0].counterexample.breakdown.trace_id, verdicts[0].unexplained) == (mixed[-1].trace_id, 5)


@pytest.mark.parametrize(
    ("then", "said"),
    [(0, "new since"), (1, "more often than in"), (3, "more often than in"), (12, "also in"), (30, "also in")],
)
def test_a_class_is_in_the_baseline_too_if_it_had_hardly_fewer(then: int, said: str) -> None:
    """One slow request of the baseline is no reason to call 30 of now old."""

    def run(slow: int, start: int) -> list[Breakdown]:
        return [
            request(start + number, {OWN_CODE: 50 + number % 5, TABLE: 400 if number < slow else 20})
            for number in range(300)
        ]

    old, new = run(then, 1000), run(30, 0)
    report = report_of(new, lambda _: {}, baseline=Breakdowns(old), against=against(new, old))
    text = flat(group_sentence(report.groups.groups[0], report, Style()))
    assert f", {said} the baseline." in text
