"""A bill by an account's own numbers: what is asked, what is taken, what options beat."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

import lambda_latency.doctor.usage
from lambda_latency.cli import main
from lambda_latency.doctor.usage import USAGE_ACTIONS, read_usage
from lambda_latency.fetch import FetchError
from tests.doctor.cloud import ANSWERS, Cloud

NOW = datetime(2026, 11, 27, tzinfo=timezone.utc)
METRICS = {"GetMetricStatistics": {"Datapoints": [{"Sum": 400_000.0}, {"Sum": 600_000.0}]}}
SEARCH: dict[str, Any] = {
    **METRICS,
    "GetTraceSegmentDestination": {"Destination": "CloudWatchLogs"},
    "GetIndexingRules": {"IndexingRules": [{"Rule": {"Probabilistic": {"DesiredSamplingPercentage": 5.0}}}]},
}


def test_the_account_has_its_month() -> None:
    """Invocations of all functions, and the rule that is for every service."""
    found = read_usage(Cloud(METRICS).make, "eu-west-1", NOW)
    assert (found.requests, found.rate, found.reservoir, found.transaction_search, found.refused) == (
        Decimal(1_000_000), Decimal("0.05"), Decimal(1), False, [],
    )  # fmt: skip
    assert found.said.splitlines() == [
        "Account: eu-west-1, the 30 days until today.",
        "Invocations: 1,000,000.",
        "Sampling rule: Default (1 a second, 5 %). Other rules, not used: shop (5 a second, 10 %).",
    ]


def test_a_rule_by_name_and_transaction_search() -> None:
    """With the share that is indexed."""
    found = read_usage(Cloud(SEARCH).make, "eu-west-1", NOW, rule="shop")
    assert (found.rate, found.reservoir, found.transaction_search, found.indexed_percent) == (
        Decimal("0.1"), Decimal(5), True, Decimal("5.0"),
    )  # fmt: skip
    with pytest.raises(FetchError, match="there is no sampling rule 'other' in eu-west-1"):
        read_usage(Cloud(METRICS).make, "eu-west-1", NOW, rule="other")


def test_the_functions_of_a_stack() -> None:
    """Each is asked for by its name."""
    two = [*ANSWERS["DescribeStackResources"]["StackResources"]] * 2
    cloud = Cloud({**METRICS, "DescribeStackResources": {"StackResources": two}})
    assert read_usage(cloud.make, "eu-west-1", NOW, "shop").requests == Decimal(2_000_000)
    assert cloud.asked.count("cloudwatch:GetMetricStatistics") == 2
    with pytest.raises(FetchError, match="there is no function in a stack 'shop'"):
        read_usage(Cloud({"DescribeStackResources": {"StackResources": []}}).make, "eu-west-1", NOW, "shop")


def test_what_is_asked_is_what_the_policy_allows() -> None:
    """And nothing else; nothing is written."""
    cloud = Cloud(SEARCH)
    read_usage(cloud.make, "eu-west-1", NOW, "shop")
    assert sorted(set(cloud.asked)) == list(USAGE_ACTIONS)
    assert all(re.fullmatch(r"\w+:(Get|Describe)\w+", one) for one in USAGE_ACTIONS)


@pytest.mark.parametrize("denied", ["GetMetricStatistics", "GetSamplingRules", "GetTraceSegmentDestination"])
def test_what_may_not_be_asked_is_said(denied: str) -> None:
    """The rest is taken."""
    found = read_usage(Cloud(METRICS, denied=[denied]).make, "eu-west-1", NOW)
    (refused,) = found.refused
    assert (refused.rpartition(":")[2], f"Not read: {refused} is not allowed" in found.said) == (denied, True)
    assert (found.requests is None, found.rate is None) == (
        denied == "GetMetricStatistics",
        denied == "GetSamplingRules",
    )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that the command asks."""
    monkeypatch.setattr(lambda_latency.doctor.usage, "Clients", lambda _: Cloud(SEARCH))


@pytest.mark.usefixtures("account")
def test_the_command_takes_the_accounts_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Options beat them; the region is the account's."""
    assert main(["cost", "--account", "--rate", "20%", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: told["usage"][name] for name in ("requests", "rate", "reservoir", "indexed_percent")} == {
        "requests": 1_000_000.0, "rate": 0.2, "reservoir": 1.0, "indexed_percent": 5.0,
    }  # fmt: skip
    assert (told["usage"]["transaction_search"], told["region"]) == (True, "eu-west-1")
    assert main(["cost", "--stack", "shop"]) == 0
    assert capsys.readouterr().out.endswith(
        "Sampling rule: Default (1 a second, 5 %). Other rules, not used: shop (5 a second, 10 %).\n"
    )


def test_the_least_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """As IAM takes it."""
    assert main(["cost", "--print-policy"]) == 0
    (statement,) = json.loads(capsys.readouterr().out)["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", list(USAGE_ACTIONS))
