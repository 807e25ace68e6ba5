"""Figures held against bounds."""

from __future__ import annotations

import sys

import pytest

from lab import doubled
from lab.judging.bounds import Score, failed, text, values
from lab.judging.thresholds import ROOM, replace_thresholds, threshold


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


def test_a_threshold_is_replaced_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """In each module of the room that has it; the test puts all of them back."""
    room = {name: module for name, module in sys.modules.items() if name.startswith(ROOM)}
    users = {name: module for name, module in room.items() if "DOMINANT_PERCENT" in vars(module)}
    for module in users.values():
        monkeypatch.setattr(module, "DOMINANT_PERCENT", 60)
    replace_thresholds(dict([threshold("DOMINANT_PERCENT=7")]))
    assert {f"{ROOM}.judge.{name}" for name in ("thresholds", "classes", "diagnosis")} <= users.keys()
    assert {vars(module)["DOMINANT_PERCENT"] for module in users.values()} == {7}


@pytest.mark.parametrize("wrong", ["DOMINANT_PERCENT", "DOMINANT_PERCENT=much"])
def test_a_threshold_is_a_name_and_a_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    """The message has an example."""
    monkeypatch.setattr(sys, "argv", ["lab", "--set", wrong])
    with pytest.raises(SystemExit, match="2"):
        doubled.main()
    assert "--set: must be NAME=NUMBER, such as CALLER_SHARE=2, got" in capsys.readouterr().err


def test_an_unknown_threshold_is_told() -> None:
    """By its name; a constant that is no number is none."""
    with pytest.raises(ValueError, match="is called NOBODY"):
        replace_thresholds({"NOBODY": 1})
