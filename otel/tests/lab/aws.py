"""An account of AWS, played: its stacks, tags, logs, traces and alarms are state, its answers have the API's forms.

A fake, for nothing here is AWS. Requests and answers are validated by botocore's models of the services, and refusals
have AWS's quoted words (`aws_words`), so that the account does not agree with the checks by construction.
"""

import base64
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from lab.commands import ROOT
from lab.prove.configured import PROVIDER
from lab.prove.leavings import TAG
from lambda_latency.adot import PYTHON
from tests.lab.aws_words import NO_VERSION, NOT_ALLOWED, Words

TRACE = "1-674385f0-0123456789abcdef01234567"
MAIN = (
    ("AWS::DynamoDB::Table", "OrdersTable", "{stack}-orders"), ("AWS::Lambda::Function", "CreateOrder", "{stack}-f"),
    ("AWS::Logs::LogGroup", "ListOrdersLog", "{stack}-g"), ("AWS::CloudWatch::Alarm", "SlowAlarm", "{stack}.SlowAlarm"),
)  # fmt: skip
APP = (("AWS::Lambda::Function", "Bare", "{stack}-bare"), ("AWS::Lambda::Function", "Sdk", "{stack}-sdk"))
REPORT = {  # what `report --format json` says of a provider that never answers, as far as the check reads it
    "verdict": {"sentence": "Thin evidence.", "bucket": None, "name": None, "owner": None},
    "beside": {
        "sentences": [f"POST /orders is slow as a whole: 3,017 ms of it {PROVIDER}."],
        "whole_routes": [{"cell": {"bucket": "external", "name": PROVIDER, "owner": "theirs"}}],
    },
}


def error(words: Words, **names: str) -> ClientError:
    """An error in AWS's words."""
    return ClientError({"Error": {"Code": words.code, "Message": words.text.format(**names)}}, "Operation")


def notified(subject: str) -> dict[str, Any]:
    """The answer of a queue with a message of SNS about the provider."""
    return {"Messages": [{"Body": json.dumps({"Subject": subject, "Message": f"{PROVIDER} takes 2.9 s"})}]}


