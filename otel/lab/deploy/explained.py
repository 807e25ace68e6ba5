"""An alarm of the deployed stack rings, and its explanation arrives at the topic.

What is real: the alarm, the rules, the deployed function, its bucket, the topic and a subscriber. The emulator does not
tell EventBridge of an alarm's state, and nobody but CloudWatch may (`PutEvents` refuses its source): that the rule
matches is asked of EventBridge, and the rule's target is invoked with the event. X-Ray is a stand-in with traces of a
slow provider.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.deploy.cloud import Cloud
from lab.deploy.translation import translate
from lambda_latency.stacks import ALARM, write_stack
from tests.alarm.test_answer import rung, slow_provider
from tests.fetch.standin import KNOWN, XRay
from tests.sandbox.state import until


class Topic:
    """A topic with a queue that is subscribed to it."""

    def __init__(self, cloud: Cloud) -> None:
        self._sqs = cloud.client("sqs")
        sns = cloud.client("sns")
        self.arn: str = sns.create_topic(Name="alarms")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="heard")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])

    def heard(self) -> list[dict[str, Any]]:
        """The notifications since the last time."""
        messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


class AnyCaller(XRay):
    """X-Ray for a function whose credentials are the emulator's."""

    def answer(self, path: str, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        return super().answer(path, KNOWN, body)

    def kept(self, _: str) -> tuple[int, dict[str, Any]]:
        return super().kept(KNOWN)


def deploy_explanations(cloud: Cloud, stack: str, topic: Topic, folder: Path) -> None:
    """Deploys what `lambda-latency stack alarm STACK --topic ARN --deploy` does, beside the stack."""
    write_stack(ALARM, folder)
    template = translate(folder / "template.yaml", "")
    cloud.deploy(f"{stack}-explain", template, f"AlarmPrefix={stack}.", f"AlarmTopicArn={topic.arn}")


def explain(cloud: Cloud, stack: str, topic: Topic) -> tuple[list[str], list[str], list[str]]:
    """Lets SlowAlarm ring: subjects of the alarm's own notification and of the explanation, and the pages' keys."""
    alarm = {logical: physical for logical, _, physical in cloud.made(stack)}["SlowAlarm"]
    made = {logical: physical for logical, _, physical in cloud.made(f"{stack}-explain")}
    xray = slow_provider(AnyCaller)
    try:
        point_to(cloud, made["Explain"], xray.url)
        reason = "one request in twenty is slow"
        cloud.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason=reason)
        notification = wait_for(topic)
        event = rung(name=alarm)
        for function in targets(cloud, made, event):
            cloud.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
        explanation = wait_for(topic)
    finally:
        xray.close()
    pages = cloud.client("s3").list_objects_v2(Bucket=made["Pages"], Prefix="pages/").get("Contents", [])
    return notification, explanation, [page["Key"] for page in pages]


def point_to(cloud: Cloud, function: str, xray_url: str) -> None:
    """Set the function's address of X-Ray, which the emulator has not."""
    client = cloud.client("lambda")
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    variables["AWS_ENDPOINT_URL_XRAY"] = xray_url
    client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})


def targets(cloud: Cloud, made: Mapping[str, str], event: Mapping[str, Any]) -> list[str]:
    """The functions that EventBridge's rules of the stack have for the event."""
    client, arns = cloud.client("events"), []
    for logical, physical in made.items():
        if logical in ("ExplainRings", "ExplainEnds"):
            rule = physical.rpartition("/")[2].rpartition("|")[2]
            pattern = client.describe_rule(Name=rule)["EventPattern"]
            if client.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]:
                arns += [target["Arn"] for target in client.list_targets_by_rule(Rule=rule)["Targets"]]
    return arns


def wait_for(topic: Topic) -> list[str]:
    """The subjects of the next notifications."""
    subjects: list[str] = []

    def heard() -> bool:
        subjects.extend(str(message["Subject"]) for message in topic.heard())
        return bool(subjects)

    until(heard, 120)
    return subjects
