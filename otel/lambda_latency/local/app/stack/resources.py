"""Creates the app's resources in the emulator with its CloudFormation, so that they have real names and addresses.

Functions, APIs and event source mappings are created, too. Each function in the emulator forwards its events to the
relay of this process.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from lambda_latency.local.app.read.bodies import STAGE, unthrottled
from lambda_latency.local.app.read.decided import pruned, unknown_to
from lambda_latency.local.app.read.inclusion import BUCKET
from lambda_latency.local.app.read.parameters import as_text
from lambda_latency.local.cloud.emulator import PROXY, Cloud
from lambda_latency.local.errors import LocalError

FAILED = re.compile(r"Resource (\w+) failed: (.*)", re.DOTALL)
MOST_RETRIES = 20
# The emulator's limit; the sandbox enforces a function's own timeout
LONGEST_S = 900
# The app runs the same without them; the fronts of its APIs apply a sampling rule.
QUIET = ("AWS::CloudWatch::Alarm", "AWS::CDK::Metadata", "AWS::XRay::Group", "AWS::XRay::SamplingRule")


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """A translated template, with its nested templates and with the names of its functions, both by logical id."""

    plain: Mapping[str, Any]
    names: Mapping[str, str]
    children: Mapping[str, StackTemplate] = field(default_factory=dict)

    def all_keys(self) -> set[str]:
        """Return the keys of all resources, with those of nested templates."""
        nested = {f"{name}/{key}" for name, child in self.children.items() for key in child.all_keys()}
        return {*self.plain.get("Resources", ()), *nested}

    def properties(self, key: str) -> Mapping[str, Any]:
        """Return the properties of a resource, by its key (`Child/Queue`); empty for an unknown resource."""
        name, slash, key_in_child = key.partition("/")
        if slash:
            return self.children[name].properties(key_in_child) if name in self.children else {}
        return self.plain["Resources"].get(key, {}).get("Properties") or {}


class CreatedStack:
    """The created stack. `resources`: physical ids and types by logical id (`Child/Queue` in a nested one); `rules`:
    the bus and the event pattern of each rule by its name; `readers`: by queue, topic, stream, table and rule, as
    `sqs:NAME`, the names of the functions that get its events, with an empty name for another receiver.
    """

    def __init__(self, cloud: Cloud, name: str, part: StackTemplate, relay: str, tell: Callable[[str], None]) -> None:
        self._cloud, self._relay, self._tell = cloud, relay, tell
        self.name = name
        self.resources: dict[str, tuple[str, str]] = {}
        self.rules: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.readers: dict[str, set[str]] = {}
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        self._create(self._fit(part, ""))

    @staticmethod
    def variables(cloud: Cloud, key: str, name: str) -> dict[str, str] | None:
        """Return the variables of a function, with all references resolved; None if the function was not created.

        Functions with the same name can have opposite conditions: `key` tells which one was created.
        """
        client = cloud.client("lambda")
        try:
            configuration = client.get_function_configuration(FunctionName=name)
        except client.exceptions.ResourceNotFoundException:
            return None
        variables = configuration.get("Environment", {}).get("Variables", {})
        if not str(variables.pop(PROXY, "")).endswith(f"/{quote(key, safe='')}"):
            return None
        return {variable: as_text(value) for variable, value in variables.items()}

    def _fit(self, part: StackTemplate, prefix: str) -> dict[str, Any]:
        """Return the template without the resources that the emulator cannot create; these are printed."""
        gone = unknown_to(self._cloud.types, part.plain)
        missing_kinds = sorted({kind for kind in gone.values() if kind not in QUIET})
        if missing_kinds:
            self._tell(f"not emulated here and left out: {', '.join(missing_kinds)}")
        template = pruned(part.plain, gone)
        # No resource needs the outputs of the root template, and an output could fail
        if not prefix:
            template.pop("Outputs", None)
        for name, resource in template["Resources"].items():
            properties = resource.setdefault("Properties", {})
            if resource["Type"] == "AWS::Lambda::Function":
                _relayed(properties, part.names[name], f"{self._relay}/{quote(prefix + name, safe='')}")
            elif resource["Type"] == "AWS::DynamoDB::Table":
                # Spans have the name: it is the same in each run
                properties.setdefault("TableName", (prefix + name).replace("/", "-"))
            elif resource["Type"] == STAGE and "MethodSettings" in properties:
                properties["MethodSettings"] = unthrottled(properties["MethodSettings"])
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
        self._read_resources(cloudformation, self.name, "")
        # An app that lists its buckets would see the one of the templates.
        for stored in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=stored["Key"])
        s3.delete_bucket(Bucket=BUCKET)
        self._read_rules(self._cloud.client("events"))
        self._read_sources(self._cloud.client)

    def _attempt(self, cloudformation: Any) -> str:
        """Return the reason of the failure; empty on success."""
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

    def _wait(self, cloudformation: Any, action: str) -> tuple[str, str]:
        from botocore.exceptions import ClientError

        while True:
            try:
                (stack,) = cloudformation.describe_stacks(StackName=self.name)["Stacks"]
            except ClientError:  # the stack no longer exists
                return f"{action}_COMPLETE", ""
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                return stack["StackStatus"], stack.get("StackStatusReason") or ""
            time.sleep(0.05)

    def _read_resources(self, cloudformation: Any, stack: str, prefix: str) -> None:
        for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
            physical, kind = resource.get("PhysicalResourceId", ""), resource["ResourceType"]
            self.resources[prefix + resource["LogicalResourceId"]] = (physical, kind)
            if kind == "AWS::CloudFormation::Stack":
                self._read_resources(cloudformation, physical, f"{prefix}{resource['LogicalResourceId']}/")

    def _read_rules(self, events: Any) -> None:
        """Read the buses, the event patterns and the receivers of all rules, with references resolved."""
        for bus in events.list_event_buses()["EventBuses"]:
            for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
                if rule.get("EventPattern"):
                    self.rules[rule["Name"]] = bus["Name"], json.loads(rule["EventPattern"])
                targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])["Targets"]
                self._add_readers(f"events:{rule['Name']}", *(_function(target["Arn"]) for target in targets))

    def _read_sources(self, client: Callable[[str], Any]) -> None:
        """Read the receivers of event source mappings, pipes and subscriptions."""
        for page in client("lambda").get_paginator("list_event_source_mappings").paginate():
            for mapping in page["EventSourceMappings"]:
                self._add_readers(_source(mapping.get("EventSourceArn", "")), _function(mapping["FunctionArn"]))
        for pipe in client("pipes").list_pipes()["Pipes"]:
            self._add_readers(_source(pipe.get("Source", "")), "")
        for page in client("sns").get_paginator("list_subscriptions").paginate():
            for subscription in page["Subscriptions"]:
                topic, endpoint = _source(subscription["TopicArn"]), subscription["Endpoint"]
                if subscription["Protocol"] == "lambda":
                    self._add_readers(topic, _function(endpoint))
                else:
                    self._add_readers(topic, *self.readers.get(_source(endpoint), ()))

    def _add_readers(self, source: str, *readers: str) -> None:
        self.readers.setdefault(source, set()).update(readers)


def _function(arn: str) -> str:
    """Return the name of a function; empty for another receiver."""
    parts = arn.split(":")
    return parts[6] if parts[2:3] == ["lambda"] and len(parts) > 6 else ""


def _source(arn: str) -> str:
    """`dynamodb:NAME` of `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME`; the text itself if it is no ARN."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return arn
    kind, slash, path = parts[5].partition("/")
    return f"{parts[2]}:{path.partition('/')[0] if slash else kind}"


def _relayed(properties: dict[str, Any], name: str, url: str) -> None:
    """Change a function's properties so that it forwards its events to `url`, with its own variables."""
    variables = copy.deepcopy((properties.get("Environment") or {}).get("Variables") or {})
    for unsupported in ("Layers", "PackageType", "ImageConfig", "VpcConfig", "FileSystemConfigs", "SnapStart"):
        properties.pop(unsupported, None)
    properties |= {
        "FunctionName": name,
        "Code": {"ZipFile": "def handler(event, context): ..."},
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Timeout": LONGEST_S,
        "Environment": {"Variables": {**variables, PROXY: url}},
    }
