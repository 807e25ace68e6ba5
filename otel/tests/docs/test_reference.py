"""The reference pages, held against the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import lambda_latency.cli.exit_statuses
from lambda_latency.cli.settings import READ
from lambda_latency.doctor import ALL_RULES
from lambda_latency.local.faults import KINDS, Plan, Rule
from lambda_latency.prices import Usage
from lambda_latency.runtime.settings import SETTINGS, STANDARD
from lambda_latency.variables import COMMAND, variable_of
from tests.docs.pages import ROOT, page

if TYPE_CHECKING:
    from pathlib import Path


def code(cell: str) -> list[str]:
    """What a cell has in code marks."""
    return re.findall(r"`([^`]*)`", cell)


def test_the_settings_tables_are_the_runtimes_own() -> None:
    """Name, default and line of doc of each variable."""
    settings = page("reference/settings.md")
    tables = settings.text.partition("\n## Of the runtime\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\S+)`|none) \| (.*) \|$", tables, re.MULTILINE)
    own = [one for one in SETTINGS if not one.name.endswith("_HANDLER")]
    assert rows == [(one.name, one.default, one.doc) for one in (*own, *STANDARD)]
    assert [one.name for one in SETTINGS if f"`{one.name}`" not in settings.text] == []


def test_the_settings_of_the_command_are_its_own() -> None:
    """Variable, type and line of doc; each has a function that reads its value."""
    rows = page("reference/settings.md").table("name | variable | type | effect")
    assert rows == [[f"`{one.setting}`", f"`{variable_of(one.setting)}`", one.type, one.doc] for one in COMMAND]
    assert [one.setting for one in COMMAND] == list(READ)


def test_the_fault_plan_is_valid_and_every_kind_is_named() -> None:
    """The example is read by the command's own reader; the tables are those of the code."""
    (example,) = page("how-to/inject-faults.md").blocks("json")
    assert len(Plan.from_json(example).rules) == 2
    plan = page("reference/fault-plan.md")
    assert {code(at)[0]: tuple(code(kinds)) for at, kinds in plan.table("`at` | `kind`")} == KINDS
    keys = [code(key)[0] for key, _ in plan.table("key of a rule | value")]
    assert sorted(keys) == sorted(one.name for one in fields(Rule))


@pytest.mark.parametrize(
    "command",
    [
        "adopt",
        "alarm",
        "archive",
        "completion",
        "cost",
        "demo",
        "doctor",
        "explain",
        "fetch",
        "init",
        "invoke",
        "live",
        "report",
        "serve",
    ],
)
def test_the_command_line_page_has_every_option(command: str) -> None:
    """And no other; those for messages are told once for all."""
    program = [sys.executable, "-m", "lambda_latency", command, "--help"]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    section = page("reference/cli.md").text.split(f"\n## {command}\n")[1].split("\n## ")[0]
    rows = "\n".join(row.split(" | ")[0] for row in section.splitlines() if row.startswith("| `-"))
    assert set(re.findall(r"--[a-z-]+", rows)) == set(re.findall(r"--[a-z-]+", told.split("\nexit status:")[0])) - {
        "--help",
        "--quiet",
        "--verbose",
    }


def test_every_key_of_a_months_usage_has_a_row() -> None:
    """With its default, in the order of the code."""
    rows = page("reference/cli.md").table("key of `[usage]` | default | meaning")
    written = [pair for keys, values, _ in rows for pair in zip(code(keys), values.split(", "), strict=True)]
    defaults = {name: json.loads(value, parse_float=Decimal) for name, value in written}
    assert defaults == {one.name: one.default for one in fields(Usage)}
    assert list(defaults) == [one.name for one in fields(Usage)]


def test_the_page_of_the_doctor_has_a_section_for_each_rule() -> None:
    """With the rule's own words, in the order of the table."""
    sections = page("reference/doctor.md").text.split("\n## Rules\n")[1].split("\n### ")[1:]
    written = [(name, " ".join(text.split())) for name, _, text in (one.partition("\n") for one in sections)]
    assert written == [(rule.name, f"**{rule.severity}**: {rule.effect} {rule.why}") for rule in ALL_RULES]


def test_the_public_modules_say_what_they_offer() -> None:
    """Those that the page on versions names: all their names exist."""
    ((_, said),) = (row for row in page("reference/versions.md").table("part | what stays") if row[0] == "import paths")
    modules = [
        f"lambda_latency{one.removeprefix('lambda_latency')}"
        for one in code(said)
        if one.count(".") == 1 and "__" not in one
    ]
    assert sorted(modules) == [
        f"lambda_latency.{name}" for name in ("archive", "latency", "page", "testing", "text", "trace")
    ]
    for name in modules:
        module = import_module(name)
        assert [one for one in module.__all__ if not hasattr(module, one)] == []


def test_every_exit_status_has_a_row() -> None:
    """Those of the code."""
    statuses = lambda_latency.cli.exit_statuses
    numbers = {value for name, value in vars(statuses).items() if name.isupper() and isinstance(value, int)}
    assert {int(status) for status, _ in page("reference/exit-statuses.md").table("status | meaning")} == numbers


def test_every_key_of_the_json_report_has_a_row() -> None:
    """In the schema's order."""
    schema = json.loads((ROOT / "otel/lambda_latency/text/report.schema.json").read_text())
    rows = page("reference/json-report.md").table("key | content")
    assert [code(key)[0] for key, _ in rows] == list(schema["properties"])
    assert f"`schema` is\n{schema['properties']['schema']['const']};" in page("reference/json-report.md").text


def test_the_python_of_the_first_report_runs(tmp_path: Path) -> None:
    """On a trace file as the demo leaves it."""
    (source,) = page("tutorial/first-report.md").blocks("python")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "traces.jsonl").write_text("")
    exec(compile(source.replace('"out/', f'"{tmp_path}/out/'), "first-report.md", "exec"), {})  # noqa: S102 - our own page
