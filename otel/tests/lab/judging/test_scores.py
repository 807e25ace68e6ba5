"""A sample of the scores of the judge; `lab classes`, `doubled` and `pairs` have all of them."""

from __future__ import annotations

import pytest

from lab import classes, doubled, pairs
from lab.judging.command import failed, text

SYSTEMS = [classes.System(1, 1), classes.System(5, 2), classes.System(8, 0), classes.System(12, 0, 0.65)]
TAILS = [doubled.Case(1, 120, slow) for slow in ("last 10 %", "middle 10 %", "10 % at random")]
PLACES = [doubled.Case(1, doubled.REQUESTS_OF_PLACE)]


def test_planted_causes_are_the_classes_of_a_report() -> None:
    """One and two of them; nothing where nothing is wrong, nor in wide noise."""
    scores = classes.table([(one, classes.judged(one)) for one in SYSTEMS])
    assert not failed(scores), text(scores)


@pytest.mark.parametrize("case", [*TAILS, *PLACES], ids=lambda case: case.slow or "20 % on one route")
def test_what_takes_longer_than_in_a_baseline_is_told(case: doubled.Case) -> None:
    """By the answer and by the gate."""
    said = doubled.judged(case)
    assert not failed(doubled.table([(case, said)])), said


@pytest.mark.parametrize("noise", ["drift", "bursts"])
def test_two_runs_without_a_fault_are_not_called_slower(noise: str) -> None:
    """Neither with a load that drifts, nor with bursts."""
    scores = pairs.table({noise: pairs.answers_of(pairs.Runs(noise, 1))})
    assert (scores[0].what, scores[0].count) == (f"{noise}: slower", 0)
