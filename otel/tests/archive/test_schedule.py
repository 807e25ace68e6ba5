"""The stack that archives an account each hour: its bucket, its runs, the mistakes of its command."""

import re

import pytest

from lambda_latency.archive.layout import ACCOUNTS, INCOMING, SPANS
from lambda_latency.stacks import ARCHIVE
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.parts import loaded


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
