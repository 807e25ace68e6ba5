"""The stack that archives an account each hour: its template, its folder, the command; no right is too much."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.archive import TEMPLATE, write_part
from lambda_latency.archive.layout import ACCOUNTS, INCOMING, SPANS
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.parts import copied, loaded, statements, unasked

# What the function asks AWS for, each with the module that asks.
ASKED = {
    "xray:GetTraceSegmentDestination": "fetch/destination.py",
    "xray:GetTraceSummaries": "fetch/summaries.py",
    "xray:BatchGetTraces": "fetch/batches.py",
    "xray:StartTraceRetrieval": "fetch/retrieval.py",
    "xray:ListRetrievedTraces": "fetch/retrieval.py",
    "logs:StartQuery": "fetch/insights.py",
    "logs:GetQueryResults": "fetch/insights.py",
    "logs:StopQuery": "fetch/insights.py",
}
BY_S3FS = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]  # nothing is removed: the bucket's lifecycle does that


def test_each_action_is_asked_for_by_a_module_and_no_other_is_allowed() -> None:
    """Least privilege: an action that nobody asks for is gone."""
    allowed = [action for one in statements(TEMPLATE, "Archive") for action in one["Action"]]
    assert sorted(allowed) == sorted([*ASKED, *BY_S3FS])
    assert unasked(ASKED) == []


def test_what_knows_a_resource_is_narrowed_to_it() -> None:
    """X-Ray and the answers of queries know none; S3's are those of the archive's bucket."""
    found = {one["Sid"]: one["Resource"] for one in statements(TEMPLATE, "Archive")}
    assert [name for name, resource in found.items() if resource == "*"] == [
        "ReadTraces", "ReadTransactionSearch", "ReadAnswers"
    ]  # fmt: skip
    assert found["KeepTraces"] == {"Sub": "${Traces.Arn}/*"}
    assert found["ListTraces"] == {"GetAtt": "Traces.Arn"}


def test_the_bucket_outlives_the_stack_and_forgets_what_is_old() -> None:
    """Each folder of an archive has its rule, and nobody else can read it."""
    bucket = loaded(TEMPLATE)["Traces"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {one["Prefix"]: one["ExpirationInDays"] for one in rules if "Prefix" in one}
    assert days == {f"{SPANS}/": {"Ref": "KeepDays"}, f"{ACCOUNTS}/": {"Ref": "KeepDays"}, f"{INCOMING}/": 30}
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())


def test_a_run_that_fails_is_told_and_the_schedule_waits_for_the_longest_invocation() -> None:
    """Twenty past: what began before the full hour has ended."""
    function = loaded(TEMPLATE)["Archive"]["Properties"]
    [event] = function["Events"].values()
    assert re.fullmatch(r"cron\((\d+) \* \* \* \? \*\)", event["Properties"]["Schedule"])
    assert int(event["Properties"]["Schedule"][5:7]) > 15
    assert event["Properties"]["DeadLetterConfig"] == {"Arn": {"GetAtt": "Failed.Arn"}}
    assert function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"] == {"GetAtt": "Failed.Arn"}
    assert function["Handler"] == "lambda_latency.archive.hourly.handle"


def test_the_template_is_one_that_the_kit_has_nothing_against(run: Run) -> None:  # noqa: F811
    """By its own doctor, with warnings as errors."""
    done = run("doctor", str(TEMPLATE), "--strict", "--ignore", "nothing-traced")
    assert (done.returncode, done.stdout.strip()) == (0, "No findings.")


def test_the_functions_code_is_whole(tmp_path: Path) -> None:
    """Its handler is imported with nothing of the kit but what is in the folder."""
    write_part(tmp_path / "part", "x86_64", copied)
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["function", "template.yaml"]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import lambda_latency.archive.hourly as hourly, lambda_latency.archive.table\n"
        "own = [sys.modules[name] for name in sys.modules if name.startswith('lambda_latency')]\n"
        "print(*{one.__file__ for one in own if not one.__file__.startswith(sys.argv[1])}, callable(hourly.handle))"
    )
    function = tmp_path / "part" / "function"
    done = subprocess.run([sys.executable, "-c", code, str(function)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_command_prints_the_template(run: Run) -> None:  # noqa: F811
    """Byte for byte."""
    done = run("archive", "schedule")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", TEMPLATE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--deploy",), "lambda-latency: --stack is missing"),
        (("now",), "lambda-latency: 'now': unexpected argument"),
    ],
)
def test_mistakes_of_the_command(run: Run, arguments: tuple[str, ...], why: str) -> None:  # noqa: F811
    """Before anything is written."""
    done = run("archive", "schedule", *arguments)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, why)
