"""What is deployed: planted differences, refused calls, the least policy."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import lambda_latency.doctor.account
from lambda_latency.cli import main
from lambda_latency.doctor import ACCOUNT_RULES, Where, diagnose_account, read_app
from lambda_latency.doctor.deployed import ACTION_OF, ACTIONS, deployed
from lambda_latency.fetch import FetchError, Place
from lambda_latency.template import Finding as Unread
from tests.doctor.apps import Planted, write
from tests.doctor.cloud import ANSWERS, FUNCTION, Cloud, layer_file

Told = list[tuple[str, str, int]]


def with_function(**changes: Any) -> dict[str, Any]:
    """Another configuration of the function."""
    return {"GetFunctionConfiguration": {**deepcopy(FUNCTION), **changes}}


def with_variables(**changes: str) -> dict[str, Any]:
    """Other variables."""
    variables: dict[str, Any] = {**FUNCTION["Environment"]["Variables"], **changes}  # type: ignore[index]
    return with_function(Environment={"Variables": variables})


STAGE = [
    *ANSWERS["DescribeStackResources"]["StackResources"],
    {"ResourceType": "AWS::ApiGateway::RestApi", "PhysicalResourceId": "abc", "LogicalResourceId": "Api"},
    {"ResourceType": "AWS::ApiGateway::Stage", "PhysicalResourceId": "live", "LogicalResourceId": "Stage"},
]
RULES = ANSWERS["GetSamplingRules"]["SamplingRuleRecords"]
GREEDY = {"SamplingRule": {"RuleName": "greedy", "Priority": 1, "ServiceName": "*", "ServiceType": "*",
                           "ReservoirSize": 0, "FixedRate": 0.01}}  # fmt: skip
NOTHING: dict[str, Any] = {"PolicyVersion": {"Document": {"Statement": []}}}
# What is deployed, and the rule and the path that are then found.
PLANTED: dict[str, tuple[dict[str, Any], Told]] = {
    "a layer of another region": (
        with_function(Layers=[{"Arn": FUNCTION["Layers"][0]["Arn"].replace("eu-west-1", "eu-west-2")},  # type: ignore[index]
                              FUNCTION["Layers"][1]]),  # type: ignore[index]
        [("layer-region", "eu-west-1/shop-Get", 1)],
    ),
    "too little memory": (with_function(MemorySize=128), [("memory-small", "eu-west-1/shop-Get", 1)]),
    "a propagator": (with_variables(OTEL_PROPAGATORS="b3"), [("propagators", "eu-west-1/shop-Get", 1)]),
    "a role without rights": ({"GetPolicyVersion": NOTHING}, [("role-without-xray", "eu-west-1/shop-Get", 1)]),
    "a role's own policy": ({"GetPolicyVersion": NOTHING, "GetRolePolicy": {"PolicyDocument":
                             '{"Statement": [{"Effect": "Allow", "Action": "xray:*"}]}'}}, []),
    "Transaction Search": ({"GetTraceSegmentDestination": {"Destination": "CloudWatchLogs"}},
                           [("account-transaction-search", "eu-west-1/xray", 1)]),
    "OTLP without Transaction Search": (with_variables(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="https://xray.eu-west-1.amazonaws.com/v1/traces"),
                                        [("account-otlp", "eu-west-1/shop-Get", 1)]),
    "a log group for ever": ({"DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/lambda/shop-Get"}]}},
                             [("account-logs", "eu-west-1/logs", 1)]),
    "25 rules": ({"GetSamplingRules": {"SamplingRuleRecords": RULES[:1] * 25}},
                 [("account-quota", "eu-west-1/sampling", 1)]),
    "a layer that is not what the table says": (
        {"GetLayerVersionByArn": {"Content": {"Location": layer_file("1.43.0")}}},
        [("account-layer", "eu-west-1/layers", 1)],
    ),
    "the rule of the API": ({"DescribeStackResources": {"StackResources": STAGE}},
                            [("account-sampling", "eu-west-1/sampling", 1)]),
}  # fmt: skip


def found(monkeypatch: pytest.MonkeyPatch, cloud: Cloud, stack: str = "shop", template: Path | None = None) -> Told:
    """Rule, path and line of all that is found."""
    monkeypatch.setattr(lambda_latency.doctor.account, "Clients", lambda _: cloud)
    app = read_app(template, Where(region=cloud.region)) if template is not None else None
    assert not isinstance(app, Unread)
    return [(one.rule, one.path, one.line) for one in diagnose_account(Place(), stack, app)]


@pytest.mark.parametrize("stack", ["", "shop"])
def test_an_account_without_a_flaw_has_no_finding(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its functions, or those of a stack."""
    assert found(monkeypatch, Cloud(), stack) == []


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else."""
    changes, wanted = PLANTED[name]
    assert found(monkeypatch, Cloud(changes)) == wanted


def test_the_rule_that_decides_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that are never asked."""
    changes = {"DescribeStackResources": {"StackResources": STAGE}}
    monkeypatch.setattr(lambda_latency.doctor.account, "Clients", lambda _: Cloud(changes))
    (own,) = diagnose_account(Place(), "shop")
    assert own.what == "rule 'shop' (priority 100) decides for shop/live: 5 a second and 10 %"
    changes["GetSamplingRules"] = {"SamplingRuleRecords": [*RULES, GREEDY]}
    (greedy,) = diagnose_account(Place(), "shop")
    assert greedy.what == "rule 'greedy' (priority 1) decides for shop/live: 0 a second and 1 %; shop never applies"


