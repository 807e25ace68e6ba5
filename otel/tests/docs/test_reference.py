"""The reference pages, held against the code."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest

import lambda_latency.cli.exit_statuses
from lambda_latency.cli.entry import COMMANDS
from lambda_latency.cli.settings import READ
from lambda_latency.doctor import ALL_RULES
from lambda_latency.latency.analysis import thresholds
from lambda_latency.local.faults import KINDS, FaultPlan, FaultRule
from lambda_latency.prices import Usage
from lambda_latency.runtime.settings import SETTINGS, STANDARD
from lambda_latency.variables import COMMAND, variable_of
from tests.docs.command_line import OPTION, OPTIONS
from tests.docs.pages import ROOT, page


def code(cell: str) -> list[str]:
    """What a cell has in code marks."""
    return re.findall(r"`([^`]*)`", cell)


def test_the_settings_tables_are_the_runtimes_own() -> None:
    """Name, default and line of doc of each variable."""
    settings = page("reference/settings.md")
    tables = settings.text.partition("\n## Of the runtime\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\S+)`|none) \| (.*) \|$", tables, re.MULTILINE)
    listed = [setting for setting in SETTINGS if not setting.name.endswith("_HANDLER")]
    assert rows == [(setting.name, setting.default, setting.doc) for setting in (*listed, *STANDARD)]
    assert [setting.name for setting in SETTINGS if f"`{setting.name}`" not in settings.text] == []


def test_the_settings_of_the_command_are_its_own() -> None:
    """Variable, type and line of doc; each has a function that reads its value."""
    rows = page("reference/settings.md").table("name | variable | type | effect")
    assert rows == [[f"`{s.setting}`", f"`{variable_of(s.setting)}`", s.type, s.doc] for s in COMMAND]
    assert [s.setting for s in COMMAND] == list(READ)


def test_the_fault_plan_is_valid_and_every_kind_is_named() -> None:
    """The example is read by the command's own reader; the tables are those of the code."""
    (example,) = page("how-to/inject-faults.md").blocks("json")
    assert len(FaultPlan.from_json(example).rules) == 2
    plan = page("reference/fault-plan.md")
    assert {code(place)[0]: tuple(code(kinds)) for place, kinds in plan.table("`at` | `kind`")} == KINDS
    keys = [code(key)[0] for key, _ in plan.table("key of a rule | value")]
    assert sorted(keys) == sorted(field.name for field in fields(FaultRule))


def options_of_rows(text: str) -> set[str]:
    """The options in the first column of the tables."""
    rows = "\n".join(row.split(" | ")[0] for row in text.splitlines() if row.startswith("| `-"))
    return set(OPTION.findall(rows))


def test_the_command_line_page_has_a_section_for_each_command() -> None:
    """In the order of the help."""
    headings = [text for level, text in page("reference/cli.md").headings() if level == 2]
    assert headings == [*COMMANDS, "The page"]


@pytest.mark.parametrize("path", OPTIONS, ids=" ".join)
def test_the_command_line_page_has_every_option(path: tuple[str, ...]) -> None:
    """And no other. A command's own table has what all of its sub-commands have."""
    section = page("reference/cli.md").text.split(f"\n## {path[0]}\n")[1].split("\n## ")[0]
    shared, *parts = section.split("\n### ")
    of_actions = [options for action, options in OPTIONS.items() if action[:-1] == path]
    if len(path) == 1:
        assert options_of_rows(shared) == (set.intersection(*of_actions) if of_actions else OPTIONS[path])
    else:
        (subsection,) = (part for part in parts if path[1] in part.partition("\n")[0].split(", "))
        assert options_of_rows(shared + subsection) == OPTIONS[path]


def test_every_key_of_a_months_usage_has_a_row() -> None:
    """With its default, in the order of the code."""
    rows = page("reference/cli.md").table("key of `[usage]` | default | meaning")
    written = [pair for keys, values, _ in rows for pair in zip(code(keys), values.split(", "), strict=True)]
    defaults = {name: json.loads(value, parse_float=Decimal) for name, value in written}
    assert defaults == {field.name: field.default for field in fields(Usage)}
    assert list(defaults) == [field.name for field in fields(Usage)]


def test_the_page_of_the_doctor_has_a_section_for_each_rule() -> None:
    """With the rule's own words, in the order of the table."""
    sections = page("reference/doctor.md").text.split("\n## Rules\n")[1].split("\n### ")[1:]
    written = [(name, " ".join(text.split())) for name, _, text in (section.partition("\n") for section in sections)]
    assert written == [(rule.name, f"**{rule.severity}**: {rule.effect} {rule.why}") for rule in ALL_RULES]


def test_the_public_modules_say_what_they_offer() -> None:
    """Those that the page on versions names: all their names exist."""
    ((_, said),) = (row for row in page("reference/versions.md").table("part | what stays") if row[0] == "import paths")
    modules = [
        f"lambda_latency{path.removeprefix('lambda_latency')}"
        for path in code(said)
        if path.count(".") == 1 and "__" not in path
    ]
    assert sorted(modules) == [
        f"lambda_latency.{name}" for name in ("archive", "latency", "page", "testing", "text", "trace")
    ]
    for name in modules:
        module = import_module(name)
        assert [n for n in module.__all__ if not hasattr(module, n)] == []


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


EXPLANATION = Path(__file__).parents[3] / "docs" / "explanation"


def test_the_page_lists_the_thresholds() -> None:
    """All of them; each value is that of the code, and each has a reason."""
    text = (EXPLANATION / "verdict.md").read_text()
    table = text[text.index("| name | value | reason |") :].split("\n\n")[0]
    rows = re.findall(r"\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", table)
    assert sorted(name for name, _, _ in rows) == sorted(name for name in vars(thresholds) if name.isupper())
    assert [value for _, value, _ in rows] == [str(getattr(thresholds, name)) for name, _, _ in rows]
    assert all(reason.strip() for _, _, reason in rows)


def test_the_help_and_the_page_define_the_critical_path_alike() -> None:
    """Both use the same words."""
    command = [sys.executable, "-m", "lambda_latency", "report", "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    page = (EXPLANATION / "critical-path.md").read_text()
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", help_text)
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", page)
    statuses = "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a --fail-if condition was met, 4"
    assert statuses in re.sub(r"\s+", " ", help_text)
