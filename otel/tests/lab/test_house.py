"""The budget of lines."""

from pathlib import Path

import pytest

from lab.commands import ROOT
from lab.house.budget import over_budget


def test_no_part_is_over_its_budget() -> None:
    """A change that needs more lines raises the figure in otel/lab/house/budget.py, and says why."""
    assert list(over_budget(ROOT)) == []


def test_growth_and_a_new_subpackage_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the lines and the figure."""
    kit = tmp_path / "otel" / "lambda_latency"
    for subpackage in ("old", "new"):
        (kit / subpackage).mkdir(parents=True)
        (kit / subpackage / "__init__.py").write_text("a = 1\n" * 3)
    monkeypatch.setattr("lab.house.budget.BUDGET", {"otel/lambda_latency/old": 2, "tests": 1})
    assert list(over_budget(tmp_path)) == [
        "otel/lambda_latency/new has no figure in otel/lab/house/budget.py",
        "otel/lambda_latency/old has 3 lines, its figure is 2: delete elsewhere in it, or raise it and say why",
    ]
