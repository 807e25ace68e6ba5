"""Each check of `make prove` against answers as AWS gives them: one where its sentence is seen, one where it is not."""

from __future__ import annotations

import builtins
import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.prove import __main__ as program
from lab.prove import sentences
from lab.prove.place import Answer
from lab.prove.played import ARRIVED, Played, refused
from lab.prove.sentences import CALLS, SENTENCES, Evidence, Scene
from lambda_latency.runtime.delivery.transport import Answer as Reply

BY_NAME = {one.check.__name__: one for one in SENTENCES}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked at once, and no more than three times."""
    clock = iter(range(10_000))
    seconds = SimpleNamespace(time=lambda: 1000.0, monotonic=lambda: next(clock) * 80.0, sleep=lambda _: None)
    monkeypatch.setattr(sentences, "time", seconds)


def traces(*documents: dict[str, Any]) -> dict[str, Any]:
    """X-Ray's answer about one trace."""
    return {"Traces": [{"Segments": [{"Document": json.dumps(one)} for one in documents]}] if documents else []}


def resources(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CloudFormation's answer about the stack."""
    return {
        "StackResources": [
            {"ResourceType": kind, "LogicalResourceId": name, "PhysicalResourceId": f"prove-{name}"}
            for kind, name in pairs
        ]
    }


STAGE = {"name": "prove/dev", "origin": "AWS::ApiGateway::Stage", "end_time": 10.0}
FUNCTION = {"name": "orders", "origin": "AWS::Lambda::Function", "end_time": 10.4}
OURS = {"name": "GET /orders", "annotations": {"http.route": "/orders"}}
CALL = {"name": "DynamoDB"}
ALARMS = resources(("AWS::CloudWatch::Alarm", "Slow"), ("AWS::CloudWatch::Alarm", "Errors"))
CREATE = {
    "cloudformation.describe_stack_resources": resources(("AWS::Lambda::Function", "CreateOrder")),
    "lambda.update_function_configuration": {},
    "lambda.get_waiter": SimpleNamespace(wait=lambda **_: None),
}
TIMEOUT = {"name": "POST /orders", "annotations": {"lambda.timeout": True}}


def layer_of(**given: str) -> Any:
    """Lambda's answer about a layer's version: Ireland's is not there."""
    return refused("ResourceNotFoundException") if ":eu-west-1:" in given["Arn"] else {}


def kept(which: Callable[[list[str]], list[str]]) -> dict[str, Any]:
    """X-Ray that keeps some of the documents that are put."""
    sent: list[str] = []

    def put(TraceSegmentDocuments: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        sent.extend(TraceSegmentDocuments)
        return {}

    return {
        "xray.put_trace_segments": put,
        "xray.batch_get_traces": lambda **_: traces(*map(json.loads, which(sent))),
    }


def change_set(status: str, reason: str = "") -> dict[str, Any]:
    """CloudFormation's answer to a change set."""
    more = {"StatusReason": reason} if reason else {}
    return {
        "cloudformation.create_change_set": {},
        "cloudformation.describe_change_set": {"Status": status, **more},
        "cloudformation.delete_stack": {},
    }


SEARCH = {"xray.get_trace_segment_destination": {"Destination": "CloudWatchLogs"}}
# By the check: AWS's answers, and the evidence.
SEEN: dict[str, tuple[dict[str, Any], str]] = {
    "layers": ({"lambda.get_layer_version_by_arn": {}}, "17 regions have their version"),
    "group": (
        {"xray.get_groups": {"Groups": [{"FilterExpression": 'service("prove/dev") AND duration > 1'}]},
         "xray.get_trace_summaries": {}},
        'service("prove/dev") AND duration > 1',
    ),
    "segments": ({"xray.batch_get_traces": traces(STAGE, {**FUNCTION, "subsegments": [OURS]})},
                 f"{ARRIVED}: segments prove/dev, orders"),
    "searched": ({"xray.get_trace_summaries": {"TraceSummaries": [{"Id": ARRIVED}]}},
                 "1 of 1 traces by annotation[http.route]"),
    "response_first": ({"xray.batch_get_traces": traces(STAGE, FUNCTION)},
                       "the stage ended 400 ms before the function"),
    "freeze": ({"xray.batch_get_traces": traces({**FUNCTION, "subsegments": [{**OURS, "subsegments": [CALL]}]})},
               f"{ARRIVED}: 1 calls of DynamoDB, no request since"),
    "sent_twice": (kept(lambda sent: sent[-1:]), "1 documents are kept, of [2] s"),
    "spans_at_timeout": ({**CREATE, "xray.batch_get_traces": traces(TIMEOUT)}, f"{ARRIVED}: ['POST /orders']"),
    "duration_at_timeout": (
        {**CREATE, "cloudwatch.get_metric_statistics": {"Datapoints": [{"Maximum": 12.0}, {"Maximum": 2000.0}]}},
        "the longest Duration is 2000 ms of 2,000",
    ),
    "alarms": (
        {"cloudformation.describe_stack_resources": ALARMS,
         "cloudwatch.describe_alarms": {"MetricAlarms": [
             {"AlarmName": "prove-Slow", "StateValue": "OK"}, {"AlarmName": "prove-Errors", "StateValue": "OK"}]}},
        "prove-Errors OK, prove-Slow OK",
    ),
    "daemon": ({"xray.batch_get_traces": traces(FUNCTION)}, "1 segments"),
    "outside": (change_set("CREATE_COMPLETE"), "eu-central-2: CREATE_COMPLETE"),
    "otlp": ({**SEARCH, "otlp": Reply(200)},
             "spans go to CloudWatchLogs; 200: 0 of 1: it says no more"),
}  # fmt: skip
NOT_SEEN: dict[str, tuple[dict[str, Any], str]] = {
    "layers": ({"lambda.get_layer_version_by_arn": layer_of}, "eu-west-1: ResourceNotFoundException"),
    "group": ({"xray.get_groups": {"Groups": [{"FilterExpression": 'service("other")'}, {}]}},
              'no group has service("prove/dev")'),
    "segments": ({"xray.batch_get_traces": traces(STAGE, {**FUNCTION, "subsegments": [CALL]})},
                 f"{ARRIVED}: segments prove/dev, orders"),
    "searched": ({"xray.get_trace_summaries": {"TraceSummaries": []}}, "0 of 1 traces by annotation[http.route]"),
    "response_first": ({"xray.batch_get_traces": traces(STAGE, {**FUNCTION, "end_time": 9.9})},
                       "the stage ended -100 ms before the function"),
    "freeze": ({"xray.batch_get_traces": traces(FUNCTION)}, f"{ARRIVED}: 0 calls of DynamoDB, no request since"),
    "sent_twice": (kept(lambda _: []), "0 documents are kept, of [] s"),
    "spans_at_timeout": ({**CREATE, "xray.batch_get_traces": traces({**TIMEOUT, "annotations": {}})},
                         f"{ARRIVED}: no span says it"),
    "duration_at_timeout": ({**CREATE, "cloudwatch.get_metric_statistics": {"Datapoints": [{"Maximum": 1999.0}]}},
                            "the longest Duration is 1999 ms of 2,000"),
    "alarms": ({"cloudformation.describe_stack_resources": ALARMS,
                "cloudwatch.describe_alarms": {"MetricAlarms": [{"AlarmName": "prove-Slow", "StateValue": "OK"}]}},
               "prove-Slow OK"),
    "daemon": ({"xray.batch_get_traces": traces()}, "0 segments"),
    "outside": (change_set("FAILED", "Template error: Unable to get mapping for AdotPython (FindInMap)"),
                "eu-central-2: Template error: Unable to get mapping for AdotPython (FindInMap)"),
    "otlp": ({**SEARCH, "otlp": Reply(403, b"HTTP/1.1 403 No\r\nx-amzn-ErrorType: AccessDeniedException")},
             "the function's role lacks the right: attach AWSXRayDaemonWriteAccess"),
}  # fmt: skip
# What no account can show.
NOT_SHOWN = {
    "console": "open it: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/query",
    "thread": "nothing in an account makes Lambda refuse an extension",
    "adopted": "needs an app of your own: lambda-latency adopt --write, then sam deploy",
    "image": "needs Docker and no account: lambda-latency demo --collector docker",
}


def scene(answers: dict[str, Any]) -> Scene:
    """The stack is deployed, and three requests are answered."""
    place = Played(answers)
    place.deploy({})
    return Scene(place, [Answer(200, ARRIVED, 1.0, 2.0)] * len(CALLS))


def test_every_check_has_both_cases() -> None:
    """Or cannot be shown."""
    assert set(SEEN) == set(NOT_SEEN)
    assert {*SEEN, *NOT_SHOWN} == set(BY_NAME)


def endpoint(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> None:
    """X-Ray's OTLP endpoint gives its answer to whoever has credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAKNOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    reply = answers.get("otlp")
    monkeypatch.setattr(sentences, "transport_to", lambda _: SimpleNamespace(post=lambda *_: reply))


@pytest.mark.parametrize("name", SEEN)
def test_a_sentence_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its evidence."""
    answers, text = SEEN[name]
    endpoint(monkeypatch, answers)
    found = program.look(BY_NAME[name], scene(answers))
    assert (found.seen, found.text.endswith(text)) == (True, True), found


@pytest.mark.parametrize("name", NOT_SEEN)
def test_a_sentence_is_not_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for again and again did not come."""
    answers, text = NOT_SEEN[name]
    endpoint(monkeypatch, answers)
    found = program.look(BY_NAME[name], scene(answers))
    assert (found.seen, found.text.endswith(text)) == (False, True), found


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_a_sentence_that_no_account_shows(name: str) -> None:
    """What to do instead."""
    assert program.look(BY_NAME[name], scene({})) == Evidence(None, NOT_SHOWN[name])


@pytest.mark.parametrize("name", sorted({*SEEN} - {"layers", "outside"}))
def test_what_may_not_be_asked_is_no_answer(name: str) -> None:
    """A role without rights shows neither."""
    answers = {key: (lambda **_: refused("AccessDenied")) for key in SEEN[name][0]}
    found = program.look(BY_NAME[name], scene(answers))
    assert (found.seen, found.text.startswith("could not be asked: ")) == (None, True)


def test_a_region_that_is_not_enabled_is_no_answer() -> None:
    """And the stack that was to be there is deleted all the same."""
    answers = {**change_set(""), "cloudformation.create_change_set": refused("OptInRequired")}
    asked = scene(answers)
    found = program.look(BY_NAME["outside"], asked)
    assert found == Evidence(None, "eu-central-2 cannot be asked: OptInRequired")
    assert isinstance(asked.place, Played)
    assert asked.place.asked[-1] == "cloudformation.delete_stack eu-central-2"


def test_the_daemon_is_looked_for_with_a_sampled_header() -> None:
    """The stack is deployed anew for it."""
    asked = scene(SEEN["daemon"][0])
    program.look(BY_NAME["daemon"], asked)
    assert isinstance(asked.place, Played)
    assert asked.place.parameters[-1].items() >= {"Tracing": "PassThrough", "Export": "daemon"}.items()
    (_, _, headers) = asked.place.requests[-1]
    assert headers["X-Amzn-Trace-Id"].endswith(";Sampled=1")


def everything(places: list[Played]) -> Callable[..., Played]:
    """Makes a place where each check has its seen case."""
    answers: dict[str, Any] = {}
    for one, _ in SEEN.values():
        answers.update(one)

    def make(stack: str) -> Played:
        place = Played(answers)
        place.stack = stack
        places.append(place)
        return place

    return make


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Played]:
    """The accounts that the program uses."""
    made: list[Played] = []
    monkeypatch.setattr(program, "Account", everything(made))
    monkeypatch.setattr(program, "OUT", tmp_path / "prove.json")
    monkeypatch.setattr(program, "ROOT", tmp_path)
    return made


def test_nothing_is_done_without_a_yes(
    places: list[Played], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cost is said before."""
    monkeypatch.setattr(builtins, "input", lambda _: "n")
    assert program.on_aws() == 0
    out = capsys.readouterr().out
    assert ("less than a dollar" in out, out.endswith("Nothing was done.\n")) == (True, True)
    assert (places[0].asked, places[0].parameters) == ([], [])


def test_the_whole_of_it(
    places: list[Played], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row and an entry for each sentence; nothing is left."""
    monkeypatch.setattr(builtins, "input", lambda _: "y")
    status = program.on_aws()
    document = json.loads(program.OUT.read_text())
    assert [one["sentence"] for one in document["sentences"]] == [one.text for one in SENTENCES]
    assert document["left"] == places[0].left() == []
    assert status == int(any(one["seen"] is False for one in document["sentences"]))
    assert capsys.readouterr().out.endswith("Left: nothing.\n")


@pytest.mark.parametrize("name", ["group", "daemon", "alarms"])
def test_a_stop_in_any_check_leaves_nothing(places: list[Played], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Ctrl-C while it is asked; a second one while it deletes is not heard."""

    def stops(_: Scene) -> Evidence:
        raise KeyboardInterrupt

    heard: list[Any] = []
    stopped = [
        sentences.Sentence(one.text, stops if one is BY_NAME[name] else one.check, one.unseen) for one in SENTENCES
    ]
    monkeypatch.setattr(program, "SENTENCES", stopped)
    monkeypatch.setattr(builtins, "input", lambda _: "y")

    def deletes(self: Played) -> None:
        heard.append(signal.getsignal(signal.SIGINT))
        self.deployed.clear()

    monkeypatch.setattr(Played, "delete", deletes)
    with pytest.raises(KeyboardInterrupt):
        program.on_aws()
    assert (places[0].left(), heard) == ([], [signal.SIG_IGN])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_deployment_that_fails_is_deleted(places: list[Played], monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it may be there."""

    def fails(self: Played, _: Any) -> None:
        self.deployed.append(self.stack)
        raise refused("Failed")

    monkeypatch.setattr(Played, "deploy", fails)
    monkeypatch.setattr(builtins, "input", lambda _: "y")
    with pytest.raises(Exception, match="Failed"):
        program.on_aws()
    assert places[0].left() == []
