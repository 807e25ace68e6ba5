"""Shell commands that call each trigger of the app."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.serve.system import System
from lambda_latency.local.app.triggers.calls import Request, example_requests, request_for, routes_of
from lambda_latency.local.app.triggers.examples import example_for, examples
from lambda_latency.local.app.triggers.patterns import matching_entry
from lambda_latency.local.xray.platform import REGION

RULE, BUCKET, TABLE = "AWS::Events::Rule", "AWS::S3::Bucket", "AWS::DynamoDB::Table"
KEYS = {"S": "1", "N": "1", "B": "MQ=="}  # values of keys, by their types
WITHOUT_DATA = ("AWS::Lambda::", "AWS::IAM::", "AWS::ApiGateway", "AWS::Logs::", "AWS::CloudFormation::")
LONGEST = 500  # characters of a body in a command
GROUP = " --message-group-id 1 --message-deduplication-id $(date +%s)"  # of queues and topics that keep the order
# The services of resources whose events are received; without a receiver that runs, a command would have no effect.
READ = {
    RULE: "events",
    "AWS::SQS::Queue": "sqs",
    "AWS::SNS::Topic": "sns",
    "AWS::Kinesis::Stream": "kinesis",
    TABLE: "dynamodb",
}
COMMANDS = {
    "AWS::SQS::Queue": "sqs send-message --queue-url {} --message-body '{{}}'",
    "AWS::SNS::Topic": "sns publish --topic-arn {} --message '{{}}'",
    "AWS::Kinesis::Stream": "kinesis put-record --stream-name {} --partition-key 1 --data e30=",
    "AWS::StepFunctions::StateMachine": "stepfunctions start-execution --state-machine-arn {} --input '{{}}'",
}


def commands(system: System) -> Iterator[str]:
    """The shell commands: for routes, function URLs, resources with events, and functions."""
    yield from _requests(system)
    for url in system.urls.values():
        yield f"curl -s {url}/"
    if not system.app.is_example:
        yield from _events(_aws(system), system)
    known = examples(system.app.root)
    for key, one in system.app.functions.items():
        if isinstance(one, Declared) and key not in system.refused:
            example = example_for(key, one.events, known)
            yield f"lambda-latency invoke {key}{f' {example}' if example else ''}"


def _requests(system: System) -> Iterator[str]:
    """A curl command for each route whose function runs: of an example event if one matches the route."""
    given: dict[tuple[int, str], Request] = {}
    for one in example_requests(system):
        _, api = system.app.apis[one.gateway]
        given.setdefault((one.gateway, api.shown_as(next(routes_of(one, system)))), one)
    for place, ((prefix, api), gateway) in enumerate(zip(system.app.apis, system.gateways, strict=False)):
        for route in api.shown():
            if system.app.function_key(prefix, api.template.routes.get(route, "")) not in system.refused:
                yield _curl(given.get((place, route)) or request_for(route, place, api), gateway.url)


def _curl(request: Request, url: str) -> str:
    """The curl command of a request; a long body is left out."""
    parts = ["curl -s", "" if request.method == "GET" else f"-X {request.method}"]
    if request.body is not None:
        parts.append(f"-d {shlex.quote(request.body if len(request.body) <= LONGEST else '{}')}")
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers]
    return " ".join(filter(None, (*parts, shlex.quote(url + request.path))))


def _events(aws: str, system: System) -> Iterator[str]:
    """Commands of the AWS CLI for resources that send events to functions; for a schedule, a request that fires it."""
    told: set[str] = set()
    refused = {one.name for one in system.refused.values()}
    for key, (physical, kind) in system.stack.resources.items():
        if kind in READ and not {*system.stack.readers.get(_source(kind, physical), ())} - refused:
            continue
        if system.app.part.properties(key).get("ScheduleExpression"):
            yield f"curl -s -X POST {system.aws_url}/_lambda-latency/schedules/{physical}"
            continue
        if kind == RULE:
            command = _put_events(physical, system)
        elif kind == BUCKET:
            notifications = system.app.part.properties(key).get("NotificationConfiguration")
            command = f"s3 cp FILE s3://{physical}/{_object_key(notifications)}" if notifications else ""
        elif kind == TABLE:
            properties = system.app.part.properties(key)
            command = _put_item(physical, properties) if properties.get("StreamSpecification") else ""
        else:
            command = COMMANDS.get(kind, "").format(physical)
        if command and physical.endswith(".fifo"):
            command += GROUP
        if command and command not in told:
            told.add(command)
            yield f"{aws} {command}"


def resource_commands(system: System) -> Iterator[str]:
    """Commands that list the app's resources, and that fill a table and a bucket before the first request."""
    if system.app.is_example or all(kind.startswith(WITHOUT_DATA) for _, kind in system.stack.resources.values()):
        return
    query = "--query 'StackResources[].[LogicalResourceId,PhysicalResourceId]' --output text"
    aws = _aws(system)
    yield f"{aws} cloudformation describe-stack-resources --stack-name {system.app.name} {query}"
    for kind in (TABLE, BUCKET):
        for key, (physical, known) in system.stack.resources.items():
            properties = system.app.part.properties(key)
            if known != kind or (kind == TABLE and properties.get("StreamSpecification")):
                continue  # a table with a stream has its command already
            put = _put_item(physical, properties) if kind == TABLE else f"s3 cp FILE s3://{physical}/"
            if put and not (kind == BUCKET and properties.get("NotificationConfiguration")):
                yield f"{aws} {put}"
                break


def _aws(system: System) -> str:
    return f"aws --endpoint-url {system.aws_url} --region {REGION}"


def _source(kind: str, physical: str) -> str:
    """The key of a resource in `Stack.readers`."""
    return f"{READ[kind]}:{re.split('[/:|]', physical)[-1]}"


def _put_item(table: str, properties: Mapping[str, Any]) -> str:
    """The command that puts an item into a table; empty if its keys cannot be read."""
    defined = _dicts(properties.get("AttributeDefinitions"))
    types = {str(one.get("AttributeName")): str(one.get("AttributeType")) for one in defined}
    keys = [str(one.get("AttributeName")) for one in _dicts(properties.get("KeySchema"))]
    if not keys or not all(types.get(key) in KEYS for key in keys):
        return ""
    item = {key: {types[key]: KEYS[types[key]]} for key in keys}
    return f"dynamodb put-item --table-name {table} --item {shlex.quote(json.dumps(item))}"


def _object_key(notifications: Mapping[str, Any]) -> str:
    """A key that the filter of a bucket's first notification accepts; empty if any key is."""
    for kind in ("Lambda", "Queue", "Topic"):
        for one in _dicts(notifications.get(f"{kind}Configurations")):
            rules = _dicts(((one.get("Filter") or {}).get("S3Key") or {}).get("Rules"))
            wanted = {str(rule.get("Name")).lower(): rule.get("Value") for rule in rules}
            parts = [wanted.get(name, "") for name in ("prefix", "suffix")]
            texts = [part for part in parts if isinstance(part, str)]
            return "FILE".join(texts) if any(texts) and len(texts) == len(parts) else ""
    return ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The dicts of a list; none for an intrinsic function in its place."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _put_events(rule: str, system: System) -> str:
    """The command that sends an event that a rule matches, to the rule's bus; empty if only AWS sends such events."""
    bus, pattern = system.stack.rules.get(rule, ("", {}))
    entry = matching_entry(pattern) if pattern else None
    if entry is None:
        return ""
    if bus != "default":
        entry["EventBusName"] = bus
    return f"events put-events --entries {shlex.quote(json.dumps([entry]))}"
