"""The kit's own stacks, of an alarm and of an archive: folder, command, doctor; and that no right is too much."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.stacks import ALARM, ARCHIVE, PartError, Stack, write_stack
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.parts import copied, statements, unasked

# What the functions ask AWS for, each with the module that asks. Whoever adds a call adds its action here and there.
FETCHED = {
    "xray:GetTraceSegmentDestination": "fetch/command.py",
    "xray:GetTraceSummaries": "fetch/stores.py",
    "xray:BatchGetTraces": "fetch/stores.py",
    "xray:StartTraceRetrieval": "fetch/search.py",
    "xray:ListRetrievedTraces": "fetch/search.py",
    "logs:StartQuery": "fetch/search.py",
    "logs:GetQueryResults": "fetch/search.py",
}
EXPLAINED = {
    "cloudwatch:GetMetricData": "fetch/traffic.py",
    "s3:GetObject": "alarm/records.py",
    "s3:PutObject": "alarm/records.py",
    "sns:Publish": "alarm/sinks.py",
    "ssm:GetParameter": "alarm/handler.py",
}
# S3 answers 404 only to who may list; SNS and Parameter Store ask for those of a key, with the function's right.
INDIRECT = ["s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"]
BY_S3FS = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]  # nothing is removed: the bucket's lifecycle does that


@pytest.mark.parametrize(
    ("stack", "function", "modules", "indirect"),
    [
        (ALARM, "Explain", {**FETCHED, **EXPLAINED}, INDIRECT),
        (ARCHIVE, "Archive", {**FETCHED, "logs:StopQuery": "fetch/search.py"}, BY_S3FS),
    ],
    ids=["alarm", "archive"],
)
def test_each_action_is_asked_for_by_a_module_and_no_other_is_allowed(
    stack: Stack, function: str, modules: dict[str, str], indirect: list[str]
) -> None:
    """Least privilege: an action that nobody asks for is gone."""
    allowed = [action for statement in statements(stack.template, function) for action in statement["Action"]]
    assert sorted(allowed) == sorted([*modules, *indirect])
    assert unasked(modules) == []


def wide(resources: dict[str, object]) -> list[str]:
    """The statements that allow their actions for each resource."""
    return [sid for sid, resource in resources.items() if resource == "*"]


def test_what_knows_a_resource_is_narrowed_to_it() -> None:
    """X-Ray and the answers of queries know none; S3's rights of the archive are those of its bucket."""
    explain = {statement["Sid"]: statement["Resource"] for statement in statements(ALARM.template, "Explain")}
    archive = {statement["Sid"]: statement["Resource"] for statement in statements(ARCHIVE.template, "Archive")}
    without_resource = ["ReadTraces", "ReadTransactionSearch", "ReadAnswers"]
    assert wide(explain) == [*without_resource, "EstimateQueries"]
    assert wide(archive) == without_resource
    assert archive["KeepTraces"] == {"Sub": "${Traces.Arn}/*"}
    assert archive["ListTraces"] == {"GetAtt": "Traces.Arn"}


@pytest.mark.parametrize(("name", "stack"), [("alarm", ALARM), ("archive", ARCHIVE)], ids=["alarm", "archive"])
def test_the_command_prints_the_template_and_the_kit_has_nothing_against_it(
    run: Run,  # noqa: F811
    name: str,
    stack: Stack,
) -> None:
    """Byte for byte, without a build; the kit's own doctor takes warnings as errors."""
    done = run("stack", name)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", stack.text)
    done = run("doctor", "--template", str(stack.template), "--strict", "--ignore", "nothing-traced")
    assert (done.returncode, done.stdout.strip()) == (0, "No findings.")


@pytest.mark.parametrize(
    ("stack", "handler"),
    [(ALARM, "alarm.handler.handle"), (ARCHIVE, "archive.hourly.handle")],
    ids=["alarm", "archive"],
)
def test_the_functions_code_is_whole(tmp_path: Path, stack: Stack, handler: str) -> None:
    """Its handler is imported with nothing of the kit but what is in the folder."""
    write_stack(stack, tmp_path / "part", ["x86_64"], copied)
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["function", "template.yaml"]
    module = f"lambda_latency.{handler.rpartition('.')[0]}"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        f"import {module}\n"
        "files = [loaded.__file__ for key, loaded in sys.modules.items() if key.startswith('lambda_latency')]\n"
        f"print({{file for file in files if not file.startswith(sys.argv[1])}}, callable(lambda_latency.{handler}))"
    )
    function = tmp_path / "part" / "function"
    done = subprocess.run([sys.executable, "-c", code, str(function)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set() True\n", "")


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    """It may be somebody's work."""
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(PartError, match="is not an empty folder"):
        write_stack(ALARM, tmp_path, install=copied)
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]
