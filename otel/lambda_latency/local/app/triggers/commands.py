"""Shell commands that call each trigger of the app."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from typing import Any

from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.read.definitions import Fields, mapping, mappings
from lambda_latency.local.app.read.parameters import REGION
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.app.triggers.calls import (
    HttpCall,
    example_for,
    example_requests,
    examples,
    request_for,
    routes_of,
    served,
)

RULE, BUCKET, TABLE = "AWS::Events::Rule", "AWS::S3::Bucket", "AWS::DynamoDB::Table"
KEYS = {"S": "1", "N": "1", "B": "MQ=="}  # values of keys, by their types
WITHOUT_DATA = ("AWS::Lambda::", "AWS::IAM::", "AWS::ApiGateway", "AWS::Logs::", "AWS::CloudFormation::")
LONGEST = 500  # characters of a body in a command
# Of queues and topics that keep the order.
GROUP = " --message-group-id 1 --message-deduplication-id $(date +%s)"
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
# The alternatives of a field that an event must not have
ABSENT = [{"exists": False}]
# Comparisons whose operand matches itself.
ITSELF = ("prefix", "suffix", "equals-ignore-case")


def commands(system: System) -> Iterator[str]:
    """Yield the shell commands: for routes, function URLs, resources with events, and functions."""
    yield from _requests(system)
    yield from _events(_aws(system), system)
    example_paths = examples(system.app.root)
    for key, function in system.app.functions.items():
        if isinstance(function, Declared) and key not in system.refused:
            example = example_for(key, function.events, example_paths)
            words = [
                "lambda-latency",
                "invoke",
                key,
                *([os.path.relpath(system.app.root / example)] if example else []),
            ]
            yield shlex.join([*words, *_out(system)])


def _out(system: System) -> list[str]:
    """Return the option with the folder in which `invoke` finds the running app; empty for the default one."""
    folder = system.store.path.parent
    return [] if folder == SystemOptions().out else ["--out", str(folder)]


def _requests(system: System) -> Iterator[str]:
    """Yield a curl command for each route whose function runs, of an example event if one matches the route; and one
    for each load balancer.
    """
    examples_of: dict[tuple[str, str], HttpCall] = {}
    for example in example_requests(system):
        examples_of.setdefault((example.api, routes_of(example, system)[0]), example)
    for api in served(system):
        for route in api.shown():
            if api.routes[route].function not in system.refused:
                request = examples_of.get((api.key, route)) or request_for(route, api, system)
                yield _curl(request, system.urls[api.key])
        if api.kind == "alb":
            yield f"curl -s {system.urls[api.key]}/"


def _curl(request: HttpCall, url: str) -> str:
    """Return the curl command of a request; a long body is left out."""
    parts = ["curl -s", "" if request.method == "GET" else f"-X {request.method}"]
    if request.body is not None:
        parts.append(f"-d {shlex.quote(request.body if len(request.body) <= LONGEST else '{}')}")
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers]
    return " ".join(filter(None, (*parts, shlex.quote(url + request.path))))


def _events(aws: str, system: System) -> Iterator[str]:
    """Commands of the AWS CLI for resources that send events to functions; for a schedule, a request that fires it."""
    printed: set[str] = set()
    refused = {function.name for function in system.refused.values()}
    for key, (physical, kind) in system.stack.resources.items():
        if kind in READ and not {*system.stack.readers.get(_source(kind, physical), ())} - refused:
            continue
        properties = system.app.part.properties(key)
        if properties.get("ScheduleExpression"):
            yield shlex.join(("curl", "-s", "-X", "POST", f"{system.aws_url}/_lambda-latency/schedules/{physical}"))
            continue
        command = _event_command(system, kind, physical, properties)
        if command and physical.endswith(".fifo"):
            command += GROUP
        if command and command not in printed:
            printed.add(command)
            yield f"{aws} {command}"


def _event_command(system: System, kind: str, physical: str, properties: Fields) -> str:
    """Return the command that makes a resource send an event; empty if it sends none."""
    if kind == RULE:
        return _put_events(*system.stack.rules.get(physical, ("", {})))
    if kind == BUCKET:
        notifications = properties.get("NotificationConfiguration")
        if not notifications:
            return ""
        return f"s3 cp FILE {shlex.quote(f's3://{physical}/{_object_key(notifications)}')}"
    if kind == TABLE:
        return _put_item(physical, properties) if properties.get("StreamSpecification") else ""
    return COMMANDS.get(kind, "").format(shlex.quote(physical))


def resource_commands(system: System) -> Iterator[str]:
    """Commands that list the app's resources, and that fill a table and a bucket before the first request."""
    if all(kind.startswith(WITHOUT_DATA) for _, kind in system.stack.resources.values()):
        return
    query = "--query 'StackResources[].[LogicalResourceId,PhysicalResourceId]' --output text"
    aws = _aws(system)
    yield f"{aws} cloudformation describe-stack-resources --stack-name {system.app.name} {query}"
    # A table or a bucket that sends events has its command already.
    for store, events in ((TABLE, "StreamSpecification"), (BUCKET, "NotificationConfiguration")):
        for key, (physical, kind) in system.stack.resources.items():
            properties = system.app.part.properties(key)
            if kind == store and not properties.get(events):
                put = _put_item(physical, properties) if kind == TABLE else f"s3 cp FILE s3://{physical}/"
                if put:
                    yield f"{aws} {put}"
                    break


