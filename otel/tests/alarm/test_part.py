"""The part of a stack that explains alarms: its template, its folder, the command; and that no right is too much."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.stacks import ALARM, PartError, write_stack
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.parts import copied, statements, unasked

# What the function asks AWS for, each with the module that asks. Whoever adds a call adds its action here and there.
ASKED = {
    "xray:GetTraceSegmentDestination": "fetch/command.py",
    "xray:GetTraceSummaries": "fetch/stores.py",
    "xray:BatchGetTraces": "fetch/stores.py",
    "xray:StartTraceRetrieval": "fetch/search.py",
    "xray:ListRetrievedTraces": "fetch/search.py",
    "logs:StartQuery": "fetch/search.py",
    "logs:GetQueryResults": "fetch/search.py",
    "cloudwatch:GetMetricData": "fetch/traffic.py",
    "s3:GetObject": "alarm/records.py",
    "s3:PutObject": "alarm/records.py",
    "s3:ListBucket": "alarm/records.py",
    "sns:Publish": "alarm/sinks.py",
    "ssm:GetParameter": "alarm/handler.py",
}


def test_each_action_is_asked_for_by_a_module_and_no_other_is_allowed() -> None:
    """Least privilege: an action that nobody asks for is gone."""
    allowed = [action for statement in statements(ALARM.template, "Explain") for action in statement["Action"]]
    # SNS and Parameter Store ask for these, with the function's right.
    of_a_key = ["kms:Decrypt", "kms:GenerateDataKey"]
    assert sorted(allowed) == sorted([*ASKED, *of_a_key])
    called = {action: module for action, module in ASKED.items() if action != "s3:ListBucket"}  # for S3's 404
    assert unasked(called) == []


def test_what_knows_a_resource_is_narrowed_to_it() -> None:
    """X-Ray and the answers of queries know none."""
    wide = [statement["Sid"] for statement in statements(ALARM.template, "Explain") if statement["Resource"] == "*"]
    assert wide == ["ReadTraces", "ReadTransactionSearch", "ReadAnswers", "EstimateQueries"]


def test_the_template_is_one_that_the_kit_has_nothing_against(run: Run) -> None:  # noqa: F811
    """By its own doctor, with warnings as errors."""
    done = run("doctor", "--template", str(ALARM.template), "--strict", "--ignore", "nothing-traced")
    assert (done.returncode, done.stdout.strip()) == (0, "No findings.")


def test_the_functions_code_is_whole(tmp_path: Path) -> None:
    """Its handler is imported with nothing of the kit but what is in the folder."""
    write_stack(ALARM, tmp_path / "part", install=copied)
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
        write_stack(ALARM, tmp_path, install=copied)
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]


def test_the_command_prints_the_template(run: Run) -> None:  # noqa: F811
    """With the code's folder that --out writes, and without a build."""
    done = run("stack", "alarm")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", ALARM.text)
