"""Swapped rules: a pair that the verdict's own tests have to find, and what is said of a swap that none finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab import swaps
from lab.__main__ import run
from lab.swaps import TABLES, swapped, tried

if TYPE_CHECKING:
    import pytest


def test_two_rules_in_the_wrong_order_are_found() -> None:
    """A call to DynamoDB fits the rules of AWS and of databases: once only the demo noticed their order."""
    index = TABLES["buckets"].names.index("an AWS call")
    assert TABLES["buckets"].names[index + 1] == "a database call"
    is_found, how = tried("buckets", index)
    assert is_found, how


def test_a_swap_that_no_test_finds_fails_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the pairs that exclude each other are not tried. All formats do, but for the pair of this test."""
    monkeypatch.setitem(TABLES, "readers", replace(TABLES["readers"], excludes=lambda index: index != 2))
    monkeypatch.setattr(swaps, "tried", lambda *_: (False, "NO TEST FAILS"))
    monkeypatch.setattr("sys.argv", ["lab"])
    assert run("swaps", ["--table", "readers"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines[1:-1] if not line.endswith(": exclude each other")] == [
        "   2 a list of bare spans | Jaeger: NO TEST FAILS"
    ]
    assert lines[-1] == "1 swaps are not found"


def test_two_neighbours_are_exchanged() -> None:
    """The others stay in their places."""
    assert swapped("abcd", 1) == ("a", "c", "b", "d")
