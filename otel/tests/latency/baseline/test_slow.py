"""Slow requests that the baseline does not have: few of one route are told, where no quantile shows them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from lambda_latency.latency.accounts.account import Account
from lambda_latency.latency.accounts.part import OWN_CODE
from lambda_latency.latency.baseline.against import Against, against
from lambda_latency.latency.gate import read_gate
from lambda_latency.latency.report import report_of
from lambda_latency.text.against import against_sentence
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style
from tests.latency.requests import TABLE, request

ROUTES = ("GET /a", "POST /b", "GET /c", "GET /d")


def _run(name: str, slow_ms: float = 0, every: int = 30, requests: int = 1200, sigma: float = 0.2) -> list[Account]:
    """Four routes in turn; every so many requests of GET /a wait so much longer for the table."""
    draw = random.Random(name)  # noqa: S311
    found = []
    for number in range(requests):
        route, turn = ROUTES[number % 4], number // 4
        waits = slow_ms if number % 4 == 0 and turn % every == 7 else 0
        own, table = (ms * draw.lognormvariate(0, sigma) for ms in (20, 10))
        found.append(request(number, {OWN_CODE: own, TABLE: table + waits}, route=route))
    return found


def _said(one: Against) -> str:
    return flat(against_sentence(one, Style(unicode=False)))


def test_some_slow_requests_of_one_route_are_slower() -> None:
    """Ten of 300 wait a second more: neither the p90 of the route nor a mean of all 1,200 requests shows it."""
    found = against(_run("now", 1000), _run("then"))
    assert (found.answer, [one.cells[0].part for one in found.causes if one.asserted]) == ("slower", [TABLE])
    assert _said(found).startswith(
        "Slower than the baseline (1,200 requests then, 1,200 now): 10 of 300 requests of GET /a wait 999 ms longer "
        "than a typical one for DynamoDB PutItem orders; none did then. The cause is external."
    )


def test_the_gate_names_the_route_of_some_slow_requests() -> None:
    """Its p95 is the same, and its requests take twice as long on average."""
    now, before = _run("now", 1000), _run("then")
    report = report_of(now, lambda _: {}, against=against(now, before))
    judged = read_gate("slower > 5%").judge(report)
    assert (judged.failed, judged.route, judged.part, 90 < judged.value < 120) == (True, "GET /a", TABLE.label, True)


def test_slow_requests_are_compared_on_their_own_route() -> None:
    """Half a second more is much on GET /a, although the table usually takes 2 s on GET /c."""

    def run(name: str, slow_ms: float) -> list[Account]:
        draw = random.Random(name)  # noqa: S311
        found = []
        for number, one in enumerate(_run(name, slow_ms)):
            long = {OWN_CODE: 20.0, TABLE: 2000 * draw.lognormvariate(0, 0.1)}
            found.append(one if number % 4 != 2 else request(number, long, route="GET /c"))
        return found

    found = against(run("now", 500), run("then", 0))
    assert (found.answer, found.changed[0].part) == ("slower", TABLE)


def test_slow_requests_that_the_baseline_has_too_are_no_difference() -> None:
    """Every run has ten of them, at other places."""
    assert against(_run("now", 1000), _run("then", 1000)).answer == "same"


def test_a_few_slow_requests_of_one_moment_are_no_difference() -> None:
    """Eight requests of one route in a row may have one reason, which is no change."""
    now = _run("now", requests=4800)
    late = [request(9000 + at, {OWN_CODE: 20, TABLE: 1000}, route="GET /a") for at in range(4)]
    assert against([*now, *late], _run("then", requests=4800)).answer == "same"


@pytest.mark.parametrize("sigma", [0.2, 0.5, 0.8])
def test_wide_noise_is_no_difference(sigma: float) -> None:
    """Neighbours of ten runs without a fault."""
    runs = [_run(f"{seed}", requests=400, sigma=sigma) for seed in range(11)]
    assert {against(now, before).answer for before, now in pairwise(runs)} == {"same"}


def test_a_p95_that_doubles_in_one_moment_is_never_the_same() -> None:
    """Six requests of a route of 60 in a row: no proof of a change, and no noise either."""
    before, now = _run("then", requests=240), _run("now", requests=240)
    late = {number: request(number, {OWN_CODE: 20, TABLE: 1000}, route="GET /a") for number in range(40, 64, 4)}
    found = against([late.get(number, one) for number, one in enumerate(now)], before)
    assert (found.answer, found.by_route[0].is_doubled) == ("unsure", True)
