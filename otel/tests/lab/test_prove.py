"""Each check of `make prove` against answers as AWS gives them: one where its sentence is seen, one where it is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from lab.prove import __main__ as program
from lab.prove import configured, leavings, scene, traced
from lab.prove.aws import layer_file
from lab.prove.place import Answer
from lab.prove.played import ARRIVED, Played, refused
from lab.prove.scene import Evidence, Scene
from lab.prove.sentences import CALLS, SENTENCES
from lambda_latency.adot import PYTHON

BY_NAME = {one.check.__name__: one for one in SENTENCES}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked at once, and no more than three times."""
    clock = iter(range(10_000))
    seconds = SimpleNamespace(time=lambda: 1000.0, monotonic=lambda: next(clock) * 80.0, sleep=lambda _: None)
    for module in (scene, traced, configured, leavings):
        monkeypatch.setattr(module, "time", seconds)


def traces(*documents: dict[str, Any]) -> dict[str, Any]:
    """X-Ray's answer about one trace."""
    segments = [{"Id": str(number), "Document": json.dumps(one)} for number, one in enumerate(documents)]
    return {"Traces": [{"Id": ARRIVED, "Segments": segments}] if documents else []}


def resources(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CloudFormation's answer about the stack."""
    return {
        "StackResources": [
            {
                "ResourceType": kind,
                "LogicalResourceId": name,
                "PhysicalResourceId": f"prove-{name}",
                "Timestamp": 1,
                "ResourceStatus": "CREATE_COMPLETE",
            }
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
    "lambda.get_function_configuration": {"Timeout": 6},
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


LOG = resources(("AWS::Logs::LogGroup", "ListOrdersLog"))
APP = resources(("AWS::Lambda::Function", "Bare"), ("AWS::Lambda::Function", "Sdk"))
ANOTHER = layer_file({"opentelemetry-api": "1.9"})
EU_WEST_1 = layer_file(next(one.packages for one in PYTHON.releases if one.version == "0.18.0"))


def report_line(text: str) -> dict[str, Any]:
    """Lambda's answer with the end of the log."""
    return {"StatusCode": 200, "LogResult": base64.b64encode(text.encode()).decode()}


def lines(*messages: str) -> dict[str, Any]:
    """The log of the function."""
    return {"cloudformation.describe_stack_resources": LOG,
            "logs.filter_log_events": {"events": [{"message": one} for one in messages]}}  # fmt: skip


def at_memory(took_ms: Mapping[int, int]) -> dict[str, Any]:
    """A function that takes so long by its memory."""
    now: list[int] = []

    def update(FunctionName: str, MemorySize: int) -> dict[str, Any]:  # noqa: N803 - AWS's names
        now[:] = [MemorySize]
        return {}

    return {
        "cloudformation.describe_stack_resources": APP,
        "lambda.update_function_configuration": update,
        "lambda.invoke": lambda **_: report_line(f"REPORT RequestId: 1\tDuration: {took_ms[now[0]]}.00 ms"),
    }


TOPIC = {
    "cloudformation.describe_stack_resources": resources(("AWS::CloudWatch::Alarm", "SlowAlarm")),
    "sns.create_topic": {"TopicArn": "t"}, "sqs.create_queue": {"QueueUrl": "u"}, "sns.subscribe": {},
    "sqs.get_queue_attributes": {"Attributes": {"QueueArn": "q"}}, "sqs.set_queue_attributes": None,
    "cloudwatch.set_alarm_state": None,
}  # fmt: skip
STARTED = "REPORT RequestId: 1\tDuration: 4.00 ms\tBilled Duration: 5 ms\tInit Duration: 210.00 ms\tXRAY TraceId: 1-a-b"
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
    "otlp": (lines("lambda-latency: Transaction Search is off"), "lambda-latency: Transaction Search is off"),
    "contents": ({"lambda.get_layer_version_by_arn": {"Content": {"Location": EU_WEST_1}}}, "ADOT 0.18.0: 9 packages"),
    "slow_provider": ({"xray.batch_get_traces": traces(FUNCTION), "run.report": "It waits\n  for 10.255.255.1"},
                      "for 10.255.255.1"),
    "explained": ({**TOPIC, "sqs.receive_message": {"Messages": [{"Body": "10.255.255.1 is slow"}]}},
                  "prove-SlowAlarm: a message names 10.255.255.1"),
    "adopted": ({"cloudformation.describe_stack_resources": APP, "lambda.invoke": report_line(STARTED),
                 "xray.batch_get_traces": traces({**FUNCTION, "subsegments": [{"name": "STS"}]})},
                "1-a-b: prove-Bare is adopted, 1 calls of STS traced"),
    "starts": ({"cloudformation.describe_stack_resources": APP, "lambda.invoke": report_line(STARTED),
                "lambda.update_function_configuration": {}},
               "none 210, X-Ray SDK 210, kit 210; warm invocation in ms: none 4.0, X-Ray SDK 4.0, kit 4.0"),
    "twice": (at_memory({512: 1200, 1024: 630}), "1,200 ms at 512 MB, 630 ms at 1,024 MB"),
    "image": ({"run.demo": "collector: AWS's image"}, "collector: AWS's image"),
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
    "outside": (change_set("FAILED", "Template error: Unable to get mapping for AdotPython::eu-central-2::Number"),
                "eu-central-2: Template error: Unable to get mapping for AdotPython::eu-central-2::Number"),
    "otlp": (lines("lambda-latency: the function's role lacks the right"), "the function's role lacks the right"),
    "contents": ({"lambda.get_layer_version_by_arn": {"Content": {"Location": ANOTHER}}},
                 "opentelemetry-sdk-extension-aws missing instead of 2.1.0"),
    "slow_provider": ({"xray.batch_get_traces": traces(FUNCTION), "run.report": "Nothing stands out."},
                      "Nothing stands out."),
    "explained": ({**TOPIC, "sqs.receive_message": {}}, "prove-SlowAlarm: 0 messages, none names 10.255.255.1"),
    "adopted": ({"cloudformation.describe_stack_resources": APP, "lambda.invoke": report_line(STARTED),
                 "xray.batch_get_traces": traces(FUNCTION)}, "1-a-b: prove-Bare is adopted, 0 calls of STS traced"),
    "starts": ({"cloudformation.describe_stack_resources": APP, "lambda.invoke": report_line("REPORT"),
                "lambda.update_function_configuration": {}},
               "unexpected answer of AWS: Lambda's REPORT has no Init Duration"),
    "twice": (at_memory({512: 1200, 1024: 1100}), "1,200 ms at 512 MB, 1,100 ms at 1,024 MB"),
}  # fmt: skip


def staged(answers: dict[str, Any]) -> Scene:
    """The stack is deployed, and three requests are answered."""
    place = Played(answers)
    place.deploy({})
    return Scene(place, [Answer(200, ARRIVED, 1.0, 2.0, sampled=True)] * len(CALLS))


def test_every_check_has_both_cases() -> None:
    """It can end in either; the image ends in seen, or needs a Docker daemon."""
    assert {*SEEN} == {*NOT_SEEN, "image"} == set(BY_NAME)


@pytest.fixture(autouse=True)
def docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon answers."""
    monkeypatch.setattr(configured, "shutil", SimpleNamespace(which=lambda _: "/bin/true"))


@pytest.mark.parametrize("name", SEEN)
def test_a_sentence_is_seen(name: str) -> None:
    """With its evidence."""
    answers, text = SEEN[name]
    found = program.look(BY_NAME[name], staged(answers))
    assert (found.seen, found.text.endswith(text)) == (True, True), found


@pytest.mark.parametrize("name", NOT_SEEN)
def test_a_sentence_is_not_seen(name: str) -> None:
    """What was asked for again and again did not come."""
    answers, text = NOT_SEEN[name]
    found = program.look(BY_NAME[name], staged(answers))
    assert (found.seen, found.text.endswith(text)) == (False, True), found


def test_without_a_docker_daemon_the_image_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account helps."""
    monkeypatch.setattr(configured, "shutil", SimpleNamespace(which=lambda _: None))
    found = program.look(BY_NAME["image"], staged({}))
    assert found == Evidence(None, "no Docker daemon answers on this machine")


@pytest.mark.parametrize("name", sorted({*SEEN} - {"outside", "image"}))
def test_what_may_not_be_asked_is_no_answer(name: str) -> None:
    """A role without rights shows neither."""
    answers = {key: (lambda **_: refused("AccessDenied")) for key in SEEN[name][0] if not key.startswith("run.")}
    found = program.look(BY_NAME[name], staged(answers))
    assert (found.seen, found.text.startswith("could not be asked: ")) == (None, True)


def test_a_region_that_is_not_enabled_is_no_answer() -> None:
    """And the stack that was to be there is deleted all the same."""
    answers = {**change_set(""), "cloudformation.create_change_set": refused("OptInRequired")}
    asked = staged(answers)
    found = program.look(BY_NAME["outside"], asked)
    assert found == Evidence(None, "eu-central-2 cannot be asked: OptInRequired")
    assert isinstance(asked.place, Played)
    assert asked.place.asked[-1] == "cloudformation.delete_stack eu-central-2"


def test_the_daemon_is_looked_for_in_a_deployment_of_its_own() -> None:
    """The stack is deployed anew for it; every request says that it is sampled."""
    asked = staged(SEEN["daemon"][0])
    program.look(BY_NAME["daemon"], asked)
    assert isinstance(asked.place, Played)
    assert (asked.place.parameters[-1]["Tracing"], asked.place.exports[-1]) == ("PassThrough", "daemon")


def test_otlp_is_sent_by_the_deployed_function_with_its_own_role() -> None:
    """Not by this program, whose rights are others."""
    asked = staged(SEEN["otlp"][0])
    program.look(BY_NAME["otlp"], asked)
    assert isinstance(asked.place, Played)
    assert (asked.place.parameters[-1]["Tracing"], asked.place.exports[-1]) == ("Active", "otlp")


@pytest.mark.parametrize(
    ("name", "answers", "named"),
    [
        ("segments", {"xray.batch_get_traces": {}}, "no 'Traces'"),
        ("segments", {"xray.batch_get_traces": {"Traces": [{"Id": "1"}]}}, "no 'Segments'"),
        ("alarms", {"cloudformation.describe_stack_resources": ALARMS,
                    "cloudwatch.describe_alarms": {"MetricAlarms": [{"AlarmName": "a", "StateValue": "LOUD"}]}},
         "DescribeAlarms has the state 'LOUD'"),
        ("contents", {"lambda.get_layer_version_by_arn": {}}, "GetLayerVersionByArn names no file"),
        ("outside", change_set("DONE"), "DescribeChangeSet has the status 'DONE'"),
    ],
)  # fmt: skip
def test_an_answer_in_another_form_is_named_and_not_seen(name: str, answers: dict[str, Any], named: str) -> None:
    """Whatever it means."""
    found = program.look(BY_NAME[name], staged(answers))
    assert (found.seen, named in found.text, found.text.startswith("unexpected answer of AWS: ")) == (False, True, True)
