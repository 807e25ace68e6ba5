"""Swapped rules: one pair that the verdict's own tests have to find."""

from __future__ import annotations

from lab.swaps import TABLES, swapped, tried


def test_two_rules_in_the_wrong_order_are_found() -> None:
    """The calls to DynamoDB are those of AWS and of a database: the pair that only the demo noticed."""
    at = TABLES["buckets"].names.index("an AWS call")
    assert TABLES["buckets"].names[at + 1] == "a database call"
    found, how = tried("buckets", at)
    assert found, how


def test_two_neighbours_are_exchanged() -> None:
    """The others stay in their places."""
    assert swapped("abcd", 1) == ("a", "c", "b", "d")
