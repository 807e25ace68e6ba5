"""Creates the app's resources in the emulator with its CloudFormation, so that they have real names and addresses.

Functions, APIs and event source mappings are created, too. Each function in the emulator forwards its events to the
relay of this process.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from lambda_latency.local.app.read.contents import BUCKET
from lambda_latency.local.app.read.parameters import as_text
from lambda_latency.local.app.stack.prune import pruned, unknown_to
from lambda_latency.local.cloud.emulator import PROXY, Cloud
from lambda_latency.local.errors import LocalError

FAILED = re.compile(r"Resource (\w+) failed: (.*)", re.DOTALL)
MOST_RETRIES = 20
LONGEST_S = 900  # the emulator's limit; the sandbox enforces a function's own timeout
QUIET = ("AWS::CloudWatch::Alarm", "AWS::CDK::Metadata")  # the app runs the same without them


@dataclass(frozen=True, slots=True)
class Part:
    """A translated template, with its nested templates and with the names of its functions, both by logical id."""

    plain: Mapping[str, Any]
    names: Mapping[str, str]
    children: Mapping[str, Part] = field(default_factory=dict)

    def properties(self, key: str) -> Mapping[str, Any]:
        """The properties of a resource, by its key (`Child/Queue`); empty for an unknown resource."""
        first, slash, rest = key.partition("/")
        if slash:
            return self.children[first].properties(rest) if first in self.children else {}
        return self.plain["Resources"].get(key, {}).get("Properties") or {}


class Stack:
    """The created stack. `resources`: physical ids and types by logical id (`Child/Queue` in a nested one); `rules`:
    the bus and the event pattern of each rule by its name; `readers`: by queue, topic, stream, table and rule, as
    `sqs:NAME`, the names of the functions that get its events, with an empty name for another receiver.
    """

    def __init__(self, cloud: Cloud, name: str, part: Part, relay: str, tell: Callable[[str], None]) -> None:
        self._cloud, self._relay, self._tell = cloud, relay, tell
        self.name = name
        self.resources: dict[str, tuple[str, str]] = {}
        self.rules: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.readers: Mapping[str, Collection[str]] = {}
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        self._create(self._fit(part, ""))

    @staticmethod
    def variables(cloud: Cloud, key: str, name: str) -> dict[str, str] | None:
        """The variables of a function, with all references resolved; None if the function was not created.

        Functions with the same name can have opposite conditions: `key` tells which one was created.
        """
        client = cloud.client("lambda")
        try:
            made = client.get_function_configuration(FunctionName=name)
        except client.exceptions.ResourceNotFoundException:
            return None
        variables = made.get("Environment", {}).get("Variables", {})
        if not str(variables.pop(PROXY, "")).endswith(f"/{quote(key, safe='')}"):
            return None
        return {variable: as_text(value) for variable, value in variables.items()}

    def _fit(self, part: Part, prefix: str) -> dict[str, Any]:
        """The template without the resources that the emulator cannot create; these are printed."""
        gone = unknown_to(self._cloud.types, part.plain)
        told = sorted({kind for kind in gone.values() if kind not in QUIET})
        if told:
            self._tell(f"not emulated here and left out: {', '.join(told)}")
        template = pruned(part.plain, gone)
        if not prefix:  # no resource needs the outputs of the root template, and an output could fail
            template.pop("Outputs", None)
        for name, resource in template["Resources"].items():
            properties = resource.setdefault("Properties", {})
            if resource["Type"] == "AWS::Lambda::Function":
                _relayed(properties, part.names[name], f"{self._relay}/{quote(prefix + name, safe='')}")
            elif name in part.children:
                key = f"{prefix}{name}.json"
                body = json.dumps(self._fit(part.children[name], f"{prefix}{name}/"), default=str)
                self._cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())
                properties["TemplateURL"] = f"{self._cloud.url}/{BUCKET}/{key}"
        return template

    def _create(self, template: dict[str, Any]) -> None:
        """Create the stack without the resources that fail, and print these. Raises `LocalError` on other failures."""
        cloudformation, s3 = self._cloud.client("cloudformation"), self._cloud.client("s3")
        for _ in range(MOST_RETRIES):
            s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template, default=str).encode())
            why = self._attempt(cloudformation)
            if not why:
                break
            match = FAILED.search(why)
            if match is None or match[1] not in template["Resources"]:
                raise LocalError(f"the app's resources cannot be created: {why}", "`sam validate --lint` may say more")
            kind = template["Resources"][match[1]]["Type"]
            self._tell(
                f"{match[1]} ({kind}) cannot be created here and is left out: {' '.join(match[2].split())[:200]}"
            )
            template = pruned(template, (match[1],))
            cloudformation.delete_stack(StackName=self.name)
            self._wait(cloudformation, "DELETE")
        self._look(cloudformation, self.name, "")
        self._remove_bucket(s3)
        self.rules = _rules(self._cloud.client("events"))
        self.readers = _readers(self._cloud.client)

    def _remove_bucket(self, s3: Any) -> None:
        """Delete the bucket of the templates, which an app that lists its buckets would see."""
        for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=one["Key"])
        s3.delete_bucket(Bucket=BUCKET)

    def _attempt(self, cloudformation: Any) -> str:
        """The reason of the failure; empty on success."""
        from botocore.exceptions import ClientError

        try:
            cloudformation.create_stack(
                StackName=self.name,
                TemplateURL=f"{self._cloud.url}/{BUCKET}/template.json",
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
                DisableRollback=True,
            )
        except ClientError as error:
            return str(error)
        status, why = self._wait(cloudformation, "CREATE")
        return "" if status == "CREATE_COMPLETE" else why or status

    def _wait(self, cloudformation: Any, what: str) -> tuple[str, str]:
        from botocore.exceptions import ClientError

        while True:
            try:
                (stack,) = cloudformation.describe_stacks(StackName=self.name)["Stacks"]
            except ClientError:  # the stack no longer exists
                return f"{what}_COMPLETE", ""
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                return stack["StackStatus"], stack.get("StackStatusReason") or ""
            time.sleep(0.05)

    def _look(self, cloudformation: Any, stack: str, prefix: str) -> None:
        for one in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
            physical, kind = one.get("PhysicalResourceId", ""), one["ResourceType"]
            self.resources[prefix + one["LogicalResourceId"]] = (physical, kind)
            if kind == "AWS::CloudFormation::Stack":
                self._look(cloudformation, physical, f"{prefix}{one['LogicalResourceId']}/")


def _rules(events: Any) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The buses and event patterns of all rules, with references resolved."""
    return {
        rule["Name"]: (bus["Name"], json.loads(rule["EventPattern"]))
        for bus in events.list_event_buses()["EventBuses"]
        for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]
        if rule.get("EventPattern")
    }


