"""Gates: the conditions that they check, and the errors of invalid expressions."""

import random
import re

import pytest

from lambda_latency.latency import Breakdown, Report, report_of
from lambda_latency.latency.baseline.against import against
from lambda_latency.latency.breakdowns.component import OWN_CODE
from lambda_latency.latency.gate import read_gate
from tests.latency.drawn_requests import PAYMENTS, TABLE, drawn, request


def _report(now_ms: float = 30, then_ms: float = 10) -> Report:
    """A hundred requests of 30 ms own code and 70 ms provider, 500 ms in one of them."""
    current = [request(number, {OWN_CODE: now_ms, PAYMENTS: 500 if number == 99 else 70}) for number in range(100)]
    baseline = [request(number, {OWN_CODE: then_ms, PAYMENTS: 70}) for number in range(100)]
    return report_of(current, lambda _: {}, against=against(current, baseline))


@pytest.mark.parametrize(
    ("expression", "failed", "sentence"),
    [
        ("p95 > 800ms", False, "The p95 of the wall clock is 100 ms: not more than 800 ms."),
        ("p95>99.5 ms", True, "The p95 of the wall clock is 100 ms: more than 99.5 ms."),
        ("p50 >= 0.1s", True, "The p50 of the wall clock is 0.1 s: no less than 0.1 s."),
        ("p50 > 0.1s", False, "The p50 of the wall clock is 0.1 s: not more than 0.1 s."),
        ("max > 500ms", True, "The max of the wall clock is 530 ms: more than 500 ms."),
        ("max < 531 ms", True, "The max of the wall clock is 530 ms: less than 531 ms."),
        ("share(external) > 60%", True, "The share of external is 71.2 %: more than 60 %."),
        (
            "share(external payments.example.com) > 72%",
            False,
            "The share of payments.example.com is 71.2 %: not more than 72 %.",
        ),
        ("share( own code ) <= 28.77%", True, "The share of own code is 28.76 %: no more than 28.77 %."),
        ("share(aws) > 0%", False, "The share of aws is 0 %: not more than 0 %."),
        (
            "slower > 5%",
            True,
            "Requests are slower than the baseline (on average, because of own code) by 30.4 %: more than 5 %.",
        ),
        (
            "slower > 31%",
            False,
            "Requests are slower than the baseline (on average, because of own code) by 30.4 %: not more than 31 %.",
        ),
    ],
)
def test_a_gate_says_the_value_and_the_limit(expression: str, failed: bool, sentence: str) -> None:
    """Percentiles of the wall clock, the share of a part in all time, and the change from a baseline."""
    judged = read_gate(expression).judge(_report())
    assert (judged.expression, judged.failed, judged.sentence) == (expression, failed, sentence)


def test_a_percentage_has_no_floor_of_its_own() -> None:
    """A difference of 2 ms in 90 ms is too small to notice, and more than 1 %."""
    assert read_gate("slower > 1%").judge(_report(22, 20)).failed
    assert not read_gate("slower > 5%").judge(_report(22, 20)).failed
    report = _report(22, 20)
    assert report.against is not None
    assert report.against.answer == "same"


def test_noise_is_not_slower() -> None:
    """Nor is a route without a sure difference."""
    current, baseline = drawn("now"), drawn("then")
    judged = read_gate("slower > 0%").judge(report_of(current, lambda _: {}, against=against(current, baseline)))
    assert (judged.failed, judged.unsure, judged.value) == (False, False, 0.0)


def test_a_route_of_many_is_judged_by_itself() -> None:
    """It takes a fifth more; nine others do not."""

    def run(seed: str, more: float) -> list[Breakdown]:
        draw = random.Random(seed)  # noqa: S311
        return [
            request(
                number,
                {OWN_CODE: draw.lognormvariate(3, 0.1), PAYMENTS: draw.lognormvariate(2, 0.1)},
                route=f"GET /{number % 10}",
            )
            if number % 10
            else request(
                number,
                {OWN_CODE: draw.lognormvariate(3, 0.1), TABLE: draw.lognormvariate(2, 0.1) + more},
                route="GET /0",
            )
            for number in range(1000)
        ]

    current, baseline = run("now", 5.5), run("then", 0)
    report = report_of(current, lambda _: {}, against=against(current, baseline))
    judged = read_gate("slower > 5%").judge(report)
    assert (judged.failed, judged.route, judged.part) == (True, "GET /0", "DynamoDB PutItem orders")
    assert report.against is not None
    assert report.against.answer == "slower"


