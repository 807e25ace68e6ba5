"""Reads an account's deployed resources, by read-only calls. A failed call is recorded, and the others continue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from zipfile import BadZipFile

from lambda_latency.adot import PYTHON
from lambda_latency.doctor.contents import packages_of

# Every call, with the IAM action that allows it.
ACTIONS = (
    "apigateway:GET",
    "cloudformation:DescribeStackResources",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "lambda:GetFunctionConfiguration",
    "lambda:GetLayerVersion",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
    "xray:GetIndexingRules",
    "xray:GetSamplingRules",
    "xray:GetTraceSegmentDestination",
)
# The operations that IAM knows by another name.
ACTION_OF = {"GetLayerVersionByArn": "GetLayerVersion"}
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
MOST_FUNCTIONS = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """A failed call: its IAM action, AWS's message, and whether the permission is missing."""

    action: str
    said: str
    is_denied: bool


@dataclass(slots=True)
class Deployed:
    """The configurations of functions by name, as in Lambda's API; logical ids by name, for functions of a stack.

    `policies`: the documents of each role, None if unreadable; `destination`: `XRay` or `CloudWatchLogs`; `indexed`:
    the percentage of traces that Transaction Search indexes; `retention`: the days of each log group, None without a
    limit; `contents`: the packages of each layer of ADOT for Python, None if unreadable. Results of failed calls are
    empty, and the calls are in `refused`.
    """

    region: str
    functions: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    logical: dict[str, str] = field(default_factory=dict)
    stages: tuple[str, ...] = ()
    policies: dict[str, list[Any] | None] = field(default_factory=dict)
    rules: list[Mapping[str, Any]] | None = None
    destination: str = ""
    indexed: float | None = None
    retention: dict[str, int | None] = field(default_factory=dict)
    contents: dict[str, Mapping[str, str] | None] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)


def account_policy() -> str:
    """The least-privilege IAM policy of `deployed`, as JSON."""
    statement = {"Sid": "ReadWhatIsDeployed", "Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def deployed(make: Callable[[str], Any], region: str, stack: str = "") -> Deployed:
    """The deployed resources; `make` returns boto3's client of a service. `stack`: only its functions and stages.

    Raises boto3's errors of credentials and network; errors of single calls are recorded.
    """
    found = Deployed(region)
    ask = Asker(make, found)
    for name, logical in ask.names(stack):
        configuration = ask("lambda", "GetFunctionConfiguration", FunctionName=name)
        if configuration is not None:
            found.functions[name] = configuration
            found.logical[name] = logical
            group = configuration.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}")
            ask.log_group(group)
    layers = {str(layer["Arn"]) for one in found.functions.values() for layer in one.get("Layers", ())}
    for arn in sorted(one for one in layers if f":layer:{PYTHON.name}:" in one):
        answer = ask("lambda", "GetLayerVersionByArn", Arn=arn)
        try:
            found.contents[arn] = packages_of(answer) if answer is not None else None
        except (OSError, BadZipFile) as error:
            found.contents[arn] = None
            found.refused[arn] = Refused("lambda:GetLayerVersion", f"{arn}: {error}", is_denied=False)
    for role in sorted({str(one.get("Role", "")) for one in found.functions.values()} - {""}):
        found.policies[role] = ask.documents(role.rpartition("/")[2])
    rules = list(ask.pages("xray", "GetSamplingRules", "SamplingRuleRecords"))
    found.rules = None if "xray:GetSamplingRules" in found.refused else [one["SamplingRule"] for one in rules]
    found.destination = (ask("xray", "GetTraceSegmentDestination") or {}).get("Destination", "")
    for rule in (ask("xray", "GetIndexingRules") or {}).get("IndexingRules", ()):
        found.indexed = rule.get("Rule", {}).get("Probabilistic", {}).get("DesiredSamplingPercentage", found.indexed)
    return found


class Asker:
    """Calls AWS, and records failed calls in `found`; `make` returns boto3's client of a service."""

    def __init__(self, make: Callable[[str], Any], found: Deployed) -> None:
        self._make, self._found = make, found
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **arguments: Any) -> Mapping[str, Any] | None:
        """The response of an operation; None if it failed."""
        from botocore.exceptions import ClientError

        action = "apigateway:GET" if service == "apigateway" else f"{service}:{ACTION_OF.get(operation, operation)}"
        if action in self._found.refused and self._found.refused[action].is_denied:
            return None
        if service not in self._clients:
            self._clients[service] = self._make(service)
        client = self._clients[service]
        method = next(one for one, name in client.meta.method_to_api_mapping.items() if name == operation)
        try:
            answer: Mapping[str, Any] = getattr(client, method)(**arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "?"))
            message = str(error.response.get("Error", {}).get("Message", ""))
            self._found.refused[action] = Refused(action, f"{message} ({code})".strip(), code in DENIED)
            return None
        return answer

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """The items of all pages."""
        given, token = ("NextMarker", "Marker") if service == "lambda" else ("NextToken", "NextToken")
        answer = self(service, operation, **arguments)
        while answer is not None:
            yield from answer.get(key, ())
            following = answer.get(given)
            answer = self(service, operation, **{**arguments, token: following}) if following else None

    def names(self, stack: str) -> Iterator[tuple[str, str]]:
        """The functions' names and logical ids (empty without a stack); at most `MOST_FUNCTIONS`."""
        if not stack:
            for count, function in enumerate(self.pages("lambda", "ListFunctions", "Functions")):
                if count < MOST_FUNCTIONS:
                    yield function["FunctionName"], ""
            return
        answer = self("cloudformation", "DescribeStackResources", StackName=stack) or {}
        resources = answer.get("StackResources", ())
        ids = {
            kind: [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind]
            for kind in ("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage")
        }
        apis = [self("apigateway", "GetRestApi", restApiId=one) for one in ids["AWS::ApiGateway::RestApi"]]
        named = [str(api["name"]) for api in apis if api is not None]
        self._found.stages = tuple(f"{api}/{stage}" for api in named for stage in ids["AWS::ApiGateway::Stage"])
        for one in resources:
            if one["ResourceType"] == "AWS::Lambda::Function" and "PhysicalResourceId" in one:
                yield one["PhysicalResourceId"], one["LogicalResourceId"]

    def log_group(self, name: str) -> None:
        """Records the retention of a log group."""
        for one in (self("logs", "DescribeLogGroups", logGroupNamePrefix=name) or {}).get("logGroups", ()):
            if one["logGroupName"] == name:
                self._found.retention[name] = one.get("retentionInDays")

    def documents(self, role: str) -> list[Any] | None:
        """The policy documents of a role, inline and attached; None if one could not be read."""
        inline = self("iam", "ListRolePolicies", RoleName=role)
        attached = self("iam", "ListAttachedRolePolicies", RoleName=role)
        if inline is None or attached is None:
            return None
        answers = [
            (self("iam", "GetRolePolicy", RoleName=role, PolicyName=name) or {}).get("PolicyDocument")
            for name in inline.get("PolicyNames", ())
        ]
        for one in attached.get("AttachedPolicies", ()):
            policy = (self("iam", "GetPolicy", PolicyArn=one["PolicyArn"]) or {}).get("Policy", {})
            version = policy.get("DefaultVersionId")
            wanted = {"PolicyArn": one["PolicyArn"], "VersionId": version}
            read = self("iam", "GetPolicyVersion", **wanted) if version else None
            answers.append((read or {}).get("PolicyVersion", {}).get("Document"))
        documents = [json.loads(unquote(one)) if isinstance(one, str) else one for one in answers]
        return None if None in documents else documents
