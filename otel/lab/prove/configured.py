"""The checks of `make prove` that ask what AWS has or accepts: layers, groups, alarms, change sets, metrics, logs."""

import contextlib
import json
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

from lab.prove.leavings import TAG
from lab.prove.place import Answer
from lab.prove.scene import REGIONS_S, Evidence, LackingError, Scene, UnexpectedError, is_unasked, until
from lambda_latency.adot import COLLECTOR, PYTHON
from lambda_latency.doctor.deployed import packages_of
from lambda_latency.stacks import ALARM, write_stack

# Nobody answers there: the function waits until it gives up, or is killed.
PROVIDER = "10.255.255.1"
PAYMENTS = {"PaymentsUrl": f"http://{PROVIDER}", "SampleRate": "1"}
ORDER = {"order_id": "o-1", "customer": "ada", "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}],
         "payment_method": "card-1"}  # fmt: skip
UNPAID = (502, 504)  # the function's answer where the provider cannot be reached, or does not answer
KILLED = (502, 504)  # API Gateway's answer where Lambda ends the function


def new_order() -> dict[str, object]:
    """An order with an id of its own."""
    return {**ORDER, "order_id": f"o-{secrets.token_hex(4)}"}


def layers(scene: Scene) -> Evidence:
    """Every number of the table, in the regions that need not be enabled."""
    missing: list[str] = []
    denied: list[str] = []
    arns = [*_listed()]
    for arn in arns:
        try:
            layer_version(scene, arn)
        except NoVersionError:
            missing.append(arn)
        except ClientError as error:
            if not is_unasked(error):
                raise
            denied.append(f"{arn}: {error.response['Error']['Code']}")
    if missing or denied:
        is_seen = False if missing else None
        return Evidence(
            is_seen, f"{len(missing)} do not exist, {len(denied)} could not be asked: {(missing + denied)[0]}"
        )
    return Evidence(True, f"{len(arns)} versions exist")


def _listed() -> Iterator[str]:
    """The ARNs of the table's versions in the default regions."""
    for release in PYTHON.releases:
        yield from (
            PYTHON.arn(region, number) for region, number in release.numbers.items() if region in PYTHON.default_regions
        )
    for region in sorted({*COLLECTOR.regions} & {*PYTHON.default_regions}):
        for processor in ("arm64", "amd64"):
            name = f"{COLLECTOR.name(processor)}:{COLLECTOR.number}"
            yield f"arn:aws:lambda:{region}:{COLLECTOR.account}:layer:{name}"


class NoVersionError(Exception):
    """AWS has no such version of a layer, or it is not public."""


def layer_version(scene: Scene, arn: str) -> Mapping[str, Any]:
    """Lambda's answer about a layer's version. Raises `NoVersionError` if there is none that this account may use.

    For another account's missing version Lambda says that no resource-based policy allows the call, with the code that
    a caller without permission gets, too (aws/aws-sdk-pandas#1357, hashicorp/vault-lambda-extension#156).
    """
    client = scene.place.client("lambda", arn.split(":")[3])
    try:
        answer: Mapping[str, Any] = client.get_layer_version_by_arn(Arn=arn)
    except ClientError as error:
        is_missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
        if is_missing or "no resource-based policy allows" in str(error):
            raise NoVersionError(arn) from error
        raise
    return answer


def contents(scene: Scene) -> Evidence:
    region = scene.place.region
    newest = PYTHON.newest(region)
    if newest is None:
        raise LackingError(f"no number of the layer is known in {region}")
    arn = PYTHON.arn(region, newest.numbers[region])
    try:
        packages = packages_of(layer_version(scene, arn))
    except NoVersionError:
        return Evidence(False, f"{arn} does not exist")
    if packages is None:
        raise UnexpectedError("GetLayerVersionByArn names no file, or a file without packages")
    wrong = [f"{name} {packages.get(name, 'missing')} instead of {version}" for name, version in newest.packages.items()
             if packages.get(name) != version]  # fmt: skip
    return Evidence(not wrong, ", ".join(wrong) or f"{arn} is ADOT {newest.version}: {len(newest.packages)} packages")


def group(scene: Scene) -> Evidence:
    expression = f'service("{scene.place.stack}/dev")'
    xray = scene.place.client("xray")
    groups = [group for group in xray.get_groups()["Groups"] if expression in group.get("FilterExpression", "")]
    now_s = time.time()
    for group in groups:
        xray.get_trace_summaries(StartTime=now_s - 600, EndTime=now_s, FilterExpression=group["FilterExpression"])
    return Evidence(bool(groups), groups[0]["FilterExpression"] if groups else f"no group has {expression}")


def timed_out(scene: Scene) -> Answer:
    """A request whose function is killed after two seconds; the function's timeout is put back."""
    name = scene.resources("AWS::Lambda::Function")["CreateOrder"]
    client = scene.place.client("lambda")
    usual_timeout = client.get_function_configuration(FunctionName=name)["Timeout"]
    for seconds in (2, usual_timeout):
        client.update_function_configuration(FunctionName=name, Timeout=seconds)
        client.get_waiter("function_updated").wait(FunctionName=name)
        if seconds == 2:
            answer = scene.call("POST", "/orders", new_order(), statuses=KILLED)
    return answer


