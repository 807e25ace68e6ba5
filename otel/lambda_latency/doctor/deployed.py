"""Reads an account's deployed resources, by read-only calls. A failed call is recorded, and the others continue.

Lambda does not report the packages of a layer's version, so the layer's own file is read.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen

from lambda_latency.adot import PYTHON
from lambda_latency.fetch import Clients, Place, refusal, rejects_credentials

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
INSTALLED = re.compile(r"python/(?P<name>[A-Za-z0-9._]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
MOST_BYTES = 200 * 2**20
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class FailedCall:
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
    empty, and the calls are in `refused`; `answered`: whether any call was answered.
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
    refused: dict[str, FailedCall] = field(default_factory=dict)
    answered: bool = False


def account_policy() -> str:
    """The least-privilege IAM policy of `deployed`, as JSON."""
    statement = {"Sid": "ReadWhatIsDeployed", "Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def deployed(make: Callable[[str], Any], region: str, stack: str = "") -> Deployed:
    """The deployed resources; `make` returns boto3's client of a service. `stack`: only its functions and stages.

    Raises boto3's errors of credentials and network; errors of single calls are recorded.
    """
    account = Deployed(region)
    ask = AwsClient(make, account)
    for name, logical in ask.names(stack):
        configuration = ask("lambda", "GetFunctionConfiguration", FunctionName=name)
        if configuration is not None:
            account.functions[name] = configuration
            account.logical[name] = logical
            group = configuration.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}")
            ask.log_group(group)
    _read_layers(ask, account)
    for role in sorted({str(function.get("Role", "")) for function in account.functions.values()} - {""}):
        account.policies[role] = ask.documents(role.rpartition("/")[2])
    rules = list(ask.pages("xray", "GetSamplingRules", "SamplingRuleRecords"))
    account.rules = None if "xray:GetSamplingRules" in account.refused else [record["SamplingRule"] for record in rules]
    account.destination = (ask("xray", "GetTraceSegmentDestination") or {}).get("Destination", "")
    for rule in (ask("xray", "GetIndexingRules") or {}).get("IndexingRules", ()):
        probabilistic = rule.get("Rule", {}).get("Probabilistic", {})
        account.indexed = probabilistic.get("DesiredSamplingPercentage", account.indexed)
    return account


def _read_layers(ask: AwsClient, account: Deployed) -> None:
    """Records the packages of the functions' layers of ADOT for Python."""
    functions = account.functions.values()
    arns = {str(layer["Arn"]) for function in functions for layer in function.get("Layers", ())}
    for arn in sorted(arn for arn in arns if f":layer:{PYTHON.name}:" in arn):
        answer = ask("lambda", "GetLayerVersionByArn", Arn=arn)
        try:
            account.contents[arn] = packages_of(answer) if answer is not None else None
        except (OSError, zipfile.BadZipFile) as error:
            account.contents[arn] = None
            account.refused[arn] = FailedCall("lambda:GetLayerVersion", f"{arn}: {error}", is_denied=False)


