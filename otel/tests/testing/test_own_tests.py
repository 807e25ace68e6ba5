"""The project's own tests take a span by its name or compare the whole tree, and never by its position."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lambda_latency.testing import snapshot_of, span
from lambda_latency.trace import Span
from tests.testing.project import HERE

if TYPE_CHECKING:
    from pathlib import Path

TESTS = HERE.parent
# An index or a slice behind recorded spans; or all of them unpacked. Protobuf's messages are no recorded spans.
BY_POSITION = re.compile(
    r"(?<!_)\bspans(?:\(\))?\[-?\d*:?\]|(?<!_)\bspans(?:\(\))?\[-?\d|\(span,\) = \w+\.spans|finished_spans\(\)\["
)


def files() -> list[Path]:
    """All that are ours."""
    return sorted(path for path in TESTS.rglob("*.py") if path != TESTS / "testing" / "test_own_tests.py")


def test_no_test_takes_a_span_by_its_position() -> None:
    """Which one it is, is chance: a library may make one more."""
    found = [
        f"{path.relative_to(TESTS)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if BY_POSITION.search(line) and "scope_spans" not in line
    ]
    assert found == []


def test_one_of_several_is_refused() -> None:
    """With the tree, which says what to ask for instead."""
    spans = [
        Span(trace_id="1" * 32, span_id=f"{number:016x}", name="a", start_ns=number, end_ns=9) for number in (1, 2)
    ]
    with pytest.raises(AssertionError) as error:
        snapshot_of(spans).one("a")
    assert str(error.value) == "2 spans have the name 'a', expected one\n\n    a  (2 of them)"
    assert snapshot_of(spans) == [span("a"), span("a")]
