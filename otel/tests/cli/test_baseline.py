"""The command `report` with a baseline, gates and Markdown: what it writes, and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest

import lambda_latency.text
from lambda_latency.cli import main
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency.gate import read_gate
from lambda_latency.text import Style
from lambda_latency.trace import dump_line
from tests.latency.generated import hundred
from tests.latency.system import THEIRS, order

SCHEMA = json.loads((Path(lambda_latency.text.__file__).parent / "report.schema.json").read_text())


@pytest.fixture
def now(tmp_path: Path) -> Path:
    """Fifty orders, whose charge takes 150 ms and more."""
    path = tmp_path / "now.jsonl"
    path.write_text("".join(dump_line(order(150 + number % 5, number=number).spans) for number in range(50)))
    return path


@pytest.fixture
def then(tmp_path: Path) -> Path:
    """Forty orders, whose charge takes 50 ms and more."""
    path = tmp_path / "then.jsonl"
    path.write_text("".join(dump_line(order(50 + number % 5, number=number).spans) for number in range(40)))
    return path


def test_what_changed_stands_in_text_and_json(now: Path, then: Path) -> None:
    """In the same words; the JSON is what the schema says, and so it is where nothing changed or too few came."""
    few = now.with_name("few.jsonl")
    few.write_text("".join(then.read_text().splitlines(keepends=True)[:5]))
    told = {}
    for kind, baseline in (("slower", then), ("same", now), ("few", few)):
        out = io.StringIO()
        assert run_report(Request([now], against=str(baseline), json="-", terms=THEIRS), Style(), out) == 0
        told = json.loads(out.getvalue())
        jsonschema.validate(told, SCHEMA)
        assert (told["against"]["answer"], told["against"]["sources"]) == (kind, [str(baseline)])
        text = io.StringIO()
        run_report(Request([now], against=str(baseline), terms=THEIRS), Style(), text)
        assert told["against"]["sentence"] in " ".join(text.getvalue().replace("\u202f", " ").split())
        if kind == "slower":
            [payments, *_] = told["against"]["buckets"]
            assert (payments["name"], payments["change"]) == ("payments.example.com", "slower")
            assert payments["typical"]["difference_ns"] == 100_000_000


def test_a_gate_ends_with_3_and_says_why(now: Path, then: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, so that it is seen beside JSON too; a gate that holds says nothing."""
    gates = ["--fail-if", "slower > 5%", "--fail-if", "p95 > 10s", "--fail-if", "share(external) > 10%"]
    assert main(["report", str(now), "--against", str(then), *gates, "--json", "-"]) == 3
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    jsonschema.validate(told, SCHEMA)
    assert [one["failed"] for one in told["gates"]] == [True, False, True]
    said = printed.err.splitlines()
    assert [line.split(":")[0] for line in said] == ["lambda-latency"] * 2
    assert [line.partition(": ")[2] for line in said] == [told["gates"][at]["sentence"] for at in (0, 2)]
    assert main(["report", str(now), "--against", str(now), "--fail-if", "slower > 5%"]) == 0
    assert capsys.readouterr().err == ""


def test_a_gate_beats_what_was_skipped_and_not_what_was_not_there(now: Path) -> None:
    """3 before 4; where nothing was readable it is 1."""
    gate = read_gate("max > 1ms")
    now.write_text(now.read_text() + "{cut")
    assert run_report(Request([now], terms=THEIRS), Style(), io.StringIO()) == 4
    assert run_report(Request([now], fail_if=[gate], terms=THEIRS), Style(), io.StringIO()) == 3
    now.write_text("")
    assert run_report(Request([now], fail_if=[gate], terms=THEIRS), Style(), io.StringIO()) == 1


def test_markdown_goes_to_a_file_or_takes_the_texts_place(now: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is for what posts it."""
    path = now.with_name("comment.md")
    assert main(["report", str(now), "--markdown", str(path)]) == 0
    capsys.readouterr()
    assert main(["report", str(now), "--markdown", "-"]) == 0
    assert capsys.readouterr().out == path.read_text()


def test_a_baseline_of_the_same_route_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And it has to have one: what was asked for is not there."""
    path = tmp_path / "t.jsonl"
    path.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    command = ["report", str(path), "--against", str(path), "--route"]
    assert main([*command, "POST /orders"]) == 0
    assert "No difference from the baseline" in capsys.readouterr().out
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    assert main(["report", str(path), "--against", str(empty)]) == 1
    assert (
        f"no request in the baseline: {empty}: empty: no trace in it\n"
        "  what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not\n"
        "  --against takes the same input as SOURCE" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--fail-if", "slower > 5%"], "--fail-if 'slower ...' needs --against"),
        (["--fail-if", "p95 > 800"], "--fail-if 'p95 > 800': p95 is compared with a number of ms or s"),
        (["--fail-if", "share(externl) > 5%"], "no bucket is called 'externl'; did you mean external?"),
        (["--json", "-", "--markdown", "-"], "--json - and --markdown - both write to standard output"),
        (["--trace", "6b05", "--fail-if", "max > 1s"], "--trace shows one request"),
    ],
)
def test_what_does_not_go_together_is_told(
    now: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, before anything is read."""
    try:
        status = main(["report", str(now), *arguments])
    except SystemExit as error:
        status = int(error.code or 0)
    assert status == 2
    assert told in capsys.readouterr().err
