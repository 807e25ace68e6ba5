"""Slow requests that the baseline does not have: few of one route are told, where no quantile shows them."""

import random
from itertools import pairwise

import pytest

from lambda_latency.latency.baseline.against import Against, against
from lambda_latency.latency.breakdowns.breakdown import Breakdown
from lambda_latency.latency.breakdowns.component import OWN_CODE
from lambda_latency.latency.gate import read_gate
from lambda_latency.latency.report import report_of
from lambda_latency.text.against import against_sentence
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style
from tests.latency.drawn_requests import TABLE, request

ROUTES = ("GET /a", "POST /b", "GET /c", "GET /d")


def _run(name: str, slow_ms: float = 0, stride: int = 30, requests: int = 1200, sigma: float = 0.2) -> list[Breakdown]:
    """Four routes in turn; every so many requests of GET /a wait so much longer for the table."""
    draw = random.Random(name)  # noqa: S311
    run = []
    for number in range(requests):
        route, turn = ROUTES[number % 4], number // 4
        waits = slow_ms if number % 4 == 0 and turn % stride == 7 else 0
        own_ms, table_ms = (ms * draw.lognormvariate(0, sigma) for ms in (20, 10))
        run.append(request(number, {OWN_CODE: own_ms, TABLE: table_ms + waits}, route=route))
    return run


def _said(diff: Against) -> str:
    return flat(against_sentence(diff, Style(unicode=False)))


def test_some_slow_requests_of_one_route_are_slower() -> None:
    """Ten of 300 wait a second more: neither the p90 of the route nor a mean of all 1,200 requests shows it."""
    diff = against(_run("now", 1000), _run("then"))
    assert (diff.answer, [cause.edges[0].component for cause in diff.causes if cause.asserted]) == ("slower", [TABLE])
    assert _said(diff).startswith(
        "Slower than the baseline (1,200 requests then, 1,200 now): 10 of 300 requests of GET /a (3 %) wait 999 ms "
        "longer than a typical one for DynamoDB PutItem orders; none did then. The cause is internal (AWS)."
    )


def test_the_gate_names_the_route_of_some_slow_requests() -> None:
    """Its p95 is the same, and its requests take twice as long on average."""
    current, baseline = _run("now", 1000), _run("then")
    report = report_of(current, lambda _: {}, against=against(current, baseline))
    judged = read_gate("slower > 5%").judge(report)
    assert (judged.failed, judged.route, judged.part, 90 < judged.value < 120) == (True, "GET /a", TABLE.label, True)


def test_slow_requests_are_compared_on_their_own_route() -> None:
    """Half a second more is much on GET /a, although the table usually takes 2 s on GET /c."""

    def run(name: str, slow_ms: float) -> list[Breakdown]:
        draw = random.Random(name)  # noqa: S311
        requests = []
        for number, breakdown in enumerate(_run(name, slow_ms)):
            long = {OWN_CODE: 20.0, TABLE: 2000 * draw.lognormvariate(0, 0.1)}
            requests.append(breakdown if number % 4 != 2 else request(number, long, route="GET /c"))
        return requests

    diff = against(run("now", 500), run("then", 0))
    assert (diff.answer, diff.changed[0].component) == ("slower", TABLE)


def test_slow_requests_that_the_baseline_has_too_are_no_difference() -> None:
    """Every run has ten of them, at other places."""
    assert against(_run("now", 1000), _run("then", 1000)).answer == "same"


def test_a_few_slow_requests_of_one_moment_are_no_difference() -> None:
    """Eight requests of one route in a row may have one reason, which is no change."""
    current = _run("now", requests=4800)
    late = [request(9000 + number, {OWN_CODE: 20, TABLE: 1000}, route="GET /a") for number in range(4)]
    assert against([*current, *late], _run("then", requests=4800)).answer == "same"


@pytest.mark.parametrize("sigma", [0.2, 0.5, 0.8])
def test_wide_noise_is_no_difference(sigma: float) -> None:
    """Neighbours of ten runs without a fault."""
    runs = [_run(f"{seed}", requests=400, sigma=sigma) for seed in range(11)]
    assert {against(current, baseline).answer for baseline, current in pairwise(runs)} == {"same"}


def test_a_p95_that_doubles_in_one_moment_is_never_the_same() -> None:
    """Six requests of a route of 60 in a row: no proof of a change, and no noise either."""
    baseline, current = _run("then", requests=240), _run("now", requests=240)
    late = {number: request(number, {OWN_CODE: 20, TABLE: 1000}, route="GET /a") for number in range(40, 64, 4)}
    diff = against([late.get(number, breakdown) for number, breakdown in enumerate(current)], baseline)
    assert (diff.answer, diff.by_route[0].is_doubled) == ("unsure", True)
