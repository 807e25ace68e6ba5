"""An account of AWS, played: its stacks, tags, traces and alarms are state, answers have AWS's forms."""

from __future__ import annotations

import base64
import io
import itertools
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request

from lab.prove.configured import PROVIDER
from lab.prove.leavings import TAG
from lab.prove.played import ARRIVED, Client, refused
from lambda_latency.adot import PYTHON


def layer_file(packages: Mapping[str, str]) -> str:
    """The address of a layer's file that has some packages."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, version in packages.items():
            file.writestr(f"python/{name.replace('-', '_')}-{version}.dist-info/METADATA", "")
    return f"data:application/zip;base64,{base64.b64encode(content.getvalue()).decode()}"


class Aws:
    """An account: a session of boto3's, the SAM CLI, an API and a command, all on one state.

    `destination`: where X-Ray keeps traces. `sampled`: what the API says of a request. `late`: how often a trace is
    asked for before it is there. `denied`: operations that are not allowed. `fails`: a deployment is rolled back.
    `stops`: the operation at which the person presses Ctrl-C. `instead`: answers by operation, in place of those of the
    state; those in `odd` have a form that AWS's API does not have.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        destination: str = "XRay",
        sampled: bool = True,
        late: int = 0,
        denied: Sequence[str] = (),
        fails: bool = False,
        stops: str = "",
        instead: Mapping[str, Any] | None = None,
        odd: Sequence[str] = (),
    ) -> None:
        self.region, self.destination, self.sampled, self.late = region, destination, sampled, late
        self.denied, self.fails, self.stops = tuple(denied), fails, stops
        self.instead, self.odd = dict(instead or {}), frozenset(odd)
        self.stacks: dict[str, dict[str, Any]] = {}
        self.tagged: dict[str, str] = {}
        self.sent: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.parameters: dict[str, str] = {}
        self.roots: list[str] = []
        self.memory_mb = 512

    def client(self, service: str, region_name: str = "", **_: Any) -> Any:
        """As a session's."""
        return Client(self, service, region_name)

    def sam(self, arguments: Sequence[str]) -> tuple[int, str]:
        """The SAM CLI: builds, packages and deploys into the state."""
        self._stop(f"sam {arguments[0]}")
        given = dict(itertools.pairwise(arguments))
        if arguments[0] == "package":
            Path(given["--output-template-file"]).parent.mkdir(parents=True, exist_ok=True)
            Path(given["--output-template-file"]).write_text("Resources: {}")
        if arguments[0] == "build":
            Path(given["--build-dir"]).mkdir(parents=True, exist_ok=True)
            Path(given["--build-dir"], "template.yaml").write_text("Resources: {}")
        if arguments[0] != "deploy":
            return 0, ""
        assert given["--region"] == self.region
        if "sam deploy" in self.denied:
            return 1, "Error: Failed to create managed resources: User is not authorized to perform: cloudformation:*"
        name, run = given["--stack-name"], given["--tags"].partition("=")[2]
        if "--parameter-overrides" in arguments:
            pairs = arguments[list(arguments).index("--parameter-overrides") + 1 :]
            self.parameters = dict(one.split("=", 1) for one in pairs)
        status = "ROLLBACK_COMPLETE" if self.fails else "CREATE_COMPLETE"
        self.stacks[name] = {"status": status, "run": run}
        if self.fails:
            return 1, "Error: Failed to create/update the stack: prove, Waiter StackCreateComplete failed"
        if name == run:
            self.tagged[f"arn:aws:dynamodb:{self.region}:123456789012:table/{name}-orders"] = run
        return 0, ""

    def send(self, request: Request) -> tuple[int, Mapping[str, str]]:
        """A request to the API."""
        self._stop(f"{request.get_method()}")
        root = str(request.headers["X-amzn-trace-id"]).partition("Root=")[2].partition(";")[0]
        self.roots.append(root)
        assert "Sampled=1" in str(request.headers["X-amzn-trace-id"])
        return 200, {"X-Amzn-Trace-Id": f"Root={root};Sampled={int(self.sampled)}"}

    def command(self, arguments: Sequence[str]) -> tuple[int, str]:
        """A command of the kit."""
        if arguments[0] == "demo":
            return 0, "collector: AWS's image\n"
        return 0, f"Slow requests wait for {PROVIDER} (external): 2.9 s of 3.1 s\n"

    def answer(self, service: str, region: str, operation: str, given: Mapping[str, Any]) -> Any:
        """The answer of an operation."""
        self.asked.append((region, operation))
        self._stop(operation)
        if operation in self.denied or "*" in self.denied:
            return refused("AccessDeniedException", f"not authorized to perform: {service}:{operation}")
        if operation in self.instead:
            return self.instead[operation]
        return getattr(self, f"_{operation}")(**given)

    def _stop(self, at: str) -> None:
        if at == self.stops:
            self.stops = ""
            raise KeyboardInterrupt

    def _get_caller_identity(self) -> Any:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada", "UserId": "A"}

    def _describe_stacks(self, StackName: str = "") -> Any:  # noqa: N803 - AWS's name, as those below
        if StackName and StackName not in self.stacks:
            return refused("ValidationError", f"Stack with id {StackName} does not exist")
        names = [StackName] if StackName else list(self.stacks)
        return {"Stacks": [
            {"StackName": name, "CreationTime": 1, "StackStatus": self.stacks[name]["status"],
             "Tags": [{"Key": TAG, "Value": self.stacks[name]["run"]}],
             "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com/dev"}]} for name in names]}  # fmt: skip

    def _describe_stack_resources(self, StackName: str) -> Any:  # noqa: N803
        if StackName not in self.stacks:
            return refused("ValidationError", f"Stack with id {StackName} does not exist")
        main = [("AWS::DynamoDB::Table", "OrdersTable", f"{StackName}-orders"), ("AWS::Lambda::Function", "CreateOrder", "f"),
                ("AWS::Logs::LogGroup", "ListOrdersLog", "g"), ("AWS::CloudWatch::Alarm", "SlowAlarm", "prove.SlowAlarm")]  # fmt: skip
        app = [
            ("AWS::Lambda::Function", "Bare", f"{StackName}-bare"),
            ("AWS::Lambda::Function", "Sdk", f"{StackName}-sdk"),
        ]
        is_main = StackName == self.stacks[StackName]["run"]
        made = self.stacks[StackName]["status"] == "CREATE_COMPLETE"
        return {"StackResources": [
            {"ResourceType": kind, "LogicalResourceId": logical, "Timestamp": 1,
             "ResourceStatus": "CREATE_COMPLETE" if made else "DELETE_COMPLETE",
             **({"PhysicalResourceId": name} if made else {})}
            for kind, logical, name in (main if is_main else app)]}  # fmt: skip

    def _describe_stack_events(self, StackName: str) -> Any:  # noqa: N803
        failed = {"StackId": "s", "StackName": StackName, "ResourceStatus": "CREATE_FAILED"}
        return {"StackEvents": [
            {**failed, "EventId": "3", "Timestamp": 3, "LogicalResourceId": "GetOrder", "ResourceStatusReason": "Resource creation cancelled"},
            {**failed, "EventId": "2", "Timestamp": 2, "LogicalResourceId": "OrdersTable", "ResourceStatusReason": "Limit of tables exceeded"},
        ]}  # fmt: skip

    def _delete_stack(self, StackName: str) -> Any:  # noqa: N803
        self.stacks.pop(StackName, None)

    def _create_change_set(self, **_: Any) -> Any:
        return {"Id": "c", "StackId": "s"}

    def _describe_change_set(self, **_: Any) -> Any:
        return {"Status": "CREATE_COMPLETE"}

    def _get_resources(self, TagFilters: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        wanted = TagFilters[0].get("Values")
        return {"ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": TAG, "Value": run}]}
            for arn, run in self.tagged.items() if wanted is None or run in wanted]}  # fmt: skip

    def _delete_table(self, TableName: str) -> Any:  # noqa: N803
        return self._forget(f"table/{TableName}", {"TableDescription": {"TableName": TableName}})

    def _forget(self, end: str, answer: Any = None) -> Any:
        found = next((arn for arn in self.tagged if arn.endswith(end)), None)
        if found is None:
            return refused("ResourceNotFoundException", f"{end} is not there")
        del self.tagged[found]
        return answer

    def _get_trace_segment_destination(self) -> Any:
        return {"Destination": self.destination, "Status": "ACTIVE"}

    def _documents(self, trace_id: str) -> list[dict[str, str]]:
        self.late -= 1
        if self.late >= 0:
            return []
        if trace_id in self.sent:
            return [{"Id": str(number), "Document": text} for number, text in enumerate(self.sent[trace_id][-1:])]
        call = {"name": "DynamoDB"}
        ours = {"name": "GET /orders", "annotations": {"http.route": "/orders", "lambda.timeout": True},
                "subsegments": [call, {"name": "STS"}]}  # fmt: skip
        made = [{"name": "prove/dev", "origin": "AWS::ApiGateway::Stage", "end_time": 10.0},
                {"name": "orders", "origin": "AWS::Lambda::Function", "end_time": 10.4, "subsegments": [ours]}]  # fmt: skip
        return [{"Id": str(number), "Document": json.dumps(one)} for number, one in enumerate(made)]

    def _batch_get_traces(self, TraceIds: Sequence[str]) -> Any:  # noqa: N803
        if self.destination != "XRay":
            return {"Traces": []}
        return {"Traces": [{"Id": one, "Segments": found} for one in TraceIds if (found := self._documents(one))]}

    def _start_trace_retrieval(self, TraceIds: Sequence[str], **_: Any) -> Any:  # noqa: N803
        return {"RetrievalToken": TraceIds[0]}

    def _list_retrieved_traces(self, RetrievalToken: str, **_: Any) -> Any:  # noqa: N803
        found = self._documents(RetrievalToken)
        traces = [{"Id": RetrievalToken, "Duration": 1.0, "Spans": found}] if found else []
        return {"RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "Traces": traces}

    def _put_trace_segments(self, TraceSegmentDocuments: Sequence[str]) -> Any:  # noqa: N803
        for text in TraceSegmentDocuments:
            self.sent.setdefault(json.loads(text)["trace_id"], []).append(text)
        return {"UnprocessedTraceSegments": []}

    def _get_trace_summaries(self, **_: Any) -> Any:
        indexed = self.destination == "XRay" and self.sampled
        return {"TraceSummaries": [{"Id": one} for one in self.roots] if indexed else []}

    def _get_groups(self) -> Any:
        run = next(iter(self.stacks.values()))["run"]
        return {"Groups": [{"FilterExpression": f'service("{run}/dev") AND duration > 1'}]}

    def _get_layer_version_by_arn(self, Arn: str) -> Any:  # noqa: N803
        region, number = Arn.split(":")[3], int(Arn.rpartition(":")[2])
        release = PYTHON.release(region, number)
        if release is None:
            return refused("ResourceNotFoundException")
        return {"LayerVersionArn": Arn, "Content": {"Location": layer_file(release.packages)}}

    def _get_function_configuration(self, **_: Any) -> Any:
        return {"Timeout": 6}

    def _update_function_configuration(self, MemorySize: int = 512, **_: Any) -> Any:  # noqa: N803
        self.memory_mb = MemorySize
        return {}

    def _invoke(self, FunctionName: str, **_: Any) -> Any:  # noqa: N803
        took_ms = (3.5 if "bare" in FunctionName else 4.5) * 512 / self.memory_mb
        log = (f"REPORT RequestId: 1\tDuration: {took_ms} ms\tBilled Duration: 4 ms\t"
               f"Init Duration: 210.00 ms\tXRAY TraceId: {ARRIVED}\tSegmentId: 1\tSampled: true")  # fmt: skip
        return {"StatusCode": 200, "LogResult": base64.b64encode(log.encode()).decode()}

    def _describe_alarms(self, AlarmNames: Sequence[str]) -> Any:  # noqa: N803
        return {"MetricAlarms": [{"AlarmName": one, "StateValue": "OK"} for one in AlarmNames]}

    def _get_metric_statistics(self, **_: Any) -> Any:
        return {"Datapoints": [{"Maximum": 2000.0}]}

    def _set_alarm_state(self, **_: Any) -> Any:
        return None

    def _filter_log_events(self, **_: Any) -> Any:
        return {"events": [{"message": "lambda-latency: Transaction Search is off: spans wait"}]}

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
        return {"Messages": [{"Body": f"SlowAlarm rings: {PROVIDER} takes 2.9 s"}]}

    def _delete_queue(self, QueueUrl: str) -> Any:  # noqa: N803
        return self._forget(f":sqs:{self.region}:123456789012:{QueueUrl.rpartition('/')[2]}")
