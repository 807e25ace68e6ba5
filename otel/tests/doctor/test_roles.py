"""What a role has to allow, by the way that spans go to X-Ray: the template itself, and each action missing in turn."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.doctor import Where, diagnose
from tests.doctor.apps import Planted, write
from tests.doctor.cloud import ANSWERS, FUNCTION, Cloud
from tests.doctor.plants import COLLECTOR_US, POLICY
from tests.doctor.test_account import found
from tests.template.variants import EXPORTS, INSTRUMENTATIONS, write_variant

OTLP = {
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces": "LAMBDA_LATENCY_EXPORT: otlp",
    "          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml\n": "",
    f"        - {COLLECTOR_US}\n": "",
}
ALL = ("PutTraceSegments", "PutTelemetryRecords", "PutSpans", "PutSpansForIndexing")


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("instrumentation", INSTRUMENTATIONS)
def test_the_template_has_no_finding(tmp_path: Path, export: str, instrumentation: str) -> None:
    """Whichever variant is chosen."""
    assert diagnose(write_variant(tmp_path, export, instrumentation), Where(region="us-east-1")) == ()


@pytest.mark.parametrize("missing", ALL)
def test_each_action_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    """By the rule of its kind."""
    actions = ", ".join(f"xray:{one}" for one in ALL if one != missing)
    statement = f"{{ Effect: Allow, Action: [{actions}] }}"
    inline = f"ManagedPolicyArns: []\n      Policies: [{{ PolicyDocument: {{ Statement: {statement} }} }}]"
    changes = {**OTLP, f"ManagedPolicyArns:\n        - {POLICY}": inline}
    told = diagnose(write(Planted("CloudFormation", changes), tmp_path), Where(region="us-east-1"))
    rule = "role-without-spans" if "Spans" in missing else "role-without-xray"
    (one,) = told
    assert (one.rule, one.what.rpartition(" ")[2]) == (rule, f"xray:{missing}")


@pytest.mark.parametrize(
    ("statement", "rules"),
    [
        ({"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]}, ["role-without-spans"]),
        ({"Effect": "Allow", "Action": [f"xray:{one}" for one in ALL]}, []),
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
    told = [rule for rule, _, _ in found(monkeypatch, Cloud({**ANSWERS, **changes})) if rule.startswith("role")]
    assert told == rules
