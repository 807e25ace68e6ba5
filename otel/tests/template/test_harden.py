"""The page about production: its lines fit into the template, do what it says, and are what `make deploy` asks for."""

import json
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from lab import destination
from lab.__main__ import run
from lab.hardened import PAGE, missing_protections
from tests.docs.pages import page
from tests.template.deployed import ROOT, Stack, deploy, deploy_written, merged, template

IAM, TOKEN, LOG, PROTECTION, PROCESSOR = map(yaml_parse, page("how-to/harden.md").blocks("yaml"))
METHODS = {("/orders", "post"), ("/orders", "get"), ("/orders/{id}", "get"), ("/orders/{id}/cancel", "post")}
MISSING = [
    "Api has no authorizer: everybody who knows its address may call it (Auth)",
    "Api has no access log (AccessLogSetting)",
    "OrdersTable has no protection (DeletionProtectionEnabled, PointInTimeRecoverySpecification)",
]


def with_lines(*additions: dict[str, Any]) -> dict[str, Any]:
    """The template with the lines of some sections of the page."""
    written = template()
    for addition in additions:
        written = merged(written, addition)
    return written


def security(stack: Stack) -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """What each method of the API asks of its caller, and the schemes that there are."""
    (api,) = stack.of_type("AWS::ApiGateway::RestApi").values()
    rules = {
        (path, method): operation.get("security")
        for path, methods in api["Body"]["paths"].items()
        for method, operation in methods.items()
    }
    return rules, api["Body"].get("securityDefinitions") or api["Body"].get("components", {}).get("securitySchemes", {})


def test_the_example_is_open() -> None:
    """As README and page say."""
    assert security(deploy()) == (dict.fromkeys(METHODS), {})


SCHEMES = [(IAM, "AWS_IAM", "awsSigv4"), (TOKEN, "Token", "cognito_user_pools")]


@pytest.mark.parametrize(("addition", "scheme", "kind"), SCHEMES)
def test_every_method_asks_the_same_of_its_caller(addition: dict[str, Any], scheme: str, kind: str) -> None:
    """None is forgotten, and API Gateway invokes the functions by its own permission."""
    stack = deploy_written(with_lines(addition))
    rules, schemes = security(stack)

    assert rules == {method: [{scheme: []}] for method in METHODS}
    assert {name: definition["x-amazon-apigateway-authtype"] for name, definition in schemes.items()} == {scheme: kind}
    assert "arn:aws:iam::*:user/*" not in stack.text()


def test_the_access_log_has_the_trace() -> None:
    """A line of JSON for each request, in a log group that ends."""
    stack = deploy_written(with_lines(LOG), LogRetentionDays="30")
    (stage,) = stack.of_type("AWS::ApiGateway::Stage").values()

    assert json.loads(stage["AccessLogSetting"]["Format"])["traceId"] == "$context.xrayTraceId"
    assert stack.of_type("AWS::Logs::LogGroup")["AccessLogs"] == {"RetentionInDays": "30"}


def test_the_table_is_protected_from_deletion_and_by_backups() -> None:
    """Both together."""
    (table,) = deploy_written(with_lines(PROTECTION)).of_type("AWS::DynamoDB::Table").values()

    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_another_processor_has_its_collector() -> None:
    """All else of the layers stays."""
    default, changed = (
        stack.resources["GetOrder"]["Properties"] for stack in (deploy(), deploy_written(with_lines(PROCESSOR)))
    )

    assert changed["Architectures"] == ["x86_64"]
    assert changed["Layers"] == [*default["Layers"][:-1], default["Layers"][-1].replace("-arm64-", "-amd64-")]


def test_requests_are_throttled() -> None:
    """For all methods."""
    (stage,) = deploy().of_type("AWS::ApiGateway::Stage").values()

    assert stage["MethodSettings"] == [
        {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 50}
    ]


@pytest.mark.parametrize(
    ("additions", "missing"),
    [
        ([], MISSING),
        ([LOG, PROTECTION], MISSING[:1]),
        ([IAM, PROTECTION], MISSING[1:2]),
        ([TOKEN, LOG], MISSING[2:]),
        ([TOKEN, LOG, PROTECTION], []),
    ],
)
def test_what_a_template_lacks_is_named(tmp_path: Path, additions: list[dict[str, Any]], missing: list[str]) -> None:
    """With the lines of the page nothing is missing."""
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(with_lines(*additions)))  # which is YAML, too

    assert list(missing_protections(path)) == missing


@pytest.mark.parametrize(("environment", "status"), [("prod", 1), ("dev", 2)])
def test_production_is_refused_before_anything_else(
    environment: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the page that has the lines; every other environment gets to the question, which nobody answers here."""
    monkeypatch.setattr(destination, "account_of", lambda _: "123456789012")
    monkeypatch.setattr("sys.argv", ["lab"])

    assert run("destination", ["--config-env", environment, "--region", "eu-west-1"]) == status
    refusal = f"prod is not deployed: {PAGE} has the lines that template.yaml lacks\n"
    said = refusal + "".join(f"  {line}\n" for line in MISSING)
    assert (capsys.readouterr().err == said) is (environment == "prod")
    assert (ROOT / PAGE).is_file()
