"""`make prove` in whole accounts, played in the forms of AWS's API: what each shows, and what is left in it."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from lab.destination import Destination
from lab.prove import __main__ as program
from lab.prove import configured, leavings, scene, traced
from lab.prove.aws import Aws
from lab.prove.place import Account
from lab.prove.sentences import SENTENCES
from tests.docs.pages import ROOT

DOCKER = "AWS's collector image (`demo --collector docker`), for lack of a Docker daemon"
SEARCHED = "that X-Ray finds a trace by an annotation with dots in its name"
UNSAMPLED = "the API's answer has Sampled=0 although Sampled=1 was sent: a sampling rule of the account decides"


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is asked again is asked at once, and no more than some times; there is no Docker."""
    clock = iter(range(10**6))
    seconds = SimpleNamespace(time=lambda: 1.7e9, monotonic=lambda: next(clock) * 20.0, sleep=lambda _: None)
    for module in (scene, traced, configured, leavings):
        monkeypatch.setattr(module, "time", seconds)
    monkeypatch.setattr(configured, "shutil", SimpleNamespace(which=lambda _: None))
    monkeypatch.setattr(traced, "VERSION", "python3.13")
    monkeypatch.setattr("lab.prove.place.BUILD", tmp_path / "build")


Ran = Callable[..., tuple[int, str, str, dict[str, Any]]]


