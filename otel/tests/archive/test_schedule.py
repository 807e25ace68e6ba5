"""The stack that archives an account each hour: its template, its folder, the command; no right is too much."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.archive.layout import ACCOUNTS, INCOMING, SPANS
from lambda_latency.stacks import ARCHIVE, write_stack
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.parts import copied, loaded, statements, unasked

# What the function asks AWS for, each with the module that asks.
ASKED = {
    "xray:GetTraceSegmentDestination": "fetch/command.py",
    "xray:GetTraceSummaries": "fetch/stores.py",
    "xray:BatchGetTraces": "fetch/stores.py",
    "xray:StartTraceRetrieval": "fetch/search.py",
    "xray:ListRetrievedTraces": "fetch/search.py",
    "logs:StartQuery": "fetch/search.py",
    "logs:GetQueryResults": "fetch/search.py",
    "logs:StopQuery": "fetch/search.py",
}
BY_S3FS = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]  # nothing is removed: the bucket's lifecycle does that


def test_each_action_is_asked_for_by_a_module_and_no_other_is_allowed() -> None:
    """Least privilege: an action that nobody asks for is gone."""
    allowed = [action for statement in statements(ARCHIVE.template, "Archive") for action in statement["Action"]]
    assert sorted(allowed) == sorted([*ASKED, *BY_S3FS])
    assert unasked(ASKED) == []


def test_what_knows_a_resource_is_narrowed_to_it() -> None:
    """X-Ray and the answers of queries know none; S3's are those of the archive's bucket."""
    resources = {statement["Sid"]: statement["Resource"] for statement in statements(ARCHIVE.template, "Archive")}
    assert [name for name, resource in resources.items() if resource == "*"] == [
        "ReadTraces", "ReadTransactionSearch", "ReadAnswers"
    ]  # fmt: skip
    assert resources["KeepTraces"] == {"Sub": "${Traces.Arn}/*"}
    assert resources["ListTraces"] == {"GetAtt": "Traces.Arn"}


def test_the_bucket_outlives_the_stack_and_forgets_what_is_old() -> None:
    """Each folder of an archive has its rule, and nobody else can read it."""
    bucket = loaded(ARCHIVE.template)["Traces"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert days == {f"{SPANS}/": {"Ref": "KeepDays"}, f"{ACCOUNTS}/": {"Ref": "KeepDays"}, f"{INCOMING}/": 30}
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())


def test_a_run_that_fails_is_told_and_the_schedule_waits_for_the_longest_invocation() -> None:
    """Twenty past: what began before the full hour has ended."""
    function = loaded(ARCHIVE.template)["Archive"]["Properties"]
    [event] = function["Events"].values()
    assert re.fullmatch(r"cron\((\d+) \* \* \* \? \*\)", event["Properties"]["Schedule"])
    assert int(event["Properties"]["Schedule"][5:7]) > 15
    assert event["Properties"]["DeadLetterConfig"] == {"Arn": {"GetAtt": "Failed.Arn"}}
    assert function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"] == {"GetAtt": "Failed.Arn"}
    assert function["Handler"] == "lambda_latency.archive.hourly.handle"


def test_the_template_is_one_that_the_kit_has_nothing_against(run: Run) -> None:  # noqa: F811
    """By its own doctor, with warnings as errors."""
    done = run("doctor", "--template", str(ARCHIVE.template), "--strict", "--ignore", "nothing-traced")
    assert (done.returncode, done.stdout.strip()) == (0, "No findings.")


def test_the_functions_code_is_whole(tmp_path: Path) -> None:
    """Its handler is imported with nothing of the kit but what is in the folder."""
    write_stack(ARCHIVE, tmp_path / "part", ["x86_64"], copied)
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
    done = run("stack", "archive")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", ARCHIVE.text)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--deploy",), "lambda-latency: NAME is missing"),
        (("traces", "now"), "lambda-latency: 'now': unexpected argument"),
    ],
)
def test_mistakes_of_the_command(run: Run, arguments: tuple[str, ...], why: str) -> None:  # noqa: F811
    """Before anything is written."""
    done = run("stack", "archive", *arguments)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, why)
