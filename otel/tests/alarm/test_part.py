"""The part of a stack that explains alarms: its template, its folder, the command; and that no right is too much."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.alarm import TEMPLATE, PartError, part_template, write_part
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.parts import copied, statements, unasked

# What the function asks AWS for, each with the module that asks. Whoever adds a call adds its action here and there.
ASKED = {
    "xray:GetTraceSegmentDestination": "fetch/destination.py",
    "xray:GetTraceSummaries": "fetch/summaries.py",
    "xray:BatchGetTraces": "fetch/batches.py",
    "xray:StartTraceRetrieval": "fetch/retrieval.py",
    "xray:ListRetrievedTraces": "fetch/retrieval.py",
    "logs:StartQuery": "fetch/insights.py",
    "logs:GetQueryResults": "fetch/insights.py",
    "cloudwatch:GetMetricData": "fetch/scanning.py",
    "s3:GetObject": "alarm/records.py",
    "s3:PutObject": "alarm/records.py",
    "s3:ListBucket": "alarm/records.py",
    "sns:Publish": "alarm/sinks.py",
    "ssm:GetParameter": "alarm/handler.py",
}


def test_each_action_is_asked_for_by_a_module_and_no_other_is_allowed() -> None:
    """Least privilege: an action that nobody asks for is gone."""
    allowed = [action for one in statements(TEMPLATE, "Explain") for action in one["Action"]]
    of_a_key = [
        "kms:Decrypt",
        "kms:GenerateDataKey",
    ]  # SNS and Parameter Store ask for these, with the function's right
    assert sorted(allowed) == sorted([*ASKED, *of_a_key])
    asked = {action: module for action, module in ASKED.items() if action != "s3:ListBucket"}  # for S3's 404
    assert unasked(asked) == []


def test_what_knows_a_resource_is_narrowed_to_it() -> None:
    """X-Ray and the answers of queries know none."""
    wide = [one["Sid"] for one in statements(TEMPLATE, "Explain") if one["Resource"] == "*"]
    assert wide == ["ReadTraces", "ReadTransactionSearch", "ReadAnswers", "EstimateQueries"]


def test_the_template_is_one_that_the_kit_has_nothing_against(run: Run) -> None:  # noqa: F811
    """By its own doctor, with warnings as errors."""
    done = run("doctor", str(TEMPLATE), "--strict", "--ignore", "nothing-traced")
    assert (done.returncode, done.stdout.strip()) == (0, "No findings.")


def test_the_functions_code_is_whole(tmp_path: Path) -> None:
    """Its handler is imported with nothing of the kit but what is in the folder."""
    write_part(tmp_path / "part", copied)
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["function", "template.yaml"]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import lambda_latency.alarm.handler as handler\n"
        "print(handler.__file__)\n"
        "own = [name.split('.') for name in sys.modules if name.startswith('lambda_latency.')]\n"
        "print(sorted({parts[1] for parts in own}))"
    )
    function = tmp_path / "part" / "function"
    done = subprocess.run([sys.executable, "-c", code, str(function)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    file, rooms = done.stdout.splitlines()
    assert Path(file).is_relative_to(function)
    rooms_there = {path.stem for path in (function / "lambda_latency").iterdir()}
    assert set(json.loads(rooms.replace("'", '"'))) <= rooms_there


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    """It may be somebody's work."""
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(PartError, match="is not an empty folder"):
        write_part(tmp_path, copied)
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]


def test_the_command_prints_the_template(run: Run) -> None:  # noqa: F811
    """With the code's folder that --out writes, and without a build."""
    done = run("alarm")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", part_template())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--deploy",), "lambda-latency: --stack is missing"),
        (("--deploy", "--stack", "shop"), "lambda-latency: explanations have no receiver"),
    ],
)
def test_mistakes_of_the_command(run: Run, arguments: tuple[str, ...], why: str) -> None:  # noqa: F811
    """Before anything is written."""
    done = run("alarm", *arguments)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, why)
