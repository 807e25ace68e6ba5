"""Beside the plugins that people have: the same passes, and the same is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.testing.printed import PRINTED
from tests.testing.project import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.testing.project import Outcome

ASYNCIO = ("-p", "no:pytest_opentelemetry", "-p", "no:inline_snapshot", "-p", "no:xdist")
OPENTELEMETRY = ("-p", "no:inline_snapshot", "-p", "no:xdist")
XDIST = ("-p", "no:pytest_opentelemetry", "-p", "no:inline_snapshot", "-p", "no:asyncio", "-n", "2")
INLINE_SNAPSHOT = ("-p", "no:pytest_opentelemetry", "-p", "no:asyncio", "-p", "no:xdist")

ASYNC_TREE = """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    work
    ├─ price
  + └─ stock
the trace as an expectation, to paste:
span('work')[
    span('price'),
    span('stock'),
]"""


def last(outcome: Outcome) -> str:
    """What pytest sums up."""
    return outcome.text.splitlines()[-1].strip("= ").partition(" in ")[0]


@pytest.mark.parametrize("plugins", [XDIST, OPENTELEMETRY], ids=["xdist", "opentelemetry"])
def test_the_lies_are_printed_the_same(tmp_path: Path, plugins: tuple[str, ...]) -> None:
    """In a worker's process, and below the spans that another plugin makes of each test."""
    outcome = run(tmp_path, "lies.py", "-W", "ignore", project="lies", plugins=plugins)
    printed = {test: outcome.tree(test) + "\n" for test in PRINTED}
    assert printed == PRINTED
    assert last(outcome) == f"{len(PRINTED)} failed, 3 passed"


@pytest.mark.parametrize("plugins", [ASYNCIO, OPENTELEMETRY], ids=["alone", "opentelemetry"])
def test_a_test_may_be_a_coroutine(tmp_path: Path, plugins: tuple[str, ...]) -> None:
    """By pytest-asyncio, with the fixture and with the block."""
    outcome = run(tmp_path, "test_async.py", "-W", "ignore", project="others", plugins=plugins)
    assert last(outcome) == "1 failed, 2 passed"
    assert outcome.tree("test_fails") == ASYNC_TREE


def test_inline_snapshot_writes_the_literal_and_dirty_equals_matches(tmp_path: Path) -> None:
    """Written once, it holds from then on."""
    written = run(tmp_path, "test_snapshot.py", "--inline-snapshot=create", project="others", plugins=INLINE_SNAPSHOT)
    assert "1 failed" in last(written)
    code = (tmp_path / "test_snapshot.py").read_text()
    assert "".join(code.split("snapshot(", 1)[1].split("\n\n\n")[0].split()).startswith(
        "span('POST/orders',SERVER)[span('POST',CLIENT)])"
    )
    again = run(tmp_path, "test_snapshot.py", "--inline-snapshot=disable", plugins=INLINE_SNAPSHOT)
    assert last(again) == "1 failed, 2 passed"
    assert "~ └─ POST  CLIENT    ← retries: 2, expected IsStr(max_length=3)" in again.tree("test_not_matched")
