"""The page about tests, held against the code."""

import re
from pathlib import Path
from typing import Any

import pytest

import lambda_latency.testing
from lambda_latency.example import write_project
from lambda_latency.trace import Span, SpanKind, dump_line
from tests.testing.printed import PAGE
from tests.testing.project import HERE, run

DOCS = HERE.parents[2] / "docs"
NAMES: dict[str, Any] = {name: getattr(lambda_latency.testing, name) for name in lambda_latency.testing.__all__}
TRACE_ID = "69559d800123456789abcdef01234567"


def blocks(language: str) -> list[str]:
    """The page's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_first_example_is_a_test_that_passes() -> None:
    """That of the project which the tests run."""
    assert blocks("python")[0] in (HERE / "shop" / "test_shop.py").read_text()


def test_what_can_be_said_is_python() -> None:
    """Every piece of code in the table's second column."""
    table = PAGE.split("## Expectations")[1].split("##")[0]
    names = {**NAMES, "b": NAMES["span"]("b"), "c": NAMES["span"]("c"), "trace_id": "1" * 32, "span_id": "1" * 16}
    cells = [row.split(" | ")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    code = [piece for cell in cells for piece in re.findall(r"`([^`]+)`", cell) if piece.startswith(("span(", "["))]
    assert len(code) >= 18
    for piece in code:
        assert eval(piece, dict(names)) is not None  # noqa: S307 - our own page


@pytest.mark.parametrize("number", [1, 2])
def test_the_pages_python_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a trace file as the demo leaves it."""
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    request = Span(trace_id=TRACE_ID, span_id="1" * 16, name="POST /orders", kind=SpanKind.SERVER, start_ns=1, end_ns=2)
    Path("out/traces.jsonl").write_text(dump_line([request]))
    exec(compile(blocks("python")[number], "testing.md", "exec"), {})  # noqa: S102 - our own page


def test_every_public_name_is_on_the_page_and_every_fixture() -> None:
    """But those that are only for annotations."""
    from lambda_latency.testing import plugin

    fixtures = [name for name, value in vars(plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"]
    assert sorted(fixtures) == [
        "api_event",
        "clock",
        "dynamodb_event",
        "eventbridge_event",
        "invoke",
        "sqs_event",
        "trace",
    ]
    types = {"Clock", "Expectation", "Invoke", "Recording", "Snapshot"}
    for name in {*lambda_latency.testing.__all__, *fixtures} - types - {"PRODUCER", "CONSUMER"}:
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_tutorials_tests_do_what_it_says(tmp_path: Path) -> None:
    """In the app of `init`, the first fails and prints the expectation; the second, with that pasted, passes."""
    app = tmp_path / "shop"
    write_project(app)
    empty, pasted = re.findall(
        r"```py\n(.*?)```", (DOCS / "tutorial" / "first-span-tree-test.md").read_text(), re.DOTALL
    )
    (app / "tests" / "test_order.py").write_text(empty)
    failed = run(app, "tests/test_order.py")
    assert failed.status == 1
    assert "span('GET /orders/{id}', SERVER)[span('DynamoDB.GetItem', CLIENT)]\n" in failed.text
    (app / "tests" / "test_order.py").write_text(pasted)
    assert run(app, "tests/test_order.py").status == 0
