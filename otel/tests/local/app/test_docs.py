"""docs/reference/laptop.md, held against the tests and the app that they serve."""

import re
from pathlib import Path

from samcli.yamlhelper import yaml_parse

from lambda_latency.local.differences import DIFFERENCES, difference_of
from tests.local.app.conftest import SHOP
from tests.template.deployed import ROOT

PAGE = (ROOT / "docs" / "reference" / "laptop.md").read_text(encoding="utf-8")
TRIGGERS, _, DIFFERENT = PAGE.partition("## What differs from AWS")


def rows(text: str) -> list[list[str]]:
    """The cells of a table without its head."""
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in text.splitlines() if row[:2] == "| "][1:]


ROWS = rows(TRIGGERS)


def test_every_test_that_is_named_exists() -> None:
    """By its name, in this folder."""
    named = {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row[-1])}
    defined = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 10
    assert named - defined == set()


def test_every_trigger_of_the_tests_app_has_its_row() -> None:
    """By SAM's name of the event."""
    resources = yaml_parse((SHOP / "template.yaml").read_text(encoding="utf-8"))["Resources"].values()
    kinds = {
        event["Type"]
        for resource in resources
        for event in (resource.get("Properties", {}).get("Events") or {}).values()
        if isinstance(event, dict)
    }
    assert kinds - {row[0].strip("`| ") for row in ROWS} == set()


def test_a_cell_is_claimed_with_a_test_only() -> None:
    """A row without one says so everywhere."""
    assert {cell for row in ROWS if not row[-1].strip("| ") for cell in row[1:-1] if cell} <= {"no test"}


def test_the_table_of_differences_is_that_of_the_code() -> None:
    """Each line with a word for each field."""
    assert rows(DIFFERENT) == [
        [re.sub(r"\{(\w+)\}", lambda match: match[1].upper(), d.says), d.todo, f"<{d.source}>"] for d in DIFFERENCES
    ]


def test_every_difference_has_something_to_do_and_knows_its_own_lines() -> None:
    """And none takes the line of another for its own."""
    assert [d.name for d in DIFFERENCES if not (d.todo and d.source.startswith("https://docs.aws."))] == []
    for difference in DIFFERENCES:
        line = difference.line(**dict.fromkeys(re.findall(r"\{(\w+)\}", difference.says), "x"))
        assert difference_of(line) is difference
        assert difference.with_todo(line) == difference.with_todo(difference.with_todo(line))
