"""`make prove`: what it says of an account in which one fact is wrong, and what it leaves there."""

import base64
import io
import json
import pickle
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from botocore.exceptions import EndpointConnectionError
from samcli.yamlhelper import yaml_parse

from lab.deploy import artifacts
from lab.destination import Destination
from lab.prove import __main__ as program
from lab.prove import configured, leavings, place, scene, traced
from lab.prove.configured import PROVIDER
from lab.prove.scene import Evidence, Scene
from lab.prove.sentences import SENTENCES
from lambda_latency.adopt import AdoptOptions, edited_template
from lambda_latency.adot import COLLECTOR, PYTHON
from tests.docs.pages import ROOT
from tests.lab import aws_words
from tests.lab.aws import TRACE, PlayedAccount, error, not_allowed, notified, without_layer
from tests.lab.aws_words import (
    BAD_TOKEN,
    BROKEN_API,
    FORBIDDEN,
    LOGS_REMAIN,
    NO_ANNOTATION,
    NO_DAEMON,
    NO_MAPPING,
    NO_MODULE,
    NO_VERSION,
    NOT_ALLOWED,
    NOT_EXPORTED,
    STILL_LISTED,
    THROTTLED,
    UNPROCESSED,
    Words,
)

SEEN, UNSEEN, UNKNOWN = "seen", "NOT SEEN", "cannot be seen"
NAMES = {sentence.check.__name__: sentence.text for sentence in SENTENCES}
READS = ("BatchGet", "Describe", "Filter", "Get", "List", "Retrieve", "Start", "Validate")
OTHER = "lambda-latency-prove-other"
LAYER = PYTHON.arn("us-east-1", PYTHON.releases[0].numbers["us-east-1"])
NEWEST = PYTHON.newest("us-east-1")
assert NEWEST is not None
OURS = PYTHON.arn("us-east-1", NEWEST.numbers["us-east-1"])


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is asked again is asked at once, and no more than some times; a Docker daemon answers."""
    clock = iter(range(10**6))
    seconds = SimpleNamespace(time=lambda: 1.7e9, monotonic=lambda: next(clock) * 20.0, sleep=lambda _: None)
    for module in (scene, traced, configured, leavings):
        monkeypatch.setattr(module, "time", seconds)
    monkeypatch.setattr(configured, "shutil", SimpleNamespace(which=lambda _: "/bin/true"))
    monkeypatch.setattr(traced, "VERSION", "python3.13")
    monkeypatch.setattr(place, "BUILD", tmp_path / "build")
    monkeypatch.setattr(place, "edited_template", variant)
    for module in (artifacts, configured, place):
        monkeypatch.setattr(module, "yaml_parse", lambda text: pickle.loads(parsed(text)))  # noqa: S301 - our own


@cache
def variant(template: Path, options: AdoptOptions) -> str:
    """The template as `adopt` writes it, once for all tests."""
    return edited_template(template, options)


@cache
def parsed(text: str) -> bytes:
    """The values of a template, read once for all tests."""
    return pickle.dumps(yaml_parse(text))


@dataclass(frozen=True, slots=True)
class ProveRun:
    """What the program did: status, output, errors, and the report."""

    status: int
    out: str
    err: str
    document: Mapping[str, Any]

    @property
    def unseen(self) -> dict[str, str]:
        """The names of checks that were not seen, with their outcomes."""
        words = {False: UNSEEN, None: UNKNOWN}
        outcomes = {row["sentence"]: row["seen"] for row in self.document.get("sentences", ())}
        return {name: words[outcomes[text]] for name, text in NAMES.items() if outcomes.get(text) is not True}

    def evidence(self, name: str) -> str:
        """The evidence of a check."""
        rows = {row["sentence"]: str(row["evidence"]) for row in self.document["sentences"]}
        return rows[NAMES[name]]


Prove = Callable[..., ProveRun]


@pytest.fixture
def prove(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Prove:
    """Runs the program in an account."""

    def run(aws: PlayedAccount, *arguments: str) -> ProveRun:
        def command(_: object, arguments: list[str]) -> tuple[int, str]:
            return aws.sam(arguments[1:]) if arguments[0].endswith("sam") else aws.command(arguments[3:])

        monkeypatch.setattr(Destination, "session", lambda _: aws)
        destination = Destination("trial", "AWS_PROFILE", aws.region, "the profile")
        monkeypatch.setattr(program, "destination_of", lambda *_, **__: destination)
        monkeypatch.setattr(place.Account, "_runs", command)
        monkeypatch.setattr(place, "_send", aws.send)
        out = tmp_path / "report.json"
        out.unlink(missing_ok=True)
        monkeypatch.setattr(sys, "argv", ["prove", "--report", str(out), *(arguments or ["--yes"])])
        status = program.main(ArgumentParser())
        printed = capsys.readouterr()
        return ProveRun(status, printed.out, printed.err, json.loads(out.read_text()) if out.exists() else {})

    return run


@dataclass(frozen=True, slots=True)
class WrongFact:
    """An account with one wrong fact. `words`: what AWS says there; empty where it says nothing, as `fact` explains.

    `settings` are those of `PlayedAccount`; `unseen`: the checks that are not seen, with their outcomes.
    """

    fact: str
    words: Words | None
    status: int
    unseen: Mapping[str, str]
    answers: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def raising(words: Words, **names: str) -> Callable[..., Any]:
    """The answer to any request: an error in AWS's words."""
    return lambda **_: error(words, **names)


