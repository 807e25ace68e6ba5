"""The snippets for CDK, the Serverless Framework and Terraform give a function what `adopt` gives it."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from lambda_latency.adopt import AdoptOptions
from lambda_latency.adopt.wording import adot_numbers, variables
from lambda_latency.adot import PYTHON
from tests.docs.pages import page

PAGE = page("how-to/adopt.md")
HERE = {
    "adot": PYTHON.arn("us-east-1", adot_numbers(AdoptOptions())["us-east-1"]),
    "collector": "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1",
}


def expected() -> dict[str, str]:
    """The variables with tracing on, in a region that has a collector."""
    found = variables(AdoptOptions(), bridge=True)
    taken = {name: re.match(r'!If \[\w+, "?([^",]+)"?,', str(text)) for name, text in found.items()}
    return {name: match[1] for name, match in taken.items() if match}


class Recorded(SimpleNamespace):
    """Stands for a class of CDK: what it was made with."""

    def __init__(self, _scope: Any = None, name: str = "", **properties: Any) -> None:
        super().__init__(**properties)
        MADE[name] = self


MADE: dict[str, Recorded] = {}


class LayerVersion(Recorded):
    """Made of files, or named by its ARN."""

    @staticmethod
    def from_layer_version_arn(_scope: Any, _name: str, arn: str) -> str:
        """The ARN."""
        return arn


def test_the_stack_of_cdk_has_what_adopt_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is run with stand-ins for CDK's classes."""
    monkeypatch.setattr("tests.adopt.test_docs.MADE", {})
    cdk = SimpleNamespace(
        Architecture=SimpleNamespace(ARM_64="arm64"),
        Code=SimpleNamespace(from_asset=str),
        Function=Recorded,
        LayerVersion=LayerVersion,
        Runtime=SimpleNamespace(PYTHON_3_13="python3.13"),
        Tracing=SimpleNamespace(ACTIVE="Active"),
    )
    (source,) = PAGE.blocks("python")
    exec(compile(source, "adopt.md", "exec"), {"lambda_": cdk, "self": None})  # noqa: S102 - our own page
    kit, function = MADE["LambdaLatency"], MADE["Orders"]
    assert (kit.code, function.tracing) == ("lambda-latency-layer", "Active")
    assert function.layers == [kit, HERE["adot"], HERE["collector"]]
    assert function.environment == expected()


def test_the_serverless_framework_has_what_adopt_writes() -> None:
    """The framework names the layer `lambdaLatency` LambdaLatencyLambdaLayer in CloudFormation."""
    (source,) = PAGE.blocks("yaml")
    written = yaml.safe_load(source)
    provider = written["provider"]
    assert provider["environment"] == expected()
    assert provider["layers"] == [{"Ref": "LambdaLatencyLambdaLayer"}, HERE["adot"], HERE["collector"]]
    assert (provider["tracing"], written["layers"]) == (
        {"apiGateway": True, "lambda": True},
        {"lambdaLatency": {"path": "lambda-latency-layer"}},
    )


def test_the_module_of_terraform_has_what_adopt_writes() -> None:
    """Layers in the same order, the same variables, the mode, and the permission."""
    (source,) = PAGE.blocks("hcl")
    assert dict(re.findall(r'^ {6}(\w+) += "(.*)"$', source, re.MULTILINE)) == expected()
    layers = re.search(r"layers = \[(.*?)\]", source, re.DOTALL)
    assert layers is not None
    assert re.findall(r"[^\s,]+", layers[1]) == [
        "aws_lambda_layer_version.lambda_latency.arn",
        f'"{HERE["adot"]}"',
        f'"{HERE["collector"]}"',
    ]
    assert ('mode = "Active"' in source, "AWSXRayDaemonWriteAccess" in source) == (True, True)
    assert source.count("{") == source.count("}")