@pytest.mark.parametrize(
    ("expression", "failed", "sentence"),
    [
        ("p95(POST /orders) > 99ms", True, "The p95 of the wall clock of POST /orders is 100 ms: more than 99 ms."),
        ("errors(POST /orders) > 5%", False, "The share of failed requests of POST /orders is 0 %: not more than 5 %."),
        (
            "share(external, POST /orders) > 60%",
            True,
            "The share of external of POST /orders is 71.2 %: more than 60 %.",
        ),
    ],
)
def test_a_condition_may_be_of_one_route(expression: str, failed: bool, sentence: str) -> None:
    """In brackets, for a share behind the part."""
    judged = read_gate(expression).judge(_report())
    assert (judged.failed, judged.unsure, judged.sentence) == (failed, False, sentence)


def test_a_condition_that_cannot_be_judged_is_unsure_or_disturbed() -> None:
    """A route without requests, too few requests; a machine that slows everything."""
    gone = read_gate("p95(GET /gone) > 1ms").judge(_report())
    assert (gone.failed, gone.unsure, gone.sentence) == (
        False,
        True,
        "No request of GET /gone: p95(GET /gone) > 1ms cannot be judged.",
    )
    too_few = drawn("few", 5)
    judged = read_gate("slower > 5%").judge(report_of(too_few, lambda _: {}, against=against(too_few, too_few)))
    assert (judged.failed, judged.unsure, judged.disturbed) == (False, True, False)
    baseline = [request(n, {OWN_CODE: 20 + n % 7, TABLE: 30 + n % 5, PAYMENTS: 60 + n % 9}) for n in range(200)]
    current = [
        request(n, {OWN_CODE: 40 + 2 * (n % 7), TABLE: 60 + 2 * (n % 5), PAYMENTS: 120 + 2 * (n % 9)})
        for n in range(200)
    ]
    diff = against(current, baseline)
    assert diff.answer == "disturbed"
    judged = read_gate("slower > 5%").judge(report_of(current, lambda _: {}, against=diff))
    assert (judged.failed, judged.unsure, judged.disturbed) == (False, False, True)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            "p95",
            "'p95' is not a condition: write, for example, 'p95 > 800ms', 'errors > 5%', 'share(external) > 60%'",
        ),
        ("", "'' is not a condition: write"),
        ("p95 > 800ms and max > 1s", "is not a condition"),
        ("p95 = 800ms", "is not a condition"),
        ("p95 > 800", "'p95 > 800': p95 is compared with a number of ms or s, got no unit"),
        ("p95 > 800us", "p95 is compared with a number of ms or s, got us"),
        ("p95 > 60%", "got %"),
        ("p100 > 8ms", "nothing is called 'p100'; known are p1 to p99, max, errors, share(...) and slower"),
        ("slowr > 5%", "nothing is called 'slowr'; did you mean slower?"),
        ("weather > 5%", "known are p1 to p99, max, errors, share(...) and slower"),
        ("slower > 5ms", "slower is compared with a number of %, got ms"),
        ("share > 5%", "share needs one, as in share(external)"),
        ("p95(external) > 5ms", "a part in brackets goes with share"),
        ("share(externl) > 5%", "no bucket is called 'externl'; did you mean external?"),
        ("share(zzz) > 5%", "buckets are cold start, own code, connect"),
        ("share() > 5%", "no bucket is called ''"),
    ],
)
def test_an_invalid_expression_has_an_error_with_its_reason(expression: str, message: str) -> None:
    """The error repeats the expression and says what is valid."""
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_gate(expression)
    assert repr(expression) in str(caught.value)


@pytest.mark.parametrize(
    ("ms", "limit", "said"),
    [
        (1368.105, "1s", "1.37 s: more than 1 s."),
        (1368.105, "800ms", "1,368 ms: more than 800 ms."),
        (1368.105, "1368ms", "1,368.1 ms: more than 1,368 ms."),
        (505.004, "505ms", "505.004 ms: more than 505 ms."),
    ],
)
def test_a_number_has_no_more_digits_than_it_needs(ms: float, limit: str, said: str) -> None:
    """Three, and more where fewer would look like the limit."""
    assert read_gate(f"max > {limit}").judge(_report(ms - 500)).sentence.endswith(said)