def change_set(status: str, reason: str = "") -> dict[str, Any]:
    """Answers of CloudFormation that end with a status."""
    return {"describe_change_set": {"Status": status, **({"StatusReason": reason} if reason else {})}}


def log(text: str) -> dict[str, Any]:
    """The answer of a function whose log ends with a text."""
    return {"invoke": {"StatusCode": 200, "LogResult": base64.b64encode(text.encode()).decode()}}


MAPPING = NO_MAPPING.text.format(region="us-east-1")
SLOW_ELSEWHERE = {
    "verdict": {"sentence": f"no slow requests ... {PROVIDER} 0.001 s of 0.2 s", "bucket": None, "name": None,
                "owner": None},
    "beside": {"sentences": [], "whole_routes": []},
}  # fmt: skip
TRACED = ("segments", "freeze", "spans_at_timeout", "daemon", "adopted", "searched", "slow_provider", "otlp")
WARM = "REPORT RequestId: 1\tDuration: 3.5 ms\tBilled Duration: 4 ms\tXRAY TraceId: " + TRACE

ACCOUNTS = (
    WrongFact("each fact is right", None, 0, {}),
    WrongFact("traces are in CloudWatch Logs, of which X-Ray indexes none of these", None, 4, {"searched": UNKNOWN},
            settings={"destination": "CloudWatchLogs"}),
    WrongFact("an older number of the layer does not exist", NO_VERSION, 1, {"layers": UNSEEN},
            {"get_layer_version_by_arn": without_layer(LAYER)}),
    WrongFact("this region's newest number does not exist", NO_VERSION, 1, {"layers": UNSEEN, "contents": UNSEEN},
            {"get_layer_version_by_arn": without_layer(OURS)}),
    WrongFact("the caller may not read layers", NOT_ALLOWED, 4, {"layers": UNKNOWN, "contents": UNKNOWN},
            {"get_layer_version_by_arn": raising(NOT_ALLOWED, action="lambda:GetLayerVersion")}),
    WrongFact("an organization forbids it", FORBIDDEN, 4, {"layers": UNKNOWN, "contents": UNKNOWN},
            {"get_layer_version_by_arn": raising(FORBIDDEN, action="lambda:GetLayerVersion")}),
    WrongFact("the layer has other packages: no words", None, 1, {"contents": UNSEEN},
            {"get_layer_version_by_arn": {"Content": {"Location": "data:,x"}}}),
    WrongFact("CloudFormation refuses the map at once", NO_MAPPING, 1, {"outside": UNSEEN},
            {"create_change_set": raising(NO_MAPPING, region="us-east-1")}),
    WrongFact("CloudFormation refuses the map in the change set", NO_MAPPING, 1, {"outside": UNSEEN},
            change_set("FAILED", MAPPING)),
    WrongFact("the change set fails for another reason: no words", None, 1, {"outside": UNSEEN},
            change_set("FAILED", "Transform failed")),
    WrongFact("the change set is never decided: no words", None, 4, {"outside": UNKNOWN},
            change_set("CREATE_IN_PROGRESS")),
    WrongFact("CloudFormation's role may not decide it", NOT_ALLOWED, 4, {"outside": UNKNOWN},
            change_set("FAILED", NOT_ALLOWED.text.format(action="iam:GetRole"))),
    WrongFact("the caller may not read groups", NOT_ALLOWED, 4, {"group": UNKNOWN},
            {"get_groups": raising(NOT_ALLOWED, action="xray:GetGroups")}),
    WrongFact("X-Ray has no such group: an empty list", None, 1, {"group": UNSEEN}, {"get_groups": {"Groups": []}}),
    WrongFact("X-Ray drops annotations with dots", NO_ANNOTATION, 1,
            {"segments": UNSEEN, "spans_at_timeout": UNSEEN}, settings={"annotations": {}}),
    WrongFact("X-Ray finds no trace by such an annotation: an empty list", NO_ANNOTATION, 1, {"searched": UNSEEN},
            {"get_trace_summaries": {"TraceSummaries": []}}),
    WrongFact("spans are lost at the freeze", NOT_EXPORTED, 1,
            {"freeze": UNSEEN, "daemon": UNSEEN, "adopted": UNSEEN}, settings={"calls": ()}),
    WrongFact("X-Ray throttles for good", THROTTLED, 4, {"searched": UNKNOWN, "group": UNKNOWN},
            {"get_trace_summaries": raising(THROTTLED)}),
    WrongFact("X-Ray does not process the segment that is sent twice", UNPROCESSED, 1, {"sent_twice": UNSEEN},
            {"put_trace_segments": {"UnprocessedTraceSegments": [{"ErrorCode": "InvalidName",
                                                                  "Message": UNPROCESSED.text}]}}),
    WrongFact("the report prints the provider's address, and not as a cause", None, 1, {"slow_provider": UNSEEN},
            settings={"report": SLOW_ELSEWHERE}),
    WrongFact("the API answers orders with 200, as if the provider had answered", None, 1,
            {"spans_at_timeout": UNSEEN, "duration_at_timeout": UNSEEN, "slow_provider": UNSEEN, "explained": UNSEEN},
            settings={"statuses": {"POST /orders": 200}}),
    WrongFact("the API's answer names no trace", None, 1,
            dict.fromkeys(("segments", "response_first", "freeze", "spans_at_timeout", "slow_provider", "daemon",
                           "searched"), UNSEEN), settings={"header": ""}),
    WrongFact("a sampling rule of the account decides", None, 4,
            dict.fromkeys(("segments", "response_first", "freeze", "spans_at_timeout", "slow_provider", "daemon",
                           "searched", "otlp"), UNKNOWN), settings={"sampled": False}),
    WrongFact("CloudWatch has no duration of the function: an empty list", None, 1, {"duration_at_timeout": UNSEEN},
            {"get_metric_statistics": {"Datapoints": []}}),
    WrongFact("an alarm is missing: an empty list", None, 1, {"alarms": UNSEEN},
            {"describe_alarms": {"MetricAlarms": []}}),
    WrongFact("no message arrives: an empty list", None, 1, {"explained": UNSEEN},
            {"receive_message": {"Messages": []}}),
    WrongFact("only CloudWatch's own message arrives, about an alarm that names the provider", None, 1,
            {"explained": UNSEEN}, {"receive_message": notified('ALARM: "shop.SlowAlarm" in US East (N. Virginia)')}),
    WrongFact("Lambda runs no daemon", NO_DAEMON, 1, {"freeze": UNSEEN, "daemon": UNSEEN},
            settings={"calls": ("STS",)}),
    WrongFact("the adopted function does not start", NO_MODULE, 1,
            {"adopted": UNSEEN, "starts": UNSEEN, "twice": UNSEEN},
            {"invoke": {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": NO_MODULE.text}}),
    WrongFact("Lambda reports no cold start: a missing field", None, 1, {"starts": UNSEEN, "twice": UNSEEN}, log(WARM)),
    WrongFact("X-Ray's endpoint answers in other words", BAD_TOKEN, 1, {"otlp": UNSEEN},
            {"filter_log_events": {"events": [{"message": f"lambda-latency: {BAD_TOKEN.text}"}]}}),
    WrongFact("X-Ray keeps traces at a place that nobody documents", None, 1,
            dict.fromkeys(("segments", "response_first", "freeze", "sent_twice", "spans_at_timeout", "slow_provider",
                           "daemon", "otlp", "adopted"), UNSEEN),
            {"get_trace_segment_destination": {"Destination": "Elsewhere"}}),
)  # fmt: skip


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.fact)
def test_one_wrong_fact_is_named_and_the_status_is_not_0(prove: Prove, account: WrongFact) -> None:
    """The other sentences are seen, and nothing is left."""
    aws = PlayedAccount(account.answers, **account.settings)
    run = prove(aws)
    assert (run.unseen, run.status, aws.is_empty()) == (account.unseen, account.status, True), run.out
    assert run.out.endswith("Left: nothing.\n")


def test_every_check_has_a_no() -> None:
    """Each is "NOT SEEN" in an account; the image of a collector is no fact of an account."""
    refused = {name for account in ACCOUNTS for name, outcome in account.unseen.items() if outcome == UNSEEN}
    assert {*NAMES} - refused == {"image"}


def test_every_quotation_has_a_public_address() -> None:
    """An account without one says what AWS answers in place of words."""
    texts = [value for name, value in vars(aws_words).items() if isinstance(value, Words)]
    assert [words for words in texts if not words.source.startswith("https://")] == []


def test_every_number_of_a_layer_is_asked_for() -> None:
    """With one number missing, whichever it is, the versions of the layers are not seen; with all they are."""
    aws = PlayedAccount()
    scenes = Scene(place.Account("lambda-latency-prove-1", Destination("", "", "us-east-1", "")), ())
    object.__setattr__(scenes.place, "_session", aws)
    count = sum(region in PYTHON.default_regions for release in PYTHON.releases for region in release.numbers)
    count += 2 * len({*COLLECTOR.regions} & {*PYTHON.default_regions})
    requested: list[str] = []
    missing = ""

    def answer(Arn: str) -> Any:  # noqa: N803 - AWS's name
        requested.append(Arn)
        return error(NO_VERSION, arn=Arn) if Arn == missing else {"LayerVersionArn": Arn}

    aws.answers["get_layer_version_by_arn"] = answer
    assert configured.layers(scenes) == Evidence(True, f"{count} versions exist")
    outcomes = []
    for missing in dict.fromkeys(requested):
        evidence = configured.layers(scenes)
        outcomes.append((evidence.seen, missing in evidence.text))
    assert outcomes == [(False, True)] * count


def test_an_api_that_is_broken_ends_the_proof(prove: Prove) -> None:
    """No check would mean anything."""
    aws = PlayedAccount(statuses={"GET /orders": 502})
    run = prove(aws)
    assert (run.status, run.document, aws.is_empty()) == (1, {}, True)
    assert run.err.startswith("FAILED: GET /orders?customer=ada answered 502, not 200\n"), BROKEN_API


def test_a_lost_network_is_no_answer(prove: Prove) -> None:
    """The check cannot be seen, and the unseen are."""

    def lost(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://xray.us-east-1.amazonaws.com")

    run = prove(PlayedAccount({"get_groups": lost}))
    assert (run.status, run.unseen) == (4, {"group": UNKNOWN})


def test_the_emulator_need_not_see_what_it_lacks() -> None:
    """It shows how the stack is deployed and deleted, and confirms no sentence; an account must show each of AWS."""
    results = [(sentence, Evidence(None, sentence.unseen)) for sentence in SENTENCES]
    assert [program.status_of(results, [], is_emulator=is_emulator) for is_emulator in (True, False)] == [0, 4]


def test_log_groups_of_lambda_are_deleted(prove: Prove) -> None:
    """The functions of the small apps declare none, and no stack deletes those that Lambda makes."""
    aws = PlayedAccount()
    assert (prove(aws).status, aws.groups) == (0, set()), LOGS_REMAIN
    assert "logs.delete_log_group" in aws.asked


@pytest.mark.parametrize(
    ("operation", "action", "kind"),
    [("delete_table", "dynamodb:DeleteTable", "dynamodb"), ("delete_log_group", "logs:DeleteLogGroup", "logs")],
)
def test_what_cannot_be_deleted_is_listed(prove: Prove, operation: str, action: str, kind: str) -> None:
    """After a minute of attempts; the status says it, too, though every sentence is seen."""
    run = prove(PlayedAccount({operation: not_allowed(action)}))
    assert (run.status, run.unseen) == (1, {})
    for name in run.document["left"]:
        assert name.startswith(f"{kind} ")
        assert "because no identity-based policy allows" in name
    assert run.document["left"]
    assert run.out.endswith(f"Left: {', '.join(run.document['left'])}.\n")


def test_what_is_listed_after_its_stack_was_deleted_is_not_left(prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS lists a deleted resource by its tag for hours."""
    aws = PlayedAccount()
    deleting = aws._delete_stack

    def delete(StackName: str) -> Any:  # noqa: N803 - AWS's name
        aws.tagged[f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{StackName}.SlowAlarm"] = StackName
        return deleting(StackName)

    monkeypatch.setattr(aws, "_delete_stack", delete)
    run = prove(aws)
    assert (run.status, run.document["left"]) == (0, []), STILL_LISTED


def test_what_is_kept_is_listed_with_the_command_that_deletes_it(prove: Prove) -> None:
    """The status says that the proof is not complete."""
    aws = PlayedAccount()
    run = prove(aws, "--yes", "--keep")
    stack = run.document["stack"]
    table = f"arn:aws:dynamodb:us-east-1:123456789012:table/{stack}-orders"
    assert (run.status, run.unseen) == (4, {})
    assert {f"stack {stack} (CREATE_COMPLETE)", table, f"log group /aws/lambda/{stack}-plain-bare"} <= {
        *run.document["left"]
    }
    assert f"{stack} is kept: make prove ARGS='--delete {stack}' deletes it\n" in run.out
    run = prove(aws, "--yes", "--delete", stack)
    assert (run.status, aws.is_empty(), run.out.endswith("left: nothing\n")) == (0, True, True)


def test_the_stacks_of_another_run_are_named_and_not_touched(prove: Prove) -> None:
    """It may be running now, in CI or at a colleague's."""
    aws = PlayedAccount()
    aws.stacks[OTHER] = ("CREATE_IN_PROGRESS", OTHER)
    run = prove(aws)
    named = f"of other runs there is {OTHER}; to delete one: make prove ARGS='--delete {OTHER}'\n"
    assert (run.status, named in run.out, list(aws.stacks)) == (0, True, [OTHER])


def test_a_deployment_that_is_rolled_back_has_its_first_reason(prove: Prove) -> None:
    """The deletion of the stack does not hide it."""
    aws = PlayedAccount(fails=True)
    run = prove(aws)
    assert (run.status, run.document, aws.is_empty()) == (1, {}, True)
    assert run.err.startswith("FAILED: sam deploy failed: OrdersTable: Limit of tables exceeded\n")


@pytest.mark.parametrize("moment", ["sam deploy", "GET", "get_groups", "receive_message"])
def test_ctrl_c_leaves_nothing(prove: Prove, moment: str) -> None:
    """While it deploys, sends, looks at the first sentences, and at the last ones."""
    aws = PlayedAccount(stops=moment)
    run = prove(aws)
    assert (run.status, run.document, run.out.endswith("left: nothing\n"), aws.is_empty()) == (130, {}, True, True)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("typed", "status"), [("n\n", 0), (None, 2)])
def test_nothing_is_created_without_a_yes(
    prove: Prove, monkeypatch: pytest.MonkeyPatch, typed: str | None, status: int
) -> None:
    """Nor without somebody to ask."""
    terminal = io.StringIO(typed or "")
    monkeypatch.setattr(terminal, "isatty", lambda: typed is not None)
    monkeypatch.setattr(sys, "stdin", terminal)
    aws = PlayedAccount()
    run = prove(aws, "--region", "us-east-1")
    assert (run.status, run.document, aws.deployed) == (status, {}, [])
    assert run.out.endswith("Nothing was created.\n")


def test_a_boundary_is_on_every_role(prove: Prove) -> None:
    """Of the template's own roles, and of functions whose role SAM makes."""
    boundary = "arn:aws:iam::123456789012:policy/trial"
    aws = PlayedAccount()
    assert prove(aws, "--yes", "--boundary", boundary).status == 0
    assert [text.count(boundary) for text in aws.templates] == [4, 4, 1, 4, 2, 2, 4]


def test_the_policy_limits_what_it_creates_to_the_run(prove: Prove) -> None:
    """By the name's prefix, and with a boundary also the roles; it is printed without any call."""
    aws = PlayedAccount()
    run = prove(aws, "--print-policy", "--boundary", "arn:aws:iam::123456789012:policy/trial")
    assert (run.status, aws.asked) == (0, [])
    statements = json.loads(run.out)["Statement"]
    (look,) = [statement for statement in statements if statement["Resource"] == "*"]
    writes = [action for action in look["Action"] if not action.partition(":")[2].startswith(READS)]
    assert writes == ["xray:PutTraceSegments"]
    (grants,) = [statement for statement in statements if "iam:CreateRole" in statement["Action"]]
    assert grants == {
        "Sid": "Grant",
        "Effect": "Allow",
        "Action": ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"],
        "Resource": ["arn:aws:iam::*:role/lambda-latency-prove-*"],
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/trial"}},
    }


def test_the_workflow_runs_by_hand_with_a_role_of_oidc() -> None:
    """It is off until its owner names the role, and asks nobody."""
    text = (ROOT / ".github" / "workflows" / "prove.yml").read_text()
    read = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes texts only, so that `on` is no boolean
    assert (list(read["on"]), read["permissions"]["id-token"]) == (["workflow_dispatch"], "write")
    job = read["jobs"]["prove"]
    assert job["if"] == "vars.PROVE_ROLE != ''"
    (command,) = [step["run"] for step in job["steps"] if "run" in step]
    assert "lab prove --yes --report prove.json" in command