class AwsClient:
    """Calls AWS, and records failed calls in `account`; `make` returns boto3's client of a service."""

    def __init__(self, make: Callable[[str], Any], account: Deployed) -> None:
        self._make, self._account = make, account
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **arguments: Any) -> Mapping[str, Any] | None:
        """The response of an operation; None if it failed."""
        from botocore.exceptions import ClientError

        action = "apigateway:GET" if service == "apigateway" else f"{service}:{ACTION_OF.get(operation, operation)}"
        if action in self._account.refused and self._account.refused[action].is_denied:
            return None
        if service not in self._clients:
            self._clients[service] = self._make(service)
        client = self._clients[service]
        method = next(method for method, name in client.meta.method_to_api_mapping.items() if name == operation)
        try:
            answer: Mapping[str, Any] = getattr(client, method)(**arguments)
        except ClientError as error:
            if rejects_credentials(error):
                raise
            code = str(error.response.get("Error", {}).get("Code", "?"))
            message = str(error.response.get("Error", {}).get("Message", ""))
            self._account.refused[action] = FailedCall(action, f"{message} ({code})".strip(), code in DENIED)
            return None
        self._account.answered = True
        return answer

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """The items of all pages."""
        marker, token = ("NextMarker", "Marker") if service == "lambda" else ("NextToken", "NextToken")
        tokens: set[str | None] = set()
        answer = self(service, operation, **arguments)
        while answer is not None:
            yield from answer.get(key, ())
            following = answer.get(marker)
            if following in tokens:
                action = f"{service}:{operation}"
                self._account.refused[action] = FailedCall(action, "the same page comes again", is_denied=False)
                return
            tokens.add(following)
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
        self._record_stages(resources)
        for resource in resources:
            if resource["ResourceType"] == "AWS::Lambda::Function" and "PhysicalResourceId" in resource:
                yield resource["PhysicalResourceId"], resource["LogicalResourceId"]

    def _record_stages(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Records the stages of a stack's REST APIs."""
        ids = {
            kind: [resource["PhysicalResourceId"] for resource in resources if resource["ResourceType"] == kind]
            for kind in ("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage")
        }
        apis = [self("apigateway", "GetRestApi", restApiId=api_id) for api_id in ids["AWS::ApiGateway::RestApi"]]
        names = [str(api["name"]) for api in apis if api is not None]
        self._account.stages = tuple(f"{api}/{stage}" for api in names for stage in ids["AWS::ApiGateway::Stage"])

    def log_group(self, name: str) -> None:
        """Records the retention of a log group."""
        for group in (self("logs", "DescribeLogGroups", logGroupNamePrefix=name) or {}).get("logGroups", ()):
            if group["logGroupName"] == name:
                self._account.retention[name] = group.get("retentionInDays")

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
        answers += [self._managed_document(policy["PolicyArn"]) for policy in attached.get("AttachedPolicies", ())]
        documents = [json.loads(unquote(answer)) if isinstance(answer, str) else answer for answer in answers]
        return None if None in documents else documents

    def _managed_document(self, arn: str) -> Any:
        """The document of a managed policy's default version; None if it could not be read."""
        policy = (self("iam", "GetPolicy", PolicyArn=arn) or {}).get("Policy", {})
        version = policy.get("DefaultVersionId")
        answer = self("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version) if version else None
        return (answer or {}).get("PolicyVersion", {}).get("Document")


class Online:
    """Asks Lambda for the packages of layers, each once. `failed`: what went wrong, by the layer's ARN."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._packages: dict[str, Mapping[str, str] | None] = {}
        self.failed: dict[str, str] = {}

    def __call__(self, arn: str) -> Mapping[str, str] | None:
        """The packages of a layer; None if Lambda does not report them. Raises FetchError without credentials."""
        if arn not in self._packages:
            self._packages[arn] = self._ask(arn)
        return self._packages[arn]

    def _ask(self, arn: str) -> Mapping[str, str] | None:
        from botocore.exceptions import ClientError

        place = Place(self._place.profile, arn.split(":")[3])
        try:
            return packages_of(Clients(place).make("lambda").get_layer_version_by_arn(Arn=arn))
        except (OSError, zipfile.BadZipFile) as error:
            self.failed[arn] = str(error)
        except Exception as error:
            if isinstance(error, ClientError) and not rejects_credentials(error):
                self.failed[arn] = str(error)
                return None
            raise refusal(error, place) or error from error
        return None


def packages_of(answer: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The packages in the file that an answer of GetLayerVersionByArn names: version by name. None if it names none.

    Raises OSError or BadZipFile.
    """
    location = str(answer.get("Content", {}).get("Location", ""))
    if not location:
        return None
    with urlopen(location, timeout=LIMIT_S) as response:  # noqa: S310 - the address is AWS's own
        content = response.read(MOST_BYTES)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        matches = [*filter(None, map(INSTALLED.fullmatch, file.namelist()))]
    return {re.sub(r"[-_.]+", "-", match["name"]).lower(): match["version"] for match in matches} or None
