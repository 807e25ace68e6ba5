"""AWS's answers about an account, played: a method of a client for each operation that the doctor asks for."""

import io
import zipfile
from base64 import b64encode
from collections.abc import Collection, Mapping
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/shop-role"
ADOT = "arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:26"
COLLECTOR = "arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"
FUNCTION = {
    "FunctionName": "shop-Get", "Runtime": "python3.13", "Role": ROLE, "MemorySize": 512, "Timeout": 10,
    "Architectures": ["arm64"], "PackageType": "Zip", "TracingConfig": {"Mode": "Active"},
    "Layers": [{"Arn": ADOT}, {"Arn": COLLECTOR}],
    "Environment": {
        "Variables": {
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
            "OPENTELEMETRY_COLLECTOR_CONFIG_URI": "/var/task/collector.yaml",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
            "OTEL_PROPAGATORS": "xray",
            "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
            "OTEL_PYTHON_DISTRO": "aws_distro",
            "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
        }
    },
}  # fmt: skip
WRITES = {"Statement": {"Effect": "Allow", "Action": ["xray:Put*"], "Resource": "*"}}
DEFAULT_RULE = {"RuleName": "Default", "Priority": 10000, "ServiceName": "*", "ServiceType": "*",
                "ReservoirSize": 1, "FixedRate": 0.05}  # fmt: skip
OWN_RULE = {"RuleName": "shop", "Priority": 100, "ServiceName": "shop/live", "ServiceType": "AWS::ApiGateway::Stage",
            "ReservoirSize": 5, "FixedRate": 0.1}  # fmt: skip


def layer_file(sdk: str) -> str:
    """The address of a layer's file that has an SDK."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in ("opentelemetry_sdk", "opentelemetry_api"):
            file.writestr(f"python/{name}-{sdk}.dist-info/METADATA", "")
        file.writestr("python/opentelemetry/sdk/version/__init__.py", "")
    return f"data:application/zip;base64,{b64encode(content.getvalue()).decode()}"


# An account with nothing to say about it.
ANSWERS: dict[str, Any] = {
    "DescribeStackResources": {
        "StackResources": [
            {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "shop-Get", "LogicalResourceId": "Get"},
        ]
    },
    "GetRestApi": {"name": "shop"},
    "ListFunctions": {"Functions": [{"FunctionName": "shop-Get"}]},
    "GetFunctionConfiguration": FUNCTION,
    "DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/lambda/shop-Get", "retentionInDays": 14}]},
    "GetLayerVersionByArn": {"LayerVersionArn": ADOT, "Content": {"Location": layer_file("1.42.1"), "CodeSize": 1}},
    "ListRolePolicies": {"PolicyNames": ["own"]},
    "GetRolePolicy": {"PolicyDocument": {"Statement": []}},
    "ListAttachedRolePolicies": {"AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/Traces"}]},
    "GetPolicy": {"Policy": {"DefaultVersionId": "v2"}},
    "GetPolicyVersion": {"PolicyVersion": {"Document": WRITES}},
    "GetSamplingRules": {"SamplingRuleRecords": [{"SamplingRule": DEFAULT_RULE}, {"SamplingRule": OWN_RULE}]},
    "GetTraceSegmentDestination": {"Destination": "XRay", "Status": "ACTIVE"},
    "GetIndexingRules": {"IndexingRules": [{"Rule": {"Probabilistic": {"DesiredSamplingPercentage": 1.0}}}]},
}


class Cloud:
    """Clients of an account: `changes` are other answers, or functions of them; `denied`: what it may not ask for."""

    region = "eu-west-1"

    def __init__(self, changes: Mapping[str, Any] | None = None, denied: Collection[str] = ()) -> None:
        self._answers = {**deepcopy(ANSWERS), **(changes or {})}
        self._denied = denied
        self.asked: list[str] = []

    def make(self, service: str) -> Any:
        """A client; every service has every operation."""
        methods = {name: self._method(service, name) for name in self._answers}
        return SimpleNamespace(meta=SimpleNamespace(method_to_api_mapping={name: name for name in methods}), **methods)

    def _method(self, service: str, operation: str) -> Any:
        def answer(**_: object) -> Any:
            self.asked.append(f"{service}:{operation}")
            reply = self._answers[operation]
            if operation in self._denied:
                reply = ("AccessDeniedException", "not authorized")
            if isinstance(reply, tuple):
                raise ClientError({"Error": {"Code": reply[0], "Message": reply[1]}}, operation)
            return reply() if callable(reply) else reply

        return answer
