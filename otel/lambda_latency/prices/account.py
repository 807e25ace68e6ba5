"""Reads an account's last 30 days by read-only calls: invocations, the sampling rule, Transaction Search."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from lambda_latency.prices.month import Usage, percent

DAYS = 30
# The values of `Usage` that a call reads.
READ_BY = {
    "cloudwatch:GetMetricStatistics": ("requests",),
    "xray:GetIndexingRules": ("indexed_percent",),
    "xray:GetSamplingRules": ("rate", "reservoir"),
    "xray:GetTraceSegmentDestination": ("transaction_search",),
}
ACTIONS = tuple(READ_BY)
MATCHING_KEYS = ("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN")


@dataclass(slots=True)
class AccountUsage:
    """The values of `Usage` that were read, by name; `lines` say where they are from.

    `refused`: the error code of each call that AWS refused, by its IAM action. `is_final` tells errors after which no
    other call is made.
    """

    region: str
    usage: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    is_final: Callable[[Any], bool] = lambda _: False

    def unread(self) -> list[str]:
        """The names of the values that a refused call left unread."""
        return [name for action, names in READ_BY.items() if action in self.refused for name in names]

    def refusals_text(self, assumed: Collection[str], usage: Usage) -> str:
        """Says which calls were refused, and which values of `usage` are `assumed`."""
        words = {
            "requests": f"{usage.requests:,.0f} requests a month",
            "rate": f"a sampling rate of {percent(usage.rate)}",
            "reservoir": f"a reservoir of {usage.reservoir:f} a second",
            "transaction_search": "no Transaction Search",
            "indexed_percent": f"{usage.indexed_percent:f} % of the spans indexed",
        }
        calls = ", ".join(f"{action} ({code})" for action, code in sorted(self.refused.items()))
        text = f"Not read from the account in {self.region}, because AWS refused: {calls}."
        text += " `lambda-latency policy cost` prints the permissions."
        if assumed:
            text += f"\nAssumed, not the account's: {', '.join(words[name] for name in assumed)}."
        return text


def account_usage_policy() -> str:
    """The least-privilege IAM policy of `read_account`, as JSON."""
    statement = {"Sid": "ReadOwnUsage", "Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def read_account(
    make: Callable[[str], Any], region: str, end: datetime, is_final: Callable[[Any], bool] = lambda _: False
) -> AccountUsage:
    """Reads the 30 days until `end`; `make` returns boto3's client of a service.

    A refused call is recorded, and the others are made. Raises boto3's errors of credentials and network, and its
    ClientError if that `is_final`.
    """
    account = AccountUsage(region, is_final=is_final)
    points = _called(account, make, "cloudwatch:GetMetricStatistics", Namespace="AWS/Lambda", MetricName="Invocations",
                     StartTime=end - timedelta(days=DAYS), EndTime=end, Period=86_400, Statistics=["Sum"])  # fmt: skip
    if points is not None:
        requests = sum((Decimal(str(point["Sum"])) for point in points["Datapoints"]), Decimal(0))
        account.usage["requests"] = requests
        account.lines.append(f"Account: {region}, the {DAYS} days until today.\nInvocations: {requests:,.0f}.")
    _read_sampling(account, make)
    destination = _called(account, make, "xray:GetTraceSegmentDestination")
    if destination is not None:
        account.usage["transaction_search"] = destination.get("Destination") == "CloudWatchLogs"
    if account.usage.get("transaction_search"):
        for rule in (_called(account, make, "xray:GetIndexingRules") or {}).get("IndexingRules", ()):
            share = rule.get("Rule", {}).get("Probabilistic", {}).get("DesiredSamplingPercentage")
            if share is not None:
                account.usage["indexed_percent"] = Decimal(str(share))
    return account


def _called(
    account: AccountUsage, make: Callable[[str], Any], action: str, **arguments: Any
) -> Mapping[str, Any] | None:
    """AWS's answer to a call, by the name of its IAM action; None if it was refused."""
    from botocore.exceptions import ClientError

    service, operation = action.split(":")
    client = make(service)
    method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
    try:
        answer: Mapping[str, Any] = getattr(client, method)(**arguments)
    except ClientError as error:
        if account.is_final(error):
            raise
        account.refused[action] = str(error.response.get("Error", {}).get("Code", "unknown"))
        return None
    return answer


def _read_sampling(account: AccountUsage, make: Callable[[str], Any]) -> None:
    """Reads rate and reservoir of the first rule for every service, at the latest the default rule."""
    rules: list[Mapping[str, Any]] = []
    tokens: list[str] = []
    while True:
        more = {"NextToken": tokens[-1]} if tokens else {}
        answer = _called(account, make, "xray:GetSamplingRules", **more)
        if answer is None:
            return
        rules += [record["SamplingRule"] for record in answer["SamplingRuleRecords"]]
        if not answer.get("NextToken"):
            break
        if answer["NextToken"] in tokens:
            account.refused["xray:GetSamplingRules"] = "the same page comes again"
            return
        tokens.append(answer["NextToken"])
    rules.sort(key=lambda rule: int(rule["Priority"]))
    chosen = next((rule for rule in rules if _is_for_all(rule)), None)
    if chosen is None:
        return
    account.usage["rate"] = Decimal(str(chosen["FixedRate"]))
    account.usage["reservoir"] = Decimal(str(chosen["ReservoirSize"]))
    unused = ", ".join(_shown(rule) for rule in rules if rule is not chosen)
    account.lines.append(f"Sampling rule: {_shown(chosen)}.{f' Other rules, not used: {unused}.' if unused else ''}")


def _is_for_all(rule: Mapping[str, Any]) -> bool:
    return all(rule.get(key, "*") in ("*", "") for key in MATCHING_KEYS) and not rule.get("Attributes")


def _shown(rule: Mapping[str, Any]) -> str:
    return f"{rule['RuleName']} ({rule['ReservoirSize']} a second, {percent(Decimal(str(rule['FixedRate'])))})"
