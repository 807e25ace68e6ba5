"""What is deployed: injected differences, refused calls, the least policy."""

import itertools
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import lambda_latency.doctor.account_rules
from lambda_latency.cli import main
from lambda_latency.doctor import ACCOUNT_RULES, Deployment, Finding, diagnose, diagnose_account, read_app
from lambda_latency.doctor.deployed import ACTION_OF, ACTIONS, deployed
from lambda_latency.fetch import FetchError, Place
from lambda_latency.template import Diagnostic
from tests.doctor.apps import OTLP, POLICY, ChangedApp, adot, cfn, sam, write
from tests.doctor.cloud import ANSWERS, FUNCTION, Cloud, layer_file

Rows = list[tuple[str, str, int]]


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
DIFFERENCES: dict[str, tuple[dict[str, Any], Rows]] = {
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


def diagnosed(
    monkeypatch: pytest.MonkeyPatch, cloud: Cloud, stack: str = "shop", template: Path | None = None
) -> tuple[Finding, ...]:
    """What is found in an account."""
    monkeypatch.setattr(lambda_latency.doctor.account_rules, "Clients", lambda _: cloud)
    app = read_app(template, Deployment(region=cloud.region)) if template is not None else None
    assert not isinstance(app, Diagnostic)
    return tuple(diagnose_account(Place(), stack, app))


def found(*arguments: Any, **more: Any) -> Rows:
    """Rule, path and line of all that is found."""
    return [(finding.rule, finding.path, finding.line) for finding in diagnosed(*arguments, **more)]


@pytest.mark.parametrize("stack", ["", "shop"])
def test_an_account_without_a_flaw_has_no_finding(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its functions, or those of a stack."""
    assert found(monkeypatch, Cloud(), stack) == []


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_is_planted_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else."""
    changes, expected = DIFFERENCES[name]
    assert found(monkeypatch, Cloud(changes)) == expected


def test_a_deployed_function_is_named_as_in_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not after its place among them."""
    (finding,) = diagnosed(monkeypatch, Cloud({"GetPolicyVersion": NOTHING}), "")
    assert finding.what.startswith("shop-Get is traced, but its role does not allow xray:PutTraceSegments")


def test_the_rule_that_decides_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that are never asked."""
    changes = {"DescribeStackResources": {"StackResources": STAGE}}
    (finding,) = diagnosed(monkeypatch, Cloud(changes))
    assert finding.what == "rule 'shop' (priority 100) decides for shop/live: 5 a second and 10 %"
    changes["GetSamplingRules"] = {"SamplingRuleRecords": [*RULES, GREEDY]}
    (greedy,) = diagnosed(monkeypatch, Cloud(changes))
    assert greedy.what == "rule 'greedy' (priority 1) decides for shop/live: 0 a second and 1 %; shop never applies"


def test_the_stack_is_compared_with_its_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the template's lines; a template that is deployed as it is has no difference."""
    template = write(ChangedApp("SAM"), tmp_path)
    assert found(monkeypatch, Cloud(), template=template) == []
    lines = template.read_text().splitlines()
    changed = with_variables(OTEL_PROPAGATORS="xray,baggage")["GetFunctionConfiguration"]
    changed |= {"Timeout": 12, "TracingConfig": {"Mode": "PassThrough"}}
    expected = [
        number for number, line in enumerate(lines, 1) if line.strip().startswith(("Timeout", "Tracing:", "OTEL_PROP"))
    ]
    assert found(monkeypatch, Cloud({"GetFunctionConfiguration": changed}), template=template) == [
        ("account-differs", str(template), line) for line in expected
    ]


def test_packages_are_compared_with_the_layer_that_is_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The template's own layer agrees with them; that of the account is another."""
    template = write(ChangedApp("SAM", files={"src/requirements.txt": "opentelemetry-sdk==1.42.1\n"}), tmp_path)
    assert found(monkeypatch, Cloud(), template=template) == []
    newer = [{"Arn": FUNCTION["Layers"][0]["Arn"].replace(":26", ":31")}, FUNCTION["Layers"][1]]  # type: ignore[index]
    layer = {"GetLayerVersionByArn": {"Content": {"Location": layer_file("1.46.0")}}}
    rules = {
        rule for rule, _, _ in found(monkeypatch, Cloud({**with_function(Layers=newer), **layer}), template=template)
    }
    assert rules == {"account-differs", "account-layer", "account-packages"}


def test_a_layer_whose_file_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no archive."""
    cloud = Cloud({"GetLayerVersionByArn": {"Content": {"Location": "data:,none"}}})
    assert found(monkeypatch, cloud) == [("account-rights", "eu-west-1/iam", 1)]


def test_the_values_of_variables_are_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be secrets."""
    template = write(sam(adot("KEY: here-secret")), tmp_path)
    (finding,) = diagnosed(monkeypatch, Cloud(with_variables(KEY="there-secret")), template=template)
    assert finding.what == "Get: KEY has another value in the account"


@pytest.mark.parametrize("operation", [name for name in ANSWERS if name not in ("ListFunctions", "GetRestApi")])
def test_a_missing_right_is_named(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its action, which is one of the policy's; nothing is claimed that could not be seen."""
    (finding,) = diagnosed(monkeypatch, Cloud(denied=[operation]))
    action = finding.what.removesuffix(" is not allowed")
    operation = ACTION_OF.get(operation, operation)
    assert (finding.rule, finding.severity, action.partition(":")[2]) == ("account-rights", "warning", operation)
    assert action in ACTIONS


def test_without_any_right_the_command_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was checked; each call was made once."""
    cloud = Cloud(denied=list(ANSWERS))
    message = "AWS refused every call in eu-west-1, so nothing was checked: lambda:ListFunctions: not authorized"
    with pytest.raises(FetchError, match=message):
        found(monkeypatch, cloud, "")
    assert len(cloud.asked) == len(set(cloud.asked))


CLOCK = ("InvalidSignatureException", "Signature expired: 20261202T0000Z is now earlier than 20261202T0800Z")


@pytest.mark.parametrize("operation", ["ListFunctions", "GetSamplingRules"])
def test_a_wrong_clock_ends_the_command(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first call, or in the middle: no other call would be answered either."""
    with pytest.raises(
        FetchError, match=r"AWS rejects these credentials: Signature expired.*\n.*the clock of this machine"
    ):
        found(monkeypatch, Cloud({operation: CLOCK}), "")


@pytest.mark.parametrize("tokens", [["again"], ["again", "other"]])
def test_a_page_that_comes_again_is_read_once_more(tokens: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """And named: not all rules may have been read."""
    cycle = itertools.cycle(tokens)
    repeated = {"GetSamplingRules": lambda: {"SamplingRuleRecords": RULES, "NextToken": next(cycle)}}
    [finding] = diagnosed(monkeypatch, Cloud(repeated))
    assert finding.what == "xray:GetSamplingRules failed: the same page comes again"


@pytest.mark.parametrize(
    ("changes", "denied", "status", "line"),
    [
        ({}, [], 0, "No findings."),
        ({}, ["GetSamplingRules"], 4, "Not everything was checked: AWS refused 1 call."),
        ({}, ["GetSamplingRules", "GetPolicy"], 4, "Not everything was checked: AWS refused 2 calls."),
        ({"GetPolicy": ("Throttling", "no")}, [], 4, "Not everything was checked: AWS refused 1 call."),
        (with_function(MemorySize=128), ["GetSamplingRules"], 4, "Not everything was checked: AWS refused 1 call."),
        ({}, list(ANSWERS), 1, "lambda-latency: AWS refused every call in eu-west-1, so nothing was checked: "),
        ({"ListFunctions": CLOCK}, [], 1, "lambda-latency: AWS rejects these credentials: Signature expired"),
    ],
)
def test_a_refused_call_is_no_finding_of_nothing(
    changes: dict[str, Any],
    denied: list[str],
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The status and the first line say so."""
    monkeypatch.setattr(lambda_latency.doctor.account_rules, "Clients", lambda _: Cloud(changes, denied))
    assert main(["doctor", "--account"]) == status
    printed = capsys.readouterr()
    assert (printed.out or printed.err).startswith(line)


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
    calls = {"apigateway:GET" if call.startswith("apigateway") else call for call in cloud.asked}
    calls = {":".join((service, ACTION_OF.get(name, name))) for service, name in (c.split(":") for c in calls)}
    assert main(["policy", "doctor"]) == 0
    (statement,) = json.loads(capsys.readouterr().out)["Statement"]
    assert sorted(calls) == statement["Action"]


def test_every_rule_of_an_account_is_planted() -> None:
    """In the tests above."""
    rules = {rule for _, expected in DIFFERENCES.values() for rule, _, _ in expected}
    rules |= {"account-rights", "account-differs", "account-packages"}
    assert {rule.name for rule in ACCOUNT_RULES} <= rules


# ---- What a role has to allow, by the way that spans go to X-Ray ----

ALL = ("PutTraceSegments", "PutTelemetryRecords", "PutSpans", "PutSpansForIndexing")


@pytest.mark.parametrize("missing", ALL)
def test_each_action_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    """By the rule of its kind."""
    actions = ", ".join(f"xray:{action}" for action in ALL if action != missing)
    statement = f"{{ Effect: Allow, Action: [{actions}] }}"
    inline = f"ManagedPolicyArns: []\n      Policies: [{{ PolicyDocument: {{ Statement: {statement} }} }}]"
    changes = {**OTLP, f"ManagedPolicyArns:\n        - {POLICY}": inline}
    (finding,) = diagnose(write(cfn(changes), tmp_path), Deployment(region="us-east-1"))
    rule = "role-without-spans" if "Spans" in missing else "role-without-xray"
    assert (finding.rule, finding.what.rpartition(" ")[2]) == (rule, f"xray:{missing}")


@pytest.mark.parametrize(
    ("statement", "rules"),
    [
        ({"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]}, ["role-without-spans"]),
        ({"Effect": "Allow", "Action": [f"xray:{action}" for action in ALL]}, []),
        ({"Effect": "Allow", "Action": "xray:PutSpan*"}, ["role-without-xray"]),
    ],
)
def test_deployed_roles_are_read_with_their_documents(
    monkeypatch: pytest.MonkeyPatch, statement: dict[str, object], rules: list[str]
) -> None:
    """With and without PutSpans; Transaction Search is on."""
    environment: Any = deepcopy(FUNCTION["Environment"])
    environment["Variables"]["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "https://xray.eu-west-1.amazonaws.com/v1/traces"
    changes = {
        "GetFunctionConfiguration": {**FUNCTION, "Environment": environment},
        "GetPolicyVersion": {"PolicyVersion": {"Document": {"Statement": [statement]}}},
        "GetTraceSegmentDestination": {"Destination": "CloudWatchLogs"},
    }
    role_rules = [rule for rule, _, _ in found(monkeypatch, Cloud({**ANSWERS, **changes})) if rule.startswith("role")]
    assert role_rules == rules