def _readers(client: Callable[[str], Any]) -> dict[str, set[str]]:
    """The receivers of event source mappings, pipes, subscriptions and rules."""
    found: dict[str, set[str]] = {}

    def add(source: str, *receivers: str) -> None:
        found.setdefault(source, set()).update(receivers)

    for page in client("lambda").get_paginator("list_event_source_mappings").paginate():
        for one in page["EventSourceMappings"]:
            add(_source(one.get("EventSourceArn", "")), _function(one["FunctionArn"]))
    for one in client("pipes").list_pipes()["Pipes"]:
        add(_source(one.get("Source", "")), "")
    for page in client("sns").get_paginator("list_subscriptions").paginate():
        for one in page["Subscriptions"]:
            by_queue = found.get(_source(one["Endpoint"]), ())
            add(_source(one["TopicArn"]), *([_function(one["Endpoint"])] if one["Protocol"] == "lambda" else by_queue))
    events = client("events")
    for bus in events.list_event_buses()["EventBuses"]:
        for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])["Targets"]
            add(f"events:{rule['Name']}", *(_function(one["Arn"]) for one in targets))
    return found


def _function(arn: str) -> str:
    """The name of a function; empty for another receiver."""
    parts = arn.split(":")
    return parts[6] if parts[2:3] == ["lambda"] and len(parts) > 6 else ""


def _source(arn: str) -> str:
    """`dynamodb:NAME` of `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME`; the text itself if it is no ARN."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return arn
    kind, slash, rest = parts[5].partition("/")
    return f"{parts[2]}:{rest.partition('/')[0] if slash else kind}"


def _relayed(properties: dict[str, Any], name: str, url: str) -> None:
    """Change a function's properties so that it forwards its events to `url`, with its own variables."""
    variables = copy.deepcopy((properties.get("Environment") or {}).get("Variables") or {})
    for property_ in ("Layers", "PackageType", "ImageConfig", "VpcConfig", "FileSystemConfigs", "SnapStart"):
        properties.pop(property_, None)
    properties |= {
        "FunctionName": name,
        "Code": {"ZipFile": "def handler(event, context): ..."},
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Timeout": LONGEST_S,
        "Environment": {"Variables": {**variables, PROXY: url}},
    }
