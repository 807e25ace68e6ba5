"""Each way in which a trace can be wrong is caught, and printed as people read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.testing.printed import PRINTED

if TYPE_CHECKING:
    from tests.testing.project import Outcome

TRUE = ["test_a_provisional_span_and_its_final_one_are_no_duplicate", "test_an_exception_told", "test_propagated"]


@pytest.mark.parametrize("test", PRINTED)
def test_a_lie_is_caught_and_printed(lies: Outcome, test: str) -> None:
    """To the letter."""
    assert lies.tree(test) + "\n" == PRINTED[test]


def test_every_lie_is_printed_and_nothing_else_fails(lies: Outcome) -> None:
    """A provisional span and its final one are no duplicate, for one."""
    assert lies.status == 1
    assert sorted(re.findall(r"^_+ (test_\w+) _+$", lies.text, re.MULTILINE)) == sorted(PRINTED)
    assert f"{len(PRINTED)} failed, {len(TRUE)} passed" in lies.text


def test_the_whole_output_fits_100_columns_and_is_plain(lies: Outcome) -> None:
    """From the first failure on, the tests' own lines included; no colour where nobody looks, and nothing cut."""
    _, failures = lies.text.split("= FAILURES =")
    assert [line for line in failures.splitlines() if len(line) > 100] == []
    assert "\x1b" not in failures
    assert "truncated" not in failures
