"""Everything that `--fail-if` compares is in the help and in the pages: a file that lacks a condition is named."""

from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.latency.gate import CONDITIONS, Condition, examples, read_gate

ROOT = Path(__file__).parents[3]
HOW_TO, REFERENCE = "docs/how-to/gate-in-ci.md", "docs/reference/cli.md"
OPTIONS = "otel/lambda_latency/cli/report_options.py"
HEAD = "| value | limit | meaning |\n|---|---|---|\n"
EXAMPLES = [condition.example for condition in CONDITIONS if condition.example]


def row(condition: Condition) -> str:
    """The condition in the table of the how-to."""
    name = condition.name.replace(" to ", "` to `")
    limit = " or ".join(f"`{unit}`" for unit in condition.units)
    baseline = "with `--against`: " if condition.needs_baseline else ""
    return f"| `{name}` | {limit} | {baseline}{condition.means} |"


def test_the_how_to_has_a_row_for_each_condition() -> None:
    """In the order of the table, and no other row."""
    _, _, table = (ROOT / HOW_TO).read_text().partition(HEAD)
    rows = table.split("\n\n")[0]
    assert rows == "\n".join(map(row, CONDITIONS)), f"{HOW_TO}: paste the expected rows under `{HEAD.splitlines()[0]}`"


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_reference_has_each_example(example: str) -> None:
    """In the row of `--fail-if`."""
    _, _, report = (ROOT / REFERENCE).read_text().partition("\n## report\n")
    described = next(line for line in report.splitlines() if line.startswith("| `--fail-if EXPR`"))
    assert f"`{example}`" in described, f"{REFERENCE}: add `{example}` to the row of --fail-if"


def test_the_help_has_each_example(capsys: pytest.CaptureFixture[str]) -> None:
    """It stands there as text: a help imports the standard library alone, and the table needs what reads traces."""
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    expected = f"exit with status 3 if {examples()}; may be repeated"
    assert expected in text, f"{OPTIONS}: correct the help of --fail-if"


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_a_condition(example: str) -> None:
    """Of the row that it stands in."""
    assert read_gate(example).condition.example == example