def layer_file(packages: Mapping[str, str]) -> str:
    """The address of a layer's file with some packages."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, version in packages.items():
            file.writestr(f"python/{name.replace('-', '_')}-{version}.dist-info/METADATA", "")
    return f"data:application/zip;base64,{base64.b64encode(content.getvalue()).decode()}"


@cache
def _operations(service: str) -> Mapping[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


class ServiceClient:
    """A client of a service, whose operations the account answers."""

    def __init__(self, aws: "PlayedAccount", service: str) -> None:
        self._aws, self._service = aws, service

    def get_waiter(self, _: str) -> Any:
        """A waiter that does not wait."""
        return SimpleNamespace(wait=lambda **_: None)

    def __getattr__(self, operation: str) -> Any:
        model = _operations(self._service)[operation]

        def call(**request: Any) -> Any:
            if model.input_shape is not None:
                _validate(request, model.input_shape, f"request of {self._service}.{operation}")
            answer = self._aws.answer(self._service, operation, request)
            if isinstance(answer, ClientError):
                answer.operation_name = model.name
                raise answer
            if model.output_shape is not None and operation not in self._aws.answers:
                _validate(answer or {}, model.output_shape, f"answer of {self._service}.{operation}")
            return answer or {}

        return call


def _validate(value: Any, shape: Any, name: str) -> None:
    result = ParamValidator().validate(value, shape)
    assert not result.has_errors(), f"{name}: {result.generate_report()}"


class PlayedAccount:
    """A session of boto3's, the SAM CLI, the API and a command, all on one state.

    `answers`: by operation, in place of the state's: a value, an error, or a function of the request. `region`: of the
    stacks. `destination`: where X-Ray keeps traces. `sampled`, `statuses`, `header`: of the API's answers.
    `stops`: the operation at which the person presses Ctrl-C. `fails`: a deployment is rolled back.
    """

    def __init__(
        self,
        answers: Mapping[str, Any] | None = None,
        *,
        region: str = "us-east-1",
        destination: str = "XRay",
        sampled: bool = True,
        header: str = "X-Amzn-Trace-Id",
        statuses: Mapping[str, int] | None = None,
        calls: Sequence[str] = ("DynamoDB", "STS"),
        annotations: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] = REPORT,
        stops: str = "",
        fails: bool = False,
    ) -> None:
        self.answers = dict(answers or {})
        self._rung = ""
        self.region, self.destination, self.sampled, self.header = region, destination, sampled, header
        self.statuses = {"GET /orders": 200, "GET /orders/o-1": 404, "POST /orders": 504, **(statuses or {})}
        self.calls, self.report, self.stops, self.fails = tuple(calls), report, stops, fails
        annotated = {"http.route": "/orders", "lambda.timeout": True}
        self.annotations = annotated if annotations is None else dict(annotations)
        self.stacks: dict[str, tuple[str, str]] = {}  # status and run by name
        self.tagged: dict[str, str] = {}
        self.groups: set[str] = set()
        self.sent: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.deployed: list[str] = []
        self.templates: list[str] = []
        self.roots: list[str] = []
        self.memory_mb = 512

    def is_empty(self) -> bool:
        """Whether no stack, nothing with the tag and no log group is there."""
        return not (self.stacks or self.tagged or self.groups)

    def client(self, service: str, **_: Any) -> Any:
        """As a session's."""
        return ServiceClient(self, service)

    def sam(self, arguments: Sequence[str]) -> tuple[int, str]:
        """The SAM CLI: builds, packages and deploys into the state."""
        self._stop(f"sam {arguments[0]}")
        options = dict(itertools.pairwise(arguments))
        if arguments[0] == "build":
            path = Path(options["--build-dir"], "template.yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Path(options.get("--template", ROOT / "template.yaml")).read_text())
        if arguments[0] == "package":
            path = Path(options["--output-template-file"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                f"Mappings: {{AdotPython: {{{self.region}: {{Number: '26'}}, xx-none-1: {{Number: '1'}}}}}}"
            )
        if arguments[0] != "deploy":
            return 0, ""
        name, run = options["--stack-name"], options["--tags"].partition("=")[2]
        self.templates.append(Path(options["--template"]).read_text())
        self.deployed.append(name)
        self.stacks[name] = ("ROLLBACK_COMPLETE" if self.fails else "CREATE_COMPLETE", run)
        if self.fails:
            return 1, "Error: Failed to create/update the stack: prove, Waiter StackCreateComplete failed"
        if name == run:
            self.tagged[f"arn:aws:dynamodb:{self.region}:123456789012:table/{name}-orders"] = run
        return 0, ""

    def send(self, request: Request) -> tuple[int, Mapping[str, str]]:
        """The API's answer to a request."""
        self._stop(request.get_method())
        sent = str(request.headers["X-amzn-trace-id"])
        assert "Sampled=1" in sent
        root = sent.partition("Root=")[2].partition(";")[0]
        self.roots.append(root)
        path = request.selector.removeprefix("/dev").partition("?")[0]
        headers = {self.header: f"Root={root};Sampled={int(self.sampled)}"} if self.header else {}
        return self.statuses[f"{request.get_method()} {path}"], {name.lower(): text for name, text in headers.items()}

    def command(self, arguments: Sequence[str]) -> tuple[int, str]:
        """A command of the kit."""
        if arguments[0] == "demo":
            return 0, "collector: AWS's image\n"
        if arguments[0] == "report":
            Path(arguments[-1].removeprefix("json=")).write_text(json.dumps(self.report))
        return 0, ""

    def answer(self, service: str, operation: str, request: Mapping[str, Any]) -> Any:
        """The answer of an operation."""
        self.asked.append(f"{service}.{operation}")
        self._stop(operation)
        if operation in self.answers:
            answer = self.answers[operation]
            return answer(**request) if callable(answer) else answer
        return getattr(self, f"_{operation}")(**request)

    def _stop(self, moment: str) -> None:
        if moment == self.stops:
            self.stops = ""
            raise KeyboardInterrupt

    def _get_caller_identity(self) -> Any:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada", "UserId": "A"}

    def _describe_stacks(self, StackName: str = "") -> Any:  # noqa: N803 - AWS's name, as those below
        if StackName and StackName not in self.stacks:
            return _missing_stack(StackName)
        names = [StackName] if StackName else list(self.stacks)
        url = [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com/dev"}]
        return {"Stacks": [
            {"StackName": name, "CreationTime": 1, "StackStatus": self.stacks[name][0], "Outputs": url,
             "Tags": [{"Key": TAG, "Value": self.stacks[name][1]}]} for name in names]}  # fmt: skip

    def _describe_stack_resources(self, StackName: str) -> Any:  # noqa: N803
        if StackName not in self.stacks:
            return _missing_stack(StackName)
        status, run = self.stacks[StackName]
        made = status == "CREATE_COMPLETE"
        return {"StackResources": [
            {"ResourceType": kind, "LogicalResourceId": logical, "Timestamp": 1,
             "ResourceStatus": "CREATE_COMPLETE" if made else "DELETE_COMPLETE",
             **({"PhysicalResourceId": name.format(stack=StackName)} if made else {})}
            for kind, logical, name in (MAIN if StackName == run else APP)]}  # fmt: skip

    def _describe_stack_events(self, StackName: str) -> Any:  # noqa: N803
        failed = {"StackId": "s", "StackName": StackName, "ResourceStatus": "CREATE_FAILED"}
        rows = (("GetOrder", "Resource creation cancelled"), ("OrdersTable", "Limit of tables exceeded"))
        return {"StackEvents": [
            {**failed, "EventId": name, "LogicalResourceId": name, "Timestamp": -number, "ResourceStatusReason": reason}
            for number, (name, reason) in enumerate(rows)]}  # fmt: skip

    def _delete_stack(self, StackName: str) -> Any:  # noqa: N803
        self.stacks.pop(StackName, None)

    def _create_change_set(self, TemplateBody: str, **_: Any) -> Any:  # noqa: N803
        assert self.region not in TemplateBody
        return {"Id": "c", "StackId": "s"}

    def _describe_change_set(self, **_: Any) -> Any:
        return {"Status": "CREATE_COMPLETE"}

    def _get_resources(self, TagFilters: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        runs = TagFilters[0].get("Values")
        return {"ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": TAG, "Value": run}]}
            for arn, run in self.tagged.items() if runs is None or run in runs]}  # fmt: skip

    def _describe_log_groups(self, logGroupNamePrefix: str) -> Any:  # noqa: N803
        return {"logGroups": [{"logGroupName": name} for name in self.groups if name.startswith(logGroupNamePrefix)]}

    def _delete_log_group(self, logGroupName: str) -> Any:  # noqa: N803
        self.groups.remove(logGroupName)

    def _delete_table(self, TableName: str) -> Any:  # noqa: N803
        return self._forget(f"table/{TableName}", {"TableDescription": {"TableName": TableName}})

    def _forget(self, end: str, answer: Any = None) -> Any:
        arn = next((arn for arn in self.tagged if arn.endswith(end)), None)
        if arn is None:
            return _missing("ResourceNotFoundException", f"{end} is not there")
        del self.tagged[arn]
        return answer

    def _get_trace_segment_destination(self) -> Any:
        return {"Destination": self.destination, "Status": "ACTIVE"}

    def _documents(self, trace_id: str) -> list[dict[str, str]]:
        if trace_id in self.sent:
            return [{"Id": "0", "Document": self.sent[trace_id][-1]}]
        calls = [{"name": name} for name in self.calls]
        span = {"name": "GET /orders", "annotations": self.annotations, "subsegments": calls}
        documents = [
            {"name": "prove/dev", "origin": "AWS::ApiGateway::Stage", "end_time": 10.0},
            {"name": "orders", "origin": "AWS::Lambda::Function", "end_time": 10.4, "subsegments": [span]},
        ]
        return [{"Id": str(number), "Document": json.dumps(document)} for number, document in enumerate(documents)]

    def _batch_get_traces(self, TraceIds: Sequence[str]) -> Any:  # noqa: N803
        assert self.destination == "XRay"
        return {"Traces": [{"Id": trace_id, "Segments": self._documents(trace_id)} for trace_id in TraceIds]}

    def _start_trace_retrieval(self, TraceIds: Sequence[str], **_: Any) -> Any:  # noqa: N803
        return {"RetrievalToken": TraceIds[0]}

    def _list_retrieved_traces(self, RetrievalToken: str, **_: Any) -> Any:  # noqa: N803
        traces = [{"Id": RetrievalToken, "Duration": 1.0, "Spans": self._documents(RetrievalToken)}]
        return {"RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "Traces": traces}

    def _put_trace_segments(self, TraceSegmentDocuments: Sequence[str]) -> Any:  # noqa: N803
        for text in TraceSegmentDocuments:
            self.sent.setdefault(json.loads(text)["trace_id"], []).append(text)
        return {"UnprocessedTraceSegments": []}

    def _get_trace_summaries(self, **_: Any) -> Any:
        return {"TraceSummaries": [{"Id": root} for root in self.roots] if self.destination == "XRay" else []}

    def _get_groups(self) -> Any:
        return {"Groups": [{"FilterExpression": f'service("{self.deployed[0]}/dev") AND duration > 1'}]}

    def _get_layer_version_by_arn(self, Arn: str) -> Any:  # noqa: N803
        release = PYTHON.release(Arn.split(":")[3], int(Arn.rpartition(":")[2]))
        packages = {} if release is None else release.packages
        return {"LayerVersionArn": Arn, "Content": {"Location": layer_file(packages)}}

    def _get_function_configuration(self, **_: Any) -> Any:
        return {"Timeout": 6}

    def _update_function_configuration(self, MemorySize: int = 512, **_: Any) -> Any:  # noqa: N803
        self.memory_mb = MemorySize
        return {}

    def _invoke(self, FunctionName: str, **_: Any) -> Any:  # noqa: N803
        self.groups.add(f"/aws/lambda/{FunctionName}")
        took_ms = (3.5 if "bare" in FunctionName else 4.5) * 512 / self.memory_mb
        log = (f"REPORT RequestId: 1\tDuration: {took_ms} ms\tBilled Duration: 4 ms\t"
               f"Init Duration: 210.00 ms\tXRAY TraceId: {TRACE}\tSegmentId: 1\tSampled: true")  # fmt: skip
        return {"StatusCode": 200, "LogResult": base64.b64encode(log.encode()).decode()}

    def _describe_alarms(self, AlarmNames: Sequence[str]) -> Any:  # noqa: N803
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": "OK"} for name in AlarmNames]}

    def _get_metric_statistics(self, **_: Any) -> Any:
        return {"Datapoints": [{"Maximum": 2000.0}]}

    def _set_alarm_state(self, AlarmName: str, **_: Any) -> Any:  # noqa: N803
        self._rung = AlarmName

    def _filter_log_events(self, **_: Any) -> Any:
        return {"events": [{"message": "lambda-latency: Transaction Search is off: switch it on"}]}

    def _create_topic(self, Name: str, Tags: Sequence[Mapping[str, str]]) -> Any:  # noqa: N803
        arn = f"arn:aws:sns:{self.region}:123456789012:{Name}"
        self.tagged[arn] = Tags[0]["Value"]
        return {"TopicArn": arn}

    def _list_topics(self) -> Any:
        return {"Topics": [{"TopicArn": arn} for arn in self.tagged if ":sns:" in arn]}

    def _delete_topic(self, TopicArn: str) -> Any:  # noqa: N803
        del self.tagged[TopicArn]

    def _subscribe(self, **_: Any) -> Any:
        return {"SubscriptionArn": "s"}

    def _create_queue(self, QueueName: str, tags: Mapping[str, str]) -> Any:  # noqa: N803
        self.tagged[f"arn:aws:sqs:{self.region}:123456789012:{QueueName}"] = tags[TAG]
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    def _get_queue_url(self, QueueName: str) -> Any:  # noqa: N803
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    def _get_queue_attributes(self, **_: Any) -> Any:
        return {"Attributes": {"QueueArn": "arn:aws:sqs:queue"}}

    def _set_queue_attributes(self, **_: Any) -> Any:
        return None

    def _receive_message(self, **_: Any) -> Any:
        return notified(f"{self._rung}: {PROVIDER}")

    def _delete_queue(self, QueueUrl: str) -> Any:  # noqa: N803
        return self._forget(f":sqs:{self.region}:123456789012:{QueueUrl.rpartition('/')[2]}")


def _missing_stack(name: str) -> ClientError:
    return _missing("ValidationError", f"Stack with id {name} does not exist")


def _missing(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def without_layer(*arns: str) -> Callable[..., Any]:
    """Lambda's answers of an account in which some versions of layers do not exist."""
    aws = PlayedAccount()

    def answer(Arn: str) -> Any:  # noqa: N803
        return error(NO_VERSION, arn=Arn) if Arn in arns else aws._get_layer_version_by_arn(Arn)

    return answer


def not_allowed(action: str) -> ClientError:
    """The error of a call that no policy of the caller allows."""
    return error(NOT_ALLOWED, action=action)
