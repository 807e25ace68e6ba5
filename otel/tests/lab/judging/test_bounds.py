"""Figures held against bounds."""

from __future__ import annotations

import pytest

from lab.judging.command import Score, failed, text, values


@pytest.mark.parametrize(
    ("score", "holds"),
    [
        (Score("a", 19, 20, least=0.95), True),
        (Score("a", 18, 20, least=0.95), False),
        (Score("a", 0, 0, least=0.95), True),
        (Score("a", 1, 20, most=1), True),
        (Score("a", 2, 20, most=1), False),
        (Score("a", 0, 20), True),
    ],
)
def test_a_bound_holds_or_not(score: Score, holds: bool) -> None:
    """At the bound it does."""
    assert score.holds is holds
    assert failed([Score("b", 0, 1), score]) is not holds


def test_a_bound_that_does_not_hold_is_marked() -> None:
    """In the table, and in its values."""
    scores = [Score("named first", 1, 2, least=0.95), Score("blamed", 0, 3, most=0), Score("more", 0, 0)]
    assert text(scores).splitlines() == [
        "named first     1 of 2      50 %  at least 95 %  NOT",
        "blamed          0 of 3       0 %  at most 0",
        "more            0 of 0",
    ]
    assert values(scores)[0] == {
        "what": "named first", "count": 1, "total": 2, "bound": "at least 95 %", "holds": False
    }  # fmt: skip
