"""The sentences of docs/explanation/not-seen-on-aws.md, each with what is asked of AWS to see whether it holds."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import ClientError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lab.prove.place import Answer, Place
from lambda_latency.runtime.delivery.transport import transport_to
from lambda_latency.runtime.delivery.xray_answers import outcome_of_xray
from lambda_latency.runtime.settings import Settings

__all__ = ["CALLS", "SENTENCES", "Evidence", "Scene", "Sentence"]

REGIONS_S = 180  # how long X-Ray and CloudWatch may take until they show something
OUTSIDE = "eu-central-2"  # a region that the template's map of layers does not have
NO_XRAY = "the emulator has no X-Ray"
# Nobody answers there: the function waits until it gives up, or is killed.
PAYMENTS = {"PaymentsUrl": "http://10.255.255.1", "PaymentsTimeoutMs": "5000", "SampleRate": "1"}
ORDER = {"order_id": "o-1", "customer": "ada", "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}],
         "payment_method": "card-1"}  # fmt: skip
CALLS: Sequence[tuple[str, str, object]] = (
    ("GET", "/orders?customer=ada", None), ("GET", "/orders/o-1", None), ("GET", "/orders?customer=ada", None)
)  # fmt: skip


class Evidence(NamedTuple):
    """Whether a sentence was seen (None: this cannot show it), and by what."""

    seen: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The place with the stack in it, and the requests that were sent before the checks."""

    place: Place
    answers: Sequence[Answer]

    def documents(self, trace_id: str, wanted: Callable[[str], bool] = bool) -> list[dict[str, Any]]:
        """The segments of a trace, once its text is as wanted, or after three minutes."""
        xray = self.place.client("xray")
        text: list[str] = []

        def arrived() -> bool:
            traces = xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
            text[:] = [segment["Document"] for trace in traces for segment in trace["Segments"]]
            return wanted("\n".join(text))

        until(arrived)
        return [json.loads(document) for document in text]

    def resources(self, kind: str) -> dict[str, str]:
        """The resources of a type, also of stacks within the stack: physical ids by logical ones."""
        listed = self.place.client("cloudformation").describe_stack_resources
        told = listed(StackName=self.place.stack)["StackResources"]
        for one in told:  # grows by the resources of the stacks within
            if one["ResourceType"] == "AWS::CloudFormation::Stack":
                told += listed(StackName=one["PhysicalResourceId"])["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in told if one["ResourceType"] == kind}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as the documentation has it; `unseen` says why the emulator cannot show it."""

    text: str
    check: Callable[[Scene], Evidence]
    unseen: str = NO_XRAY


def until(true: Callable[[], bool], limit_s: float = REGIONS_S) -> bool:
    """Whether it becomes true before the limit; asked every two seconds."""
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(2)
    return True


def parts(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A segment and all below it."""
    yield document
    for one in document.get("subsegments", ()):
        yield from parts(one)


def layers(scene: Scene) -> Evidence:
    from lab.commands import ROOT
    from lambda_latency.template import read_yaml

    template = read_yaml("template.yaml", (ROOT / "template.yaml").read_text())
    mapped = template.get("Mappings", "AdotPython")  # type: ignore[union-attr]
    assert mapped is not None
    missing = []
    for region, _, entry in mapped.named():
        version = entry.get("Version")
        assert version is not None
        arn = f"arn:aws:lambda:{region}:615299751070:layer:AWSOpenTelemetryDistroPython:{version.value}"
        try:
            scene.place.client("lambda", region).get_layer_version_by_arn(Arn=arn)
        except ClientError as error:
            missing.append(f"{region}: {error.response['Error']['Code']}")
    return Evidence(not missing, ", ".join(missing) or f"{len(mapped.entries)} regions have their version")


def group(scene: Scene) -> Evidence:
    wanted = f'service("{scene.place.stack}/dev")'
    xray = scene.place.client("xray")
    ours = [one for one in xray.get_groups()["Groups"] if wanted in one.get("FilterExpression", "")]
    now = time.time()
    for one in ours:
        xray.get_trace_summaries(StartTime=now - 600, EndTime=now, FilterExpression=one["FilterExpression"])
    return Evidence(bool(ours), ours[0]["FilterExpression"] if ours else f"no group has {wanted}")


def console(scene: Scene) -> Evidence:
    region = scene.place.region
    return Evidence(
        None, f"open it: https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#xray:traces/query"
    )


def timed_out(scene: Scene) -> Answer:
    """A request whose function is killed after two seconds; the function's timeout is put back."""
    name = scene.resources("AWS::Lambda::Function")["CreateOrder"]
    client = scene.place.client("lambda")
    for seconds in (2, 6):
        client.update_function_configuration(FunctionName=name, Timeout=seconds)
        client.get_waiter("function_updated").wait(FunctionName=name)
        if seconds == 2:
            answer = scene.place.call("POST", "/orders", {**ORDER, "order_id": f"o-{secrets.token_hex(4)}"})
    return answer


def duration_at_timeout(scene: Scene) -> Evidence:
    begun = time.time()
    timed_out(scene)
    name = scene.resources("AWS::Lambda::Function")["CreateOrder"]
    longest: list[float] = []

    def counted() -> bool:
        told = scene.place.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Duration", Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=begun - 60, EndTime=time.time() + 60, Period=60, Statistics=["Maximum"],
        )  # fmt: skip
        longest[:] = [one["Maximum"] for one in told["Datapoints"]]
        return bool(longest)

    until(counted)
    return Evidence(
        bool(longest) and max(longest) >= 2000, f"the longest Duration is {max(longest, default=0):.0f} ms of 2,000"
    )


def spans_at_timeout(scene: Scene) -> Evidence:
    answer = timed_out(scene)
    found = scene.documents(answer.trace_id, lambda text: "lambda.timeout" in text or "lambda_timeout" in text)
    marked = [
        one.get("name")
        for document in found
        for one in parts(document)
        if "timeout" in json.dumps(one.get("annotations", {}))
    ]
    return Evidence(bool(marked), f"{answer.trace_id}: {marked or 'no span says it'}")


def segments(scene: Scene) -> Evidence:
    answer = scene.answers[0]
    found = scene.documents(answer.trace_id, lambda text: "http.route" in text or "http_route" in text)
    names = [str(document.get("name")) for document in found]
    ours = [one for document in found for one in parts(document) if "route" in json.dumps(one.get("annotations", {}))]
    return Evidence(bool(ours), f"{answer.trace_id}: segments {', '.join(names)}")


def searched(scene: Scene) -> Evidence:
    wanted = {answer.trace_id for answer in scene.answers}
    found: set[str] = set()

    def listed() -> bool:
        now = time.time()
        told = scene.place.client("xray").get_trace_summaries(
            StartTime=now - 900, EndTime=now, FilterExpression='annotation[http.route] = "/orders"'
        )
        found.update(one["Id"] for one in told["TraceSummaries"])
        return bool(wanted & found)

    until(listed)
    return Evidence(bool(wanted & found), f"{len(wanted & found)} of {len(wanted)} traces by annotation[http.route]")


def response_first(scene: Scene) -> Evidence:
    found = scene.documents(scene.answers[-1].trace_id, lambda text: "AWS::Lambda::Function" in text)
    ends = {str(one.get("origin")): float(one["end_time"]) for one in found if "end_time" in one}
    stage, function = ends.get("AWS::ApiGateway::Stage"), ends.get("AWS::Lambda::Function")
    if stage is None or function is None:
        return Evidence(False, f"segments: {', '.join(ends)}")
    return Evidence(stage <= function, f"the stage ended {(function - stage) * 1000:.0f} ms before the function")


def freeze(scene: Scene) -> Evidence:
    """The last request is followed by none: what arrives was sent before the environment was frozen."""
    last = scene.answers[-1]
    found = scene.documents(last.trace_id, lambda text: "DynamoDB" in text)
    calls = [one for document in found for one in parts(document) if one.get("name") == "DynamoDB"]
    return Evidence(bool(calls), f"{last.trace_id}: {len(calls)} calls of DynamoDB, no request since")


def sent_twice(scene: Scene) -> Evidence:
    now = int(time.time())
    trace_id, span_id = f"1-{now:08x}-{secrets.token_hex(12)}", secrets.token_hex(8)
    xray = scene.place.client("xray")
    for end in (now + 1, now + 2):
        document = {"name": "prove", "id": span_id, "trace_id": trace_id, "start_time": now, "end_time": end}
        xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document)])
    found = scene.documents(trace_id)
    ends = sorted(one["end_time"] - now for one in found)
    return Evidence(bool(found), f"{len(found)} documents are kept, of {ends} s")


