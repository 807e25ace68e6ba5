"""One decision: sentence, words about groups, JSON and gate of a comparison say the same."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lambda_latency.latency import Analyzer, Breakdown, Breakdowns, Edge, Judged, Report, against, read_gate, report_of
from lambda_latency.latency.breakdowns.component import OWN_CODE, Component
from lambda_latency.text import Style, cards, decision_values, document, first_sentence, flat, render_report
from lambda_latency.trace import SpanKind, Tree
from lambda_latency.trace.model.compact_span import compact_spans_of
from tests.latency.drawn_requests import MS, TABLE, request
from tests.trace.build import node, tree

PLAIN = Style(unicode=False)
ROUTES = ("GET /a", "POST /b", "GET /c", "GET /d")


def _report(current: Sequence[Breakdown], baseline: Sequence[Breakdown]) -> Report:
    compared = against(current, baseline)
    return report_of(current, lambda _: {}, against=compared, baseline=Breakdowns.from_breakdowns(baseline))


def _said(report: Report) -> str:
    return flat(first_sentence(report, PLAIN))


def _text(report: Report) -> str:
    return " ".join(render_report(report, PLAIN).split())


def _gate(report: Report, limit: str = "slower > 5%") -> Judged:
    return read_gate(limit).judge(report)


def _calls(seed: str, timeouts: float, requests: int = 800) -> Breakdowns:
    """GET /p of `api` asks `stock`, of which a share of the calls times out at 3 s: these lack the spans of `stock`."""
    draw, accounts = random.Random(seed), Breakdowns()  # noqa: S311 - a repeatable seed
    analyzer = Analyzer(accounts)
    for number in range(requests):
        took, below = 20 * draw.lognormvariate(0, 0.15), []
        if draw.random() < timeouts:
            took = 3000 + draw.random()
        else:
            below = [node("GET /s", 9, 7 + took, kind=SpanKind.SERVER, resource={"service.name": "stock"})]
        call = node("GET", 8, 8 + took, *below, kind=SpanKind.CLIENT, resource={"service.name": "api"},
                    attributes={"http.request.method": "GET", "server.address": "stock.local"})  # fmt: skip
        root = node("GET /p", 0, 16 + took, call, kind=SpanKind.SERVER, resource={"service.name": "api"})
        analyzer.add_tree(f"{number + 1:032x}", Tree(compact_spans_of(tree(root, unit=MS).spans)))
    accounts.starts_ns = type(accounts.starts_ns)(
        "q", [start + second * 10**9 for second, start in enumerate(accounts.starts_ns)]
    )
    return accounts


def test_timeouts_of_few_calls_are_slower_for_the_gate_too() -> None:
    """The p95 of the route hardly changes, and its p99 is sixty times as long."""
    report = _report(_calls("now", 0.02), _calls("then", 0))
    judged = _gate(report)
    assert _said(report) == (
        "Slower than the baseline (800 requests then, 800 now): 20 of 800 requests of GET /p (3 %) wait 3,000 ms "
        "longer than a typical one for stock.local (called by api); none did then. The owner of the cause is unknown. "
        "stock.local is a name of a private network, and records no spans here. Requests of GET /p take 210 % more on "
        "average."
    )
    assert (judged.failed, judged.route, judged.part) == (True, "GET /p", "stock.local (called by api)")
    assert judged.sentence == (
        "Requests of GET /p are slower than the baseline (on average, because of stock.local (called by api)) by 210 "
        "%: more than 5 %."
    )


def test_a_call_that_times_out_is_no_new_call() -> None:
    """Its callee was called before, by an edge of another kind: the spans of the callee are missing."""
    report = _report(_calls("now", 0.3), _calls("then", 0))
    assert report.against is not None
    assert [call for call in report.against.call_graphs.calls if call.kind in ("new", "gone")] == []
    names = [change.component and change.component.name for change in report.against.edges]
    timed_out = report.against.edges[names.index("stock.local")]
    assert (timed_out.waited, timed_out.is_waited_for_otherwise) == ((800, 800), False)
    assert "now calls" not in _text(report)
    assert "of 800 did." not in _text(report)


def _routes(seed: str, more_ms: float = 0, requests: int = 1200, sigma: float = 0.1) -> list[Breakdown]:
    """Four routes in turn of about 30 ms; GET /a waits so much longer for the table."""
    draw = random.Random(seed)  # noqa: S311 - a repeatable seed
    run = []
    for number in range(requests):
        own_ms, table_ms = (ms * draw.lognormvariate(0, sigma) for ms in (18, 10))
        route = ROUTES[number % 4]
        parts = {OWN_CODE: own_ms, TABLE: table_ms + (more_ms if route == "GET /a" else 0)}
        run.append(request(number, parts, route=route))
    return run


def test_a_tenth_more_on_one_route_is_slower_in_the_sentence_too() -> None:
    """The gate fails, and the sentence is not "no difference"."""
    report = _report(_routes("now", 2.8), _routes("then"))
    assert _gate(report).failed
    assert _said(report) == (
        "Slower than the baseline (1,200 requests then, 1,200 now): GET /a takes 11.7 % more at p95 (31 ms then, 35 ms "
        "now), most of it in DynamoDB PutItem orders, and no part is sure to be the cause."
    )


def test_the_sentence_and_the_decision_round_the_same_percentage() -> None:
    """5.6146 is 5.61 in the sentence, and was 5.615 in the decision, from which other outputs made 5.62."""
    compared = _report(_routes("now", 2.8), _routes("then")).against
    assert compared is not None
    percent = compared.by_route[0].percent
    assert (compared.decision.slowdown.percent, round(percent, 3)) == (percent, percent)


def test_a_small_change_that_a_gate_asks_for_is_in_the_sentence() -> None:
    """It is too small to be called slower, and more than the limit of the gate."""
    baseline = [request(number, {OWN_CODE: 90 + number % 3}) for number in range(100)]
    current = [request(number, {OWN_CODE: 92 + number % 3}) for number in range(100)]
    report = _report(current, baseline)
    judged = _gate(report, "slower > 1%")
    assert judged.failed
    assert judged.sentence == (
        "Requests of POST /orders are slower than the baseline (typically, most of it in own code) by 2.2 %: more "
        "than 1 %."
    )
    assert _said(report) == (
        "Little difference from the baseline (100 requests then, 100 now): requests of POST /orders take 2.2 % more "
        "typically."
    )


def test_a_group_that_chance_explains_is_not_called_new() -> None:
    """Eight requests in a row may have one reason: no difference, and nothing is new since the baseline."""
    late = [request(9000 + number, {OWN_CODE: 20, TABLE: 1000}, route="GET /a") for number in range(8)]
    report = _report([*_routes("now", requests=4800), *late], _routes("then", requests=4800))
    assert (report.against is not None and report.against.answer, _gate(report).failed) == ("same", False)
    values: Any = document(report, command="", version="")
    [group] = values["classes"]
    assert (group["known"], group["baseline"]) == (False, "unproven")
    assert "100 % of the excess, not seen in the baseline, which may be chance." in _text(report)
    assert "new since the baseline" not in _text(report)


SERVICES = ("orders", "baskets", "stock", "mail")


def _served(number: int, seed: str, times: float = 1.0, more_ms: float = 0) -> Breakdown:
    """A request that four services work on, each with a database; `stock` works so much longer."""
    draw = random.Random(f"{seed} {number}")  # noqa: S311 - repeatable
    edges = [
        (Edge(name, part), round(times * draw.uniform(25, 35) * MS))
        for name in SERVICES
        for part in (Component("own code", name), Component("database", f"postgresql {name}"))
    ]
    slow = Edge("stock", Component("own code", "stock"))
    edges = [(edge, ns + round(more_ms * MS) if edge == slow else ns) for edge, ns in edges]
    return request(number, {})._replace(edges=tuple(edges), wall_ns=sum(ns for _, ns in edges))


def _with_slow(seed: str, times: float = 1.0, slow_every: int = 10) -> list[Breakdown]:
    return [_served(number, seed, times, 0 if number % slow_every else 900) for number in range(400)]


def test_nothing_is_advised_or_called_new_where_the_machine_disturbed_everything() -> None:
    """Another run must tell: the group of slow requests has no high confidence, and no step."""
    report = _report(_with_slow("now", 1.6), _with_slow("then", slow_every=401))
    values: Any = document(report, command="", version="", judged=[_gate(report)])
    assert values["against"]["answer"] == "disturbed"
    [group] = values["classes"]
    assert (group["confidence"], group["next"], group["baseline"]) == ("medium", "", "unproven")
    assert values["verdict"]["confidence"] == "medium"
    text = _text(report)
    assert "Another run must tell whether it changed." in text
    assert not any(words in text for words in ("High confidence", "Profile", "new since the baseline"))
    assert [card.steps for card in cards(report, PLAIN)] == [(), ()]


def test_unsure_never_stands_over_high_confidence() -> None:
    """In text and JSON: whatever the group by itself would be, another run must tell."""
    current, baseline = _with_slow("now"), _with_slow("then", slow_every=401)
    compared = against(current, baseline)
    confidences = []
    for answer in ("slower", "unsure"):
        decided = replace(compared, decision=replace(compared.decision, answer=answer))
        report = report_of(current, lambda _: {}, against=decided, baseline=Breakdowns.from_breakdowns(baseline))
        values: Any = document(report, command="", version="")
        confidences.append((values["verdict"]["confidence"], [group["confidence"] for group in values["classes"]]))
        assert ("High confidence" in _text(report)) == (answer == "slower")
    assert confidences == [("high", ["high"]), ("medium", ["medium"])]


def test_the_machine_is_found_by_time_where_short_edges_stay_the_same() -> None:
    """Everything takes longer but for the networks, which are half of the edges and a hundredth of the time."""

    def run(seed: str, times: float) -> list[Breakdown]:
        requests = []
        for number in range(300):
            served, draw = _served(number, seed, times), random.Random(f"net {seed} {number}")  # noqa: S311
            edges = [edge for edge in served.edges if edge[0].component.category == "own code"]
            networks = [
                (Edge(name, Component("network", f"{name} {index}")), round(draw.uniform(0.3, 0.5) * MS))
                for index, name in enumerate(SERVICES)
            ]
            requests.append(
                served._replace(edges=(*edges, *networks), wall_ns=sum(ns for _, ns in [*edges, *networks]))
            )
        return requests

    answers = [against(run("now", times), run("then", 1)).answer for times in (1.2, 1.3, 1.5, 2.0)]
    assert answers == ["disturbed"] * 4


def test_the_machine_slows_each_route_by_its_own_factor() -> None:
    """The host takes 30 times as long on one route, which more requests have now: that mix is no factor of the host."""

    def run(seed: str, times: float, share: float) -> list[Breakdown]:
        requests = []
        for number in range(400):
            draw = random.Random(f"mix {seed} {number}")  # noqa: S311
            is_long = draw.random() < share
            served = _served(number, seed, times)
            host_ms = times * (300 if is_long else 10) * draw.lognormvariate(0, 0.2)
            edges = (*served.edges, (Edge(SERVICES[0], Component("external", "maps.example.com")), round(host_ms * MS)))
            route = "GET /long" if is_long else "GET /short"
            requests.append(served._replace(edges=edges, wall_ns=sum(ns for _, ns in edges), route=route))
        return requests

    baseline = run("then", 1, 0.47)
    assert [against(run("now", times, 0.53), baseline).answer for times in (1.2, 1.3, 1.5, 2.0)] == ["disturbed"] * 4


def test_a_component_with_most_of_the_time_is_not_the_machine() -> None:
    """It is left out of the edges whose time counts: the others stay the same."""

    def run(seed: str, more_ms: float) -> list[Breakdown]:
        return [_served(number, seed, 0.1, 300 + more_ms) for number in range(300)]

    diff = against(run("now", 90), run("then", 0))
    assert (diff.answer, diff.decision.edge, diff.decision.is_cause) == (
        "slower",
        Edge("stock", Component("own code", "stock")),
        True,
    )


def test_a_group_that_has_hardly_grown_is_no_difference() -> None:
    """A rate of 3 % then and 5 % now, of many requests: that is not chance, and not twice as often."""

    def run(seed: str, share: float) -> list[Breakdown]:
        draw = random.Random(seed)  # noqa: S311 - a repeatable seed
        return [
            request(number, {OWN_CODE: 20 * draw.lognormvariate(0, 0.2), TABLE: 300 if draw.random() < share else 10})
            for number in range(3000)
        ]

    baseline = run("then", 0.03)
    grown = against(run("now", 0.12), baseline)
    assert [change.component for change in grown.changed] == [TABLE]
    assert grown.decision.grown == frozenset({Edge("", TABLE)})
    assert [change.tested.new_group for change in against(run("now", 0.05), baseline).edges] == [None, None]


def test_the_change_is_said_once() -> None:
    """The sentence of the change has the slow requests; the group's own sentence goes on from there."""
    current, baseline = _routes("now"), _routes("then")
    slow = {number: request(number, {OWN_CODE: 20, TABLE: 1000}, route="GET /a") for number in range(28, 1200, 120)}
    report = _report([slow.get(number, breakdown) for number, breakdown in enumerate(current)], baseline)
    change, group = (flat(card.sentence) for card in cards(report, PLAIN))
    assert change == (
        "Slower than the baseline (1,200 requests then, 1,200 now): 10 of 300 requests of GET /a (3 %) wait 990 ms "
        "longer than a typical one for DynamoDB PutItem orders; none did then. The cause is internal (AWS). Requests "
        "of GET /a take 117 % more on average."
    )
    assert group == "The 10 requests that wait for DynamoDB PutItem orders have 100 % of the excess."


