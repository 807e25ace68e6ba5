"""The checks of `make prove` that ask what AWS has or accepts: layers, groups, alarms, change sets, metrics, logs."""

import contextlib
import json
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lab.prove.leavings import TAG
from lab.prove.place import Answer
from lab.prove.scene import Evidence, LackingError, Scene, UnexpectedError, until
from lambda_latency.adot import PYTHON
from lambda_latency.doctor.deployed import packages_of
from lambda_latency.stacks import ALARM, write_stack

OUTSIDE = "eu-central-2"  # a region that the template's map of layers does not have
# Nobody answers there: the function waits until it gives up, or is killed.
PROVIDER = "10.255.255.1"
PAYMENTS = {"PaymentsUrl": f"http://{PROVIDER}", "SampleRate": "1"}
ORDER = {"order_id": "o-1", "customer": "ada", "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}],
         "payment_method": "card-1"}  # fmt: skip


def layers(scene: Scene) -> Evidence:
    missing, count = [], 0
    for region in PYTHON.default_regions:
        newest = PYTHON.newest(region)
        assert newest is not None
        try:
            scene.place.client("lambda", region).get_layer_version_by_arn(
                Arn=PYTHON.arn(region, newest.numbers[region])
            )
            count += 1
        except ClientError as error:
            if error.response["Error"]["Code"].startswith("AccessDenied"):
                raise
            missing.append(f"{region}: {error.response['Error']['Code']}")
    return Evidence(not missing, ", ".join(missing) or f"{count} regions have their version")


def contents(scene: Scene) -> Evidence:
    region = scene.place.region
    newest = PYTHON.newest(region)
    if newest is None:
        raise LackingError(f"no number of the layer is known in {region}")
    arn = PYTHON.arn(region, newest.numbers[region])
    packages = packages_of(scene.place.client("lambda").get_layer_version_by_arn(Arn=arn))
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
            answer = scene.place.call("POST", "/orders", {**ORDER, "order_id": f"o-{secrets.token_hex(4)}"})
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
    place.call("POST", "/orders", {**ORDER, "order_id": f"o-{secrets.token_hex(4)}"})
    alarm = next(resource for resource in scene.resources("AWS::CloudWatch::Alarm").values() if "SlowAlarm" in resource)
    place.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="make prove")
    heard: list[str] = []

    def arrived() -> bool:
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10).get("Messages", ())
        heard.extend(message["Body"] for message in messages)
        return any(PROVIDER in body for body in heard)

    arrives = until(arrived)
    text = (
        f"{alarm}: a message names {PROVIDER}" if arrives else f"{alarm}: {len(heard)} messages, none names {PROVIDER}"
    )
    return Evidence(arrives, text)


def outside(scene: Scene) -> Evidence:
    client = scene.place.client("cloudformation", OUTSIDE)
    parameters = {"Tracing": "Off"}
    arguments: dict[str, Any] = {
        "StackName": f"{scene.place.stack}-outside", "ChangeSetName": "prove", "ChangeSetType": "CREATE",
        "TemplateBody": scene.place.packaged(), "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }  # fmt: skip
    try:
        client.create_change_set(**arguments)
        done: list[Mapping[str, Any]] = []

        def finished() -> bool:
            done[:] = [client.describe_change_set(StackName=arguments["StackName"], ChangeSetName="prove")]
            return done[0]["Status"] in ("CREATE_COMPLETE", "FAILED")

        until(finished)
        if done[0]["Status"] not in ("CREATE_COMPLETE", "FAILED", "CREATE_IN_PROGRESS", "CREATE_PENDING"):
            raise UnexpectedError(f"DescribeChangeSet has the status {done[0]['Status']!r}")
        reason = str(done[0].get("StatusReason", done[0]["Status"]))
        return Evidence("mapping" not in reason, f"{OUTSIDE}: {reason[:120]}")
    except ClientError as error:
        raise LackingError(f"{OUTSIDE} cannot be asked: {error.response['Error']['Code']}") from error
    finally:
        with contextlib.suppress(ClientError):  # a region that is not enabled has none
            client.delete_stack(StackName=arguments["StackName"])


def image(scene: Scene) -> Evidence:
    """Needs no account; a daemon of Docker runs the image beside the demo."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        raise LackingError("no Docker daemon answers on this machine")
    status, said = scene.place.run(["demo", "--collector", "docker"])
    lines = said.strip().splitlines() or ["it says nothing"]
    return Evidence(status == 0, next((line for line in lines if "collector" in line.lower()), lines[-1]).strip()[:160])