def daemon(scene: Scene) -> Evidence:
    scene.place.deploy({**PAYMENTS, "Tracing": "PassThrough", "Export": "daemon"})
    trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    header = f"Root={trace_id};Parent={secrets.token_hex(8)};Sampled=1"
    scene.place.call("GET", "/orders?customer=ada", headers={"X-Amzn-Trace-Id": header})
    found = scene.documents(trace_id)
    return Evidence(bool(found), f"{trace_id}: {len(found)} segments")


def outside(scene: Scene) -> Evidence:
    client = scene.place.client("cloudformation", OUTSIDE)
    own = f"arn:aws:lambda:{OUTSIDE}:123456789012:layer:own:1"
    given = {"AdotLayerArn": own, "CollectorLayerArn": own}
    arguments = {
        "StackName": f"{scene.place.stack}-outside", "ChangeSetName": "prove", "ChangeSetType": "CREATE",
        "TemplateBody": scene.place.packaged(), "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    }  # fmt: skip
    try:
        client.create_change_set(**arguments)
        done: list[Mapping[str, Any]] = []

        def finished() -> bool:
            done[:] = [client.describe_change_set(StackName=arguments["StackName"], ChangeSetName="prove")]
            return done[0]["Status"] in ("CREATE_COMPLETE", "FAILED")

        until(finished)
        reason = str(done[0].get("StatusReason", done[0]["Status"]))
        return Evidence("FindInMap" not in reason and "Mappings" not in reason, f"{OUTSIDE}: {reason[:120]}")
    except ClientError as error:
        return Evidence(None, f"{OUTSIDE} cannot be asked: {error.response['Error']['Code']}")
    finally:
        with contextlib.suppress(ClientError):  # a region that is not enabled has none
            client.delete_stack(StackName=arguments["StackName"])


def thread(_: Scene) -> Evidence:
    return Evidence(None, "nothing in an account makes Lambda refuse an extension")


def alarms(scene: Scene) -> Evidence:
    names = list(scene.resources("AWS::CloudWatch::Alarm").values())
    told = scene.place.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    states = {one["AlarmName"]: one["StateValue"] for one in told}
    return Evidence(
        len(states) == len(names) > 0, ", ".join(f"{name} {state}" for name, state in sorted(states.items()))
    )


def adopted(_: Scene) -> Evidence:
    return Evidence(None, "needs an app of your own: lambda-latency adopt --write, then sam deploy")


def otlp(scene: Scene) -> Evidence:
    """One span of our own encoding and signing, from here: the credentials are this session's."""
    given = boto3.Session().get_credentials()
    assert given is not None
    now = round(time.time() * 10**9)
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(
        trace_id=bytes.fromhex(f"{now // 10**9:08x}{secrets.token_hex(12)}"), span_id=secrets.token_bytes(8),
        name="prove", kind=2, start_time_unix_nano=now, end_time_unix_nano=now + 1,
    )  # fmt: skip
    before = dict(os.environ)
    os.environ |= {"AWS_ACCESS_KEY_ID": given.access_key, "AWS_SECRET_ACCESS_KEY": given.secret_key,
                   "AWS_SESSION_TOKEN": given.token or "", "AWS_REGION": scene.place.region}  # fmt: skip
    try:
        settings = Settings.read({"LAMBDA_LATENCY_EXPORT": "otlp", "AWS_REGION": scene.place.region})
        answer = transport_to(settings).post(message.SerializeToString(), 30)
    finally:
        os.environ.clear()
        os.environ |= before
    refused, why = outcome_of_xray(answer, 1)
    destination = scene.place.client("xray").get_trace_segment_destination()["Destination"]
    return Evidence(refused == 0, f"spans go to {destination}; {answer.status}: {why}")


def image(_: Scene) -> Evidence:
    return Evidence(None, "needs Docker and no account: lambda-latency demo --collector docker")


SENTENCES = (
    Sentence("the versions of the layers (July 2026)", layers, "the emulator has no layers of AWS's"),
    Sentence("the filter expression of the group of slow requests", group),
    Sentence("the addresses of the console", console, "the emulator has no console"),
    Sentence("what the collector's exporter makes of the kit's spans: segments with their annotations", segments),
    Sentence("that X-Ray finds a trace by an annotation with dots in its name", searched),
    Sentence("that the response is out before the extension's work ends", response_first),
    Sentence("that no span is lost at the freeze", freeze),
    Sentence("what X-Ray keeps of a span that is sent twice under one id", sent_twice),
    Sentence("that the spans of an invocation that timed out arrive", spans_at_timeout),
    Sentence(
        "that Lambda reports its limit as the duration of an invocation that timed out: the alarm on timeouts needs it",
        duration_at_timeout,
        "the emulator has no metrics",
    ),
    Sentence("that CloudWatch takes each alarm", alarms, "the emulator takes each on one of its metrics only"),
    Sentence("whether Lambda runs the X-Ray daemon for `PassThrough`", daemon),
    Sentence(
        "whether CloudFormation accepts the map of layers in a region outside of it when your own ARNs are given",
        outside,
        "the emulator decides maps as this project does",
    ),
    Sentence(
        "whether Lambda holds a response for the runtime's own thread where no extension can be registered",
        thread,
        "the emulator registers every extension",
    ),
    Sentence(
        "an app that `adopt` has edited: what it writes has been built and deployed to an emulator, with the layers of "
        "AWS left out",
        adopted,
        "the emulator has no layers of AWS's",
    ),
    Sentence(
        "whether X-Ray's OTLP endpoint takes what `LAMBDA_LATENCY_EXPORT=otlp` sends, and what it answers where "
        "Transaction Search is off",
        otlp,
    ),
    Sentence(
        "AWS's collector image (`demo --collector docker`), for lack of a Docker daemon",
        image,
        "it is not an emulator's",
    ),
)