def test_the_stack_is_compared_with_its_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the template's lines; a template that is deployed as it is has no difference."""
    template = write(Planted("SAM"), tmp_path)
    assert found(monkeypatch, Cloud(), template=template) == []
    lines = template.read_text().splitlines()
    changed = with_variables(OTEL_PROPAGATORS="xray,baggage")["GetFunctionConfiguration"]
    changed |= {"Timeout": 12, "TracingConfig": {"Mode": "PassThrough"}}
    wanted = [
        number for number, line in enumerate(lines, 1) if line.strip().startswith(("Timeout", "Tracing:", "OTEL_PROP"))
    ]
    assert found(monkeypatch, Cloud({"GetFunctionConfiguration": changed}), template=template) == [
        ("account-differs", str(template), line) for line in wanted
    ]


def test_packages_are_compared_with_the_layer_that_is_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The template's own layer agrees with them; that of the account is another."""
    template = write(Planted("SAM", files={"src/requirements.txt": "opentelemetry-sdk==1.42.1\n"}), tmp_path)
    assert found(monkeypatch, Cloud(), template=template) == []
    newer = [{"Arn": FUNCTION["Layers"][0]["Arn"].replace(":26", ":31")}, FUNCTION["Layers"][1]]  # type: ignore[index]
    real = {"GetLayerVersionByArn": {"Content": {"Location": layer_file("1.46.0")}}}
    rules = {
        rule for rule, _, _ in found(monkeypatch, Cloud({**with_function(Layers=newer), **real}), template=template)
    }
    assert rules == {"account-differs", "account-layer", "account-packages"}


def test_a_layer_whose_file_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no archive."""
    cloud = Cloud({"GetLayerVersionByArn": {"Content": {"Location": "data:,none"}}})
    assert found(monkeypatch, cloud) == [("account-rights", "eu-west-1/iam", 1)]


def test_the_values_of_variables_are_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be secrets."""
    template = write(
        Planted("SAM", {"OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: xray\n        KEY: here-secret"}), tmp_path
    )
    monkeypatch.setattr(lambda_latency.doctor.account, "Clients", lambda _: Cloud(with_variables(KEY="there-secret")))
    app = read_app(template, Where())
    assert not isinstance(app, Unread)
    (finding,) = diagnose_account(Place(), "shop", app)
    assert finding.what == "Get: KEY has another value in the account"


@pytest.mark.parametrize("operation", [one for one in ANSWERS if one not in ("ListFunctions", "GetRestApi")])
def test_a_missing_right_is_named(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its action, which is one of the policy's; nothing is claimed that could not be seen."""
    cloud = Cloud(denied=[operation])
    monkeypatch.setattr(lambda_latency.doctor.account, "Clients", lambda _: cloud)
    (finding,) = diagnose_account(Place(), "shop")
    action = finding.what.removesuffix(" is not allowed")
    operation = ACTION_OF.get(operation, operation)
    assert (finding.rule, finding.severity, action.partition(":")[2]) == ("account-rights", "warning", operation)
    assert action in ACTIONS


def test_without_any_right_each_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And asked for once."""
    cloud = Cloud(denied=list(ANSWERS))
    assert {rule for rule, _, _ in found(monkeypatch, cloud, "")} == {"account-rights"}
    assert len(cloud.asked) == len(set(cloud.asked))


def test_a_stack_that_is_not_there_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its name."""
    gone = {"DescribeStackResources": ("ValidationError", "Stack with id shop does not exist")}
    with pytest.raises(FetchError, match="there is no stack 'shop' in eu-west-1"):
        found(monkeypatch, Cloud(gone))


def test_only_the_calls_of_the_policy_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    """All that it allows is asked for, nothing else is."""
    cloud = Cloud({"DescribeStackResources": {"StackResources": STAGE}})
    deployed(cloud.make, "eu-west-1", "shop")
    deployed(cloud.make, "eu-west-1")
    asked = {"apigateway:GET" if one.startswith("apigateway") else one for one in cloud.asked}
    asked = {":".join((service, ACTION_OF.get(name, name))) for service, name in (one.split(":") for one in asked)}
    assert main(["doctor", "--print-policy"]) == 0
    (statement,) = json.loads(capsys.readouterr().out)["Statement"]
    assert sorted(asked) == statement["Action"]


def test_every_rule_of_an_account_is_planted() -> None:
    """In the tests above."""
    planted = {rule for _, wanted in PLANTED.values() for rule, _, _ in wanted}
    planted |= {"account-rights", "account-differs", "account-packages"}
    assert {rule.name for rule in ACCOUNT_RULES} <= planted
