"""A command for each way to reach the app: what a person pastes to see something happen."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.local.app.declared import Declared
from lambda_latency.local.app.system import AppSystem

__all__ = ["commands"]

ENTRY = shlex.quote(json.dumps([{"Source": "my.app", "DetailType": "test", "Detail": "{}"}]))
PUT_EVENTS = f"events put-events --entries {ENTRY}".replace("{", "{{").replace("}", "}}")
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
    """Lines for a terminal: routes, function URLs, resources that take events, functions."""
    for (_, api), gateway in zip(system.app.apis, system.gateways, strict=False):
        for route in api.template.routes:
            method, _, path = route.partition(" ")
            url = shlex.quote(gateway.url + ("/" if path == "$default" else path))
            yield f"curl -s {'' if method in ('GET', 'ANY') else f'-X {method} '}{url}"
    for url in system.urls.values():
        yield f"curl -s {url}/"
    yield from _events(f"aws --endpoint-url {system.aws_url}", system)
    example = next(iter(sorted(system.app.root.glob("events/*.json"))), None)
    event = f" {Path('events', example.name)}" if example is not None else ""
    for key, one in system.app.functions.items():
        if isinstance(one, Declared) and key not in system.refused:
            yield f"lambda-latency invoke {key}{event}"


def _events(aws: str, system: AppSystem) -> Iterator[str]:
    """What AWS's command line does to the resources that functions may listen to."""
    told: set[str] = set()
    for physical, kind in system.stack.resources.values():
        command = COMMANDS.get(kind, "").format(physical)
        if command and command not in told:
            told.add(command)
            yield f"{aws} {command}"