@pytest.fixture
def prove(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ran:
    """Runs the program in an account: status, output, errors, and the report."""

    def run(aws: Aws, *arguments: str) -> tuple[int, str, str, dict[str, Any]]:
        session = SimpleNamespace(client=lambda service, **_: aws.client(service, aws.region))
        found = Destination("trial", "AWS_PROFILE", aws.region, "the profile")
        monkeypatch.setattr(Destination, "session", lambda _: session)
        monkeypatch.setattr(program, "destination_of", lambda *_, **__: found)
        made = lambda stack, to: Account(  # noqa: E731
            stack, to, session=aws, sam=aws.sam, command=aws.command, send=aws.send
        )
        monkeypatch.setattr(program, "Account", made)
        out = tmp_path / "report.json"
        monkeypatch.setattr(sys, "argv", ["prove", "--report", str(out), *(arguments or ["--yes"])])
        status = program.main()
        told = capsys.readouterr()
        return status, told.out, told.err, json.loads(out.read_text()) if out.exists() else {}

    return run


def outcome(document: dict[str, Any]) -> dict[str, str]:
    """The evidence of each sentence that is not seen or cannot be."""
    return {one["sentence"]: one["evidence"] for one in document["sentences"] if one["seen"] is not True}


def nothing_is_left(aws: Aws) -> bool:
    """No stack, and nothing with the tag."""
    return (aws.stacks, aws.tagged) == ({}, {})


def test_a_fresh_account_shows_all_but_the_image(prove: Ran) -> None:
    """Status 0; profile, region and account are said, then the costs, and each step has its time."""
    aws = Aws()
    status, out, _, document = prove(aws)
    assert (status, outcome(document)) == (0, {DOCKER: "no Docker daemon answers on this machine"})
    assert out.startswith(
        "profile trial (AWS_PROFILE)\nregion  us-east-1 (the profile)\n"
        "account 123456789012 (arn:aws:iam::123456789012:user/ada)\ncreates"
    )
    assert "    0 s  traces are kept in XRay\n" in out
    assert out.endswith("Left: nothing.\n")
    assert nothing_is_left(aws)


def test_with_transaction_search_traces_are_read_where_they_are(prove: Ran) -> None:
    """Only a search of X-Ray's own index may find none of them."""
    aws = Aws(destination="CloudWatchLogs")
    status, out, _, document = prove(aws)
    lacking = "Transaction Search is on, and X-Ray indexes a share of the traces only: none of these"
    assert (status, outcome(document)[SEARCHED], len(outcome(document))) == (0, lacking, 2)
    assert "traces are kept in CloudWatchLogs" in out
    assert {operation for _, operation in aws.asked} >= {"start_trace_retrieval", "list_retrieved_traces"}
    assert nothing_is_left(aws)


def test_a_deployment_that_is_rolled_back_keeps_its_first_reason(prove: Ran) -> None:
    """The table has no name any more, and the deletion does not hide why."""
    aws = Aws(fails=True)
    status, out, err, document = prove(aws)
    assert (status, document) == (1, {})
    assert err.startswith("FAILED: sam deploy failed: OrdersTable: Limit of tables exceeded\n")
    assert "Waiter StackCreateComplete failed" in err
    assert "(ROLLBACK_COMPLETE)" in out
    assert nothing_is_left(aws)


def test_a_deletion_that_fails_does_not_hide_the_first_error(prove: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told."""
    aws = Aws(fails=True)

    def fails(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "Throttling", "Message": "later"}}, "DeleteStack")

    monkeypatch.setattr(aws, "_delete_stack", fails)
    _, out, err, _ = prove(aws)
    assert "Limit of tables exceeded" in err
    assert "deleting failed:" in out


def test_without_permission_nothing_is_seen_and_the_reason_stands(prove: Ran) -> None:
    """SAM says what is not allowed."""
    aws = Aws(denied=["sam deploy", "get_trace_segment_destination", "get_resources"])
    status, _, err, document = prove(aws)
    assert (status, document) == (1, {})
    assert "is not authorized to perform: cloudformation:*" in err
    assert nothing_is_left(aws)


def test_a_missing_right_of_one_check_is_no_failure(prove: Ran) -> None:
    """It cannot be seen there, and is named with its operation."""
    aws = Aws(denied=["get_groups"])
    status, _, _, document = prove(aws)
    told = outcome(document)["the filter expression of the group of slow requests"]
    assert (status, told.startswith("could not be asked: GetGroups:")) == (0, True)


def test_another_region_is_the_one_that_is_asked(prove: Ran) -> None:
    """But for the layers of every region, and the one outside."""
    aws = Aws(region="eu-west-3")
    status, out, _, document = prove(aws)
    assert (status, document["region"], "region  eu-west-3 (the profile)" in out) == (0, "eu-west-3", True)
    elsewhere = {operation for region, operation in aws.asked if region != "eu-west-3"}
    assert elsewhere <= {"get_layer_version_by_arn", "create_change_set", "describe_change_set", "delete_stack"}
    assert nothing_is_left(aws)


def test_an_account_that_samples_nothing_cannot_show_traces(prove: Ran) -> None:
    """Each sentence says why; no wait for what never comes; the others are seen."""
    aws = Aws(sampled=False)
    status, _, _, document = prove(aws)
    unsampled = [text for text, why in outcome(document).items() if why == UNSAMPLED]
    assert (len(unsampled), "that no span is lost at the freeze" in unsampled) == (8, True)
    assert {*outcome(document)} - {*unsampled} == {DOCKER}
    assert status == 0
    assert nothing_is_left(aws)


def test_late_traces_are_waited_for(prove: Ran) -> None:
    """They arrive at the fourth time of asking."""
    aws = Aws(late=3)
    status, _, _, document = prove(aws)
    assert (status, {*outcome(document)}) == (0, {DOCKER})
    assert nothing_is_left(aws)


@pytest.mark.parametrize("moment", ["sam deploy", "GET", "get_groups", "receive_message"])
def test_ctrl_c_leaves_nothing(prove: Ran, moment: str) -> None:
    """While it deploys, sends, looks at the first sentences, and at the last ones."""
    aws = Aws(stops=moment)
    status, out, _, document = prove(aws)
    assert (status, document, out.endswith("left: nothing\n")) == (130, {}, True)
    assert nothing_is_left(aws)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_an_earlier_run_left_is_deleted_first(prove: Ran) -> None:
    """After the question, which names it."""
    aws = Aws()
    aws.stacks["lambda-latency-prove-old"] = {"status": "CREATE_COMPLETE", "run": "lambda-latency-prove-old"}
    aws.tagged["arn:aws:dynamodb:us-east-1:123456789012:table/lambda-latency-prove-old-orders"] = (
        "lambda-latency-prove-old"
    )
    aws.tagged["arn:aws:sqs:us-east-1:123456789012:lambda-latency-prove-older"] = "lambda-latency-prove-older"
    status, out, _, _ = prove(aws)
    assert "deletes what earlier runs left: lambda-latency-prove-old, lambda-latency-prove-older\n" in out
    assert (status, nothing_is_left(aws)) == (0, True)


def test_what_cannot_be_deleted_is_listed(prove: Ran) -> None:
    """Twice tried; the status says it, too."""
    aws = Aws(denied=["delete_table"])
    status, out, _, document = prove(aws)
    (left,) = document["left"]
    assert (status, left.startswith("dynamodb lambda-latency-prove-"), "AccessDenied" in left) == (1, True, True)
    assert [operation for _, operation in aws.asked].count("delete_table") == 2
    assert f"Left: {left}.\n" in out


def test_an_account_in_which_everything_is_right_ends_with_0(prove: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a Docker daemon on this machine, too: every sentence is seen."""
    monkeypatch.setattr(configured, "shutil", SimpleNamespace(which=lambda _: "/bin/true"))
    aws = Aws()
    status, out, _, document = prove(aws)
    assert (status, outcome(document), len(document["sentences"])) == (0, {}, len(SENTENCES))
    assert f"{len(SENTENCES)} seen, 0 not seen, 0 cannot be seen here." in out
    assert nothing_is_left(aws)


@pytest.mark.parametrize(
    ("instead", "named", "unseen"),
    [
        ({"batch_get_traces": {"UnprocessedTraceIds": []}}, "unexpected answer of AWS: no 'Traces'", 8),
        (
            {"get_trace_segment_destination": {"Destination": "Elsewhere"}},
            "GetTraceSegmentDestination says 'Elsewhere'",
            8,
        ),
    ],
)
def test_an_account_that_answers_in_no_known_form(prove: Ran, instead: dict[str, Any], named: str, unseen: int) -> None:
    """A field is missing, a value is unknown: it is named, nothing is claimed that needs it, and nothing is left."""
    aws = Aws(instead=instead, odd=list(instead))
    status, _, _, document = prove(aws)
    wrong = {one["sentence"]: one["evidence"] for one in document["sentences"] if one["seen"] is False}
    assert (status, [text for text in wrong.values() if named not in text]) == (1, [])
    assert len(wrong) >= unseen
    assert nothing_is_left(aws)


def test_only_some_sentences_and_nothing_deleted(prove: Ran) -> None:
    """`--keep` leaves it to the next run."""
    aws = Aws()
    status, out, _, document = prove(aws, "--yes", "--keep", "--only", "group of slow")
    assert (status, [one["seen"] for one in document["sentences"]], len(aws.stacks)) == (0, [True], 1)
    assert "is kept: the next `make prove` deletes it" in out
    assert (prove(aws)[0], nothing_is_left(aws)) == (0, True)


@pytest.mark.parametrize(("typed", "status"), [("n\n", 0), (None, 2)])
def test_nothing_is_created_without_a_yes(
    prove: Ran, monkeypatch: pytest.MonkeyPatch, typed: str | None, status: int
) -> None:
    """Nor without somebody to ask."""
    terminal = io.StringIO(typed or "")
    monkeypatch.setattr(terminal, "isatty", lambda: typed is not None)
    monkeypatch.setattr(sys, "stdin", terminal)
    aws = Aws()
    found, out, _, document = prove(aws, "--region", "us-east-1")
    assert (found, document, aws.parameters, "less than a dollar" in out) == (status, {}, {}, True)
    assert out.endswith("Nothing was created.\n")


def test_without_credentials_the_status_is_1(prove: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is said to be seen."""
    monkeypatch.setattr(Aws, "_get_caller_identity", lambda _: ClientError({"Error": {"Code": "ExpiredToken"}}, "a"))
    status, out, err, document = prove(Aws())
    assert (status, document, "seen" in out) == (1, {}, False)
    assert err.startswith("account not known: ")


def test_the_policy_is_printed_without_any_call(prove: Ran) -> None:
    """Each of the operations that are asked is allowed by it."""
    aws = Aws()
    status, out, _, _ = prove(aws, "--print-policy")
    assert (status, aws.asked) == (0, [])
    actions = [one for statement in json.loads(out)["Statement"] for one in statement["Action"]]
    assert {"tag:GetResources", "xray:StartTraceRetrieval", "cloudwatch:SetAlarmState"} <= set(actions)


def test_the_workflow_runs_by_hand_with_a_role_of_oidc() -> None:
    """It is off until its owner names the role, and asks nobody."""
    text = (ROOT / ".github" / "workflows" / "prove.yml").read_text()
    read = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes texts only, so that `on` is no boolean
    assert (list(read["on"]), read["permissions"]["id-token"]) == (["workflow_dispatch"], "write")
    job = read["jobs"]["prove"]
    assert job["if"] == "vars.PROVE_ROLE != ''"
    (command,) = [step["run"] for step in job["steps"] if "run" in step]
    assert "lab prove --yes --report prove.json" in command