def test_a_decision_is_a_value_for_documents() -> None:
    """JSON of a report, and of a live page."""
    baseline = [_served(number, "then") for number in range(400)]
    slower = against([_served(number, "now", 1, 60) for number in range(400)], baseline).decision
    disturbed = against(_with_slow("now", 1.6), baseline).decision
    stock = {"caller": "stock", "bucket": "own code", "name": "stock", "owner": "ours", "label": "stock: own code"}
    assert decision_values(slower) == {
        "answer": "slower",
        "sure": True,
        "measure": "waiting",
        "percent": 24.927,
        "how": None,
        "routes": ["POST /orders"],
        "cell": stock,
        "cause": True,
        "requests": None,
        "stretch": None,
    }
    assert decision_values(disturbed) == {
        "answer": "disturbed",
        "sure": False,
        "measure": None,
        "percent": 0.0,
        "how": None,
        "routes": [],
        "cell": None,
        "cause": False,
        "requests": None,
        "stretch": None,
    }


def test_own_code_that_is_slow_in_cold_starts_is_told_as_such() -> None:
    """Where no span separates the start; of slow requests that are not its own, a cold start is no reason."""
    draw = random.Random("cold")  # noqa: S311 - repeatable

    def run(*, is_cold: bool) -> Report:
        slow = [number % 10 == 0 for number in range(300)]
        requests = [
            request(n, {OWN_CODE: draw.uniform(900, 990) if slow[n] else draw.uniform(20, 29)}) for n in range(300)
        ]
        return report_of([r._replace(cold_start=slow[n] or not is_cold) for n, r in enumerate(requests)], lambda _: {})

    results = [(", nearly all in cold starts, " in _said(report), cards(report, PLAIN)[0].steps[0][:11])
            for report in (run(is_cold=True), run(is_cold=False))]  # fmt: skip
    assert results == [(True, "Import less"), (False, "Profile the")]


def test_new_slow_requests_that_are_most_of_what_waits_are_told_in_place_of_a_median() -> None:
    """A quarter waits for the table; now two fifths wait long for it, too, and move the median of what waits."""

    def run(seed: str, slow: int) -> list[Breakdown]:
        draw = random.Random(seed)  # noqa: S311
        waits = [draw.uniform(380, 420) if n % 10 < slow else draw.uniform(11, 13) * (n % 4 == 0) for n in range(400)]
        return [
            request(n, {OWN_CODE: draw.uniform(20, 29), **({TABLE: ms} if ms else {})}) for n, ms in enumerate(waits)
        ]

    diff = against(run("now", 4), run("then", 0))
    assert diff.changed[0].by_typical
    assert diff.decision.group is not None
    assert diff.decision.group.slow == (0, 160)