def duration_at_timeout(scene: Scene) -> Evidence:
    start_s = time.time()
    timed_out(scene)
    name = scene.resources("AWS::Lambda::Function")["CreateOrder"]
    longest: list[float] = []

    def counted() -> bool:
        statistics = scene.place.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Duration", Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=start_s - 60, EndTime=time.time() + 60, Period=60, Statistics=["Maximum"],
        )  # fmt: skip
        longest[:] = [point["Maximum"] for point in statistics["Datapoints"]]
        return bool(longest)

    until(counted)
    return Evidence(
        bool(longest) and max(longest) >= 2000, f"the longest Duration is {max(longest, default=0):.0f} ms of 2,000"
    )


def alarms(scene: Scene) -> Evidence:
    names = list(scene.resources("AWS::CloudWatch::Alarm").values())
    described = scene.place.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in described}
    unknown = set(states.values()) - {"OK", "ALARM", "INSUFFICIENT_DATA"}
    if unknown:
        raise UnexpectedError(f"DescribeAlarms has the state {min(unknown)!r}")
    return Evidence(
        len(states) == len(names) > 0, ", ".join(f"{name} {state}" for name, state in sorted(states.items()))
    )


def explained(scene: Scene) -> Evidence:
    """Sets an alarm's state, which tells EventBridge as a real change does; a queue hears the topic."""
    place, name = scene.place, scene.place.stack
    tags = {TAG: place.stack}
    sns, sqs = place.client("sns"), place.client("sqs")
    topic = sns.create_topic(Name=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])["TopicArn"]
    url = sqs.create_queue(QueueName=name, tags=tags)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    place.deploy({**PAYMENTS, "AlarmTopicArn": topic})
    with tempfile.TemporaryDirectory(prefix="lambda-latency-prove-") as folder:
        write_stack(ALARM, Path(folder, "explain"))
        explanations = {"AlarmPrefix": f"{name}.", "AlarmTopicArn": topic}
        place.deploy_part(Path(folder, "explain"), f"{name}-explain", explanations)
    scene.call("POST", "/orders", new_order(), statuses=UNPAID)
    alarm = next(resource for resource in scene.resources("AWS::CloudWatch::Alarm").values() if "SlowAlarm" in resource)
    place.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="make prove")
    subjects: list[str] = []

    def arrived() -> bool:
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10).get("Messages", ())
        bodies = {str(json.loads(message["Body"])["Subject"]): message["Body"] for message in messages}
        subjects.extend(bodies)
        # CloudWatch's own message about the alarm arrives, too, with another subject.
        return any(subject.startswith(f"{alarm}: ") and PROVIDER in body for subject, body in bodies.items())

    arrives = until(arrived)
    return Evidence(arrives, f"{alarm}: {'an' if arrives else 'no'} explanation names {PROVIDER}, of {subjects}"[:160])


def outside(scene: Scene) -> Evidence:
    """The region is taken out of the map, so that every account can decide it in its own region."""
    client, name = scene.place.client("cloudformation"), f"{scene.place.stack}-outside"
    arguments: dict[str, Any] = {
        "StackName": name, "ChangeSetName": "prove", "ChangeSetType": "CREATE",
        "TemplateBody": without_region(scene.place.packaged(), scene.place.region),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": "Tracing", "ParameterValue": "Off"}],
        "Tags": [{"Key": TAG, "Value": scene.place.stack}],
    }  # fmt: skip
    changes: dict[str, Any] = {}

    def finished() -> bool:
        changes.update(client.describe_change_set(StackName=name, ChangeSetName="prove"))
        return changes["Status"] in ("CREATE_COMPLETE", "FAILED")

    try:
        client.create_change_set(**arguments)
        is_decided = until(finished)
    except ClientError as error:
        if is_unasked(error):
            raise
        return Evidence(False, f"CreateChangeSet: {error.response['Error'].get('Message', '')[:120]}")
    finally:
        with contextlib.suppress(ClientError):  # the deletion of all that has the tag tries again
            client.delete_stack(StackName=name)
    reason = str(changes.get("StatusReason", changes["Status"]))
    if "is not authorized to perform" in reason:
        raise LackingError(f"CloudFormation may not decide it: {reason[:120]}")
    if not is_decided:
        raise LackingError(f"CloudFormation has not decided after {REGIONS_S} s: {changes['Status']}")
    return Evidence(changes["Status"] == "CREATE_COMPLETE", reason[:120])


def without_region(template: str, region: str) -> str:
    """A template whose maps have no entry for a region."""
    parsed = yaml_parse(template)
    for entries in parsed.get("Mappings", {}).values():
        entries.pop(region, None)
    return str(yaml_dump(parsed))


def image(scene: Scene) -> Evidence:
    """Needs no account; a daemon of Docker runs the image beside the demo."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        raise LackingError("no Docker daemon answers on this machine")
    status, said = scene.place.run(["demo", "--collector", "docker"])
    lines = said.strip().splitlines() or ["it says nothing"]
    return Evidence(status == 0, next((line for line in lines if "collector" in line.lower()), lines[-1]).strip()[:160])