def _aws(system: System) -> str:
    return f"aws --endpoint-url {system.aws_url} --region {REGION}"


def _source(kind: str, physical: str) -> str:
    """Return the key of a resource in `CreatedStack.readers`."""
    return f"{READ[kind]}:{re.split('[/:|]', physical)[-1]}"


def _put_item(table: str, properties: Fields) -> str:
    """Return the command that puts an item into a table; empty if its keys cannot be read."""
    types: dict[str, str] = {}
    for attribute in mappings(properties.get("AttributeDefinitions")):
        types[str(attribute.get("AttributeName"))] = str(attribute.get("AttributeType"))
    keys = [str(key.get("AttributeName")) for key in mappings(properties.get("KeySchema"))]
    if not keys or not all(types.get(key) in KEYS for key in keys):
        return ""
    item = {key: {types[key]: KEYS[types[key]]} for key in keys}
    return f"dynamodb put-item --table-name {shlex.quote(table)} --item {shlex.quote(json.dumps(item))}"


def _object_key(notifications: Fields) -> str:
    """Return a key that the filter of a bucket's first notification accepts; empty if any key is."""
    for kind in ("Lambda", "Queue", "Topic"):
        for notification in mappings(notifications.get(f"{kind}Configurations")):
            accepted = mapping(mapping(notification.get("Filter")).get("S3Key"))
            rules = {str(rule.get("Name")).lower(): rule.get("Value") for rule in mappings(accepted.get("Rules"))}
            prefix, suffix = rules.get("prefix", ""), rules.get("suffix", "")
            is_text = isinstance(prefix, str) and isinstance(suffix, str)
            return f"{prefix}FILE{suffix}" if is_text and (prefix or suffix) else ""
    return ""


def _put_events(bus: str, pattern: Fields) -> str:
    """The command that sends an event that a rule matches, to the rule's bus; empty if only AWS sends such events."""
    entry = matching_entry(pattern) if pattern else None
    if entry is None:
        return ""
    if bus != "default":
        entry["EventBusName"] = bus
    return f"events put-events --entries {shlex.quote(json.dumps([entry]))}"


def matching_entry(pattern: Fields) -> dict[str, str] | None:
    """Return an entry for PutEvents that a pattern matches; None if only an AWS service sends such events.

    Comparisons are matched where one value suffices; the others are left to the reader.
    """
    source = _first(pattern.get("source"), "my.app")
    if source.startswith("aws."):
        return None
    detail = _matching(pattern.get("detail") or {})
    kind = _first(pattern.get("detail-type"), "test")
    return {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}


def _first(alternatives: Any, otherwise: str) -> str:
    return str(_value(alternatives[0])) if isinstance(alternatives, list) and alternatives else otherwise


def _matching(pattern: Any) -> Any:
    """Return a value that a part of a pattern matches: the first alternative of each field."""
    if isinstance(pattern, list):
        return _value(pattern[0]) if pattern else ""
    if not isinstance(pattern, dict):
        return pattern
    either = pattern.get("$or")
    fields = {name: _matching(part) for name, part in pattern.items() if name != "$or" and part != ABSENT}
    return fields | (_matching(either[0]) if isinstance(either, list) and either else {})


def _value(alternative: Any) -> Any:
    """Return a value that matches one alternative, which is a value or a comparison."""
    if not isinstance(alternative, dict) or len(alternative) != 1:
        return alternative
    ((comparison, operand),) = alternative.items()
    if comparison in ITSELF:
        return operand if isinstance(operand, str) else _value(operand)
    if comparison == "wildcard":
        return str(operand).replace("*", "")
    if comparison == "numeric" and isinstance(operand, list) and len(operand) > 1:
        return operand[1] + {">": 1, "<": -1}.get(operand[0], 0)
    return "other" if comparison == "anything-but" else "1"
