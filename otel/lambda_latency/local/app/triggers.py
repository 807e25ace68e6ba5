"""Shell commands that call each trigger of the app."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from lambda_latency.local.app.apis import Api
from lambda_latency.local.app.declared import Declared
from lambda_latency.local.app.examples import example_for, examples
from lambda_latency.local.app.system import AppSystem
from lambda_latency.local.app.tokens import token
from lambda_latency.local.xray.platform import REGION

__all__ = ["commands"]

BODIES = ("POST", "PUT", "PATCH")
ENTRY = shlex.quote(json.dumps([{"Source": "my.app", "DetailType": "test", "Detail": "{}"}]))
PUT_EVENTS = f"events put-events --entries {ENTRY}".replace("{", "{{").replace("}", "}}")
GROUP = " --message-group-id 1 --message-deduplication-id $(date +%s)"  # of queues and topics that keep the order
COMMANDS = {
    "AWS::SQS::Queue": "sqs send-message --queue-url {} --message-body '{{}}'",
    "AWS::SNS::Topic": "sns publish --topic-arn {} --message '{{}}'",
    "AWS::S3::Bucket": "s3 cp FILE s3://{}/",
    "AWS::Kinesis::Stream": "kinesis put-record --stream-name {} --partition-key 1 --data e30=",
    "AWS::StepFunctions::StateMachine": "stepfunctions start-execution --state-machine-arn {} --input '{{}}'",
    "AWS::Events::Rule": PUT_EVENTS,
    "AWS::Events::EventBus": PUT_EVENTS,
}


def commands(system: AppSystem) -> Iterator[str]:
    """The shell commands: for routes, function URLs, resources with events, and functions."""
    for (_, api), gateway in zip(system.app.apis, system.gateways, strict=False):
        for route in api.shown():
            yield _request(route, gateway.url, api)
    for url in system.urls.values():
        yield f"curl -s {url}/"
    yield from _events(f"aws --endpoint-url {system.aws_url} --region {REGION}", system)
    known = examples(system.app.root)
    for key, one in system.app.functions.items():
        if isinstance(one, Declared) and key not in system.refused:
            yield " ".join(filter(None, ("lambda-latency invoke", key, str(example_for(key, known) or ""))))


def _request(route: str, url: str, api: Api) -> str:
    """The curl command of a route, with a body if the method has one, and a token if the route requires one."""
    method, _, path = route.partition(" ")
    guard = api.guard(route)
    parts = ["curl -s", "" if method in ("GET", "ANY") else f"-X {method}"]
    parts.append("-d '{}'" if method in BODIES else "")
    if method in BODIES and any(one.route == route for one in api.direct):  # a mapping template is of a content type
        parts.append("-H 'Content-Type: application/json'")
    parts.append(f"-H '{guard.header}: {token(guard)}'" if guard is not None else "")
    return " ".join(filter(None, (*parts, shlex.quote(url + ("/" if path == "$default" else path)))))


def _events(aws: str, system: AppSystem) -> Iterator[str]:
    """Commands of the AWS CLI for resources that send events to functions; for a schedule, a request that fires it."""
    told: set[str] = set()
    for key, (physical, kind) in system.stack.resources.items():
        if system.app.part.properties(key).get("ScheduleExpression"):
            yield f"curl -s -X POST {system.aws_url}/_lambda-latency/schedules/{physical}"
            continue
        command = COMMANDS.get(kind, "").format(physical)
        if command and physical.endswith(".fifo"):
            command += GROUP
        if command and command not in told:
            told.add(command)
            yield f"{aws} {command}"
