"""docs/reference/laptop.md, held against the tests and the app that they serve."""

from __future__ import annotations

import re
from pathlib import Path

from samcli.yamlhelper import yaml_parse

from tests.local.app.conftest import SHOP
from tests.template.deployed import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs" / "reference" / "laptop.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
][1:]


def test_every_test_that_is_named_exists() -> None:
    """By its name, in this folder."""
    named = {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row[-1])}
    there = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 10
    assert named - there == set()


def test_every_trigger_of_the_tests_app_has_its_row() -> None:
    """By SAM's name of the event."""
    resources = yaml_parse((SHOP / "template.yaml").read_text(encoding="utf-8"))["Resources"].values()
    kinds = {
        event["Type"]
        for one in resources
        for event in (one.get("Properties", {}).get("Events") or {}).values()
        if isinstance(event, dict)
    }
    assert kinds - {row[0].strip("`| ") for row in ROWS} == set()


def test_a_cell_is_claimed_with_a_test_only() -> None:
    """A row without one says so everywhere."""
    assert {cell for row in ROWS if not row[-1].strip("| ") for cell in row[1:-1] if cell} <= {"no test"}
