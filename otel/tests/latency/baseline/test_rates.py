"""Rates of errors, cold starts and timeouts against a baseline."""

from __future__ import annotations

import random

import pytest

from lambda_latency.latency import Accounts
from lambda_latency.latency.baseline.against import against
from lambda_latency.latency.baseline.rates import rates
from lambda_latency.text.against import against_sentence
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style
from tests.latency.requests import TABLE, request


def _requests(count: int, *, errors: int = 0, cold: int = 0, late: int = 0) -> Accounts:
    found = Accounts()
    for at in range(count):
        one = request(at, {TABLE: 50 + at % 7}, timed_out=at >= count - late)
        found.append(one._replace(error=at < errors, cold_start=at < cold))
    return found


def test_more_cold_starts_are_reported_if_times_are_equal() -> None:
    """The sentence is not "No difference"."""
    found = against(_requests(400, cold=380), _requests(400))
    assert [(rate.of, rate.then, rate.now, rate.stands) for rate in found.rates] == [
        ("errors", (0, 400), (0, 400), False),
        ("cold starts", (0, 400), (380, 400), True),
        ("timeouts", (0, 400), (0, 400), False),
    ]
    assert flat(against_sentence(found, Style(unicode=False))) == (
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
        then, now = (sum(draw.random() < share for _ in range(120)) for _ in range(2))
        wrong += rates(_requests(120, errors=then), _requests(120, errors=now))[0].stands
    assert wrong <= 3
