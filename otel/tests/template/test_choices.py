"""The page about other kinds of alarms: its resources in observability.yaml, and its prices."""

from __future__ import annotations

from decimal import Decimal

import cfnlint.api
import pytest
from cfnlint.config import ManualArgs
from samcli.yamlhelper import yaml_parse

from lambda_latency.prices import read_prices
from tests.docs.pages import page
from tests.template.deployed import ROOT, deploy

CHOICES = page("how-to/choose-alarms.md")
SNIPPETS = CHOICES.blocks("yaml")


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["composite", "anomaly"])
def test_a_resource_of_the_page_fits_into_observability(snippet: str) -> None:
    """As cfn-lint has it, with the conditions, parameters and alarms that are there; named as the others are."""
    written = (ROOT / "observability.yaml").read_text(encoding="utf-8")
    with_it = written.replace("\nResources:\n", f"\nResources:\n{snippet}")
    found = cfnlint.api.lint(with_it, config=ManualArgs(regions=["us-east-1"]))
    ((name, resource),) = yaml_parse(snippet).items()

    assert [(str(one.rule.id), one.message) for one in found] == []
    assert resource["Properties"]["AlarmName"] == {"Fn::Sub": f"${{App}}.{name}"}


def test_the_prices_are_those_of_the_list() -> None:
    """A metric's, the example's, the three of anomaly detection. The list has no price of a composite alarm."""
    metric = read_prices().alarm_metric
    alarms = deploy().of_type("AWS::CloudWatch::Alarm").values()
    metrics = sum(len(alarm["Metrics"]) - 1 for alarm in alarms)
    threshold, composite, anomaly = (row[2] for row in CHOICES.table("kind | rings if | price | choose it for"))

    assert threshold == f"${metric:.2f} per metric: ${metrics * metric:.2f} for the {metrics} of the example"
    assert composite.startswith(f"${Decimal('0.50')}, ")
    assert anomaly.startswith(f"${3 * metric:.2f} per metric, ")
    assert f"the first {read_prices().free_alarm_metrics} metrics" in CHOICES.text
