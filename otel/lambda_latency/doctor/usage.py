"""Reads an account's month: invocations, sampling rules and trace destination, by read-only calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from statistics import fmean
from typing import Any

from lambda_latency.doctor.app import App
from lambda_latency.doctor.deployed import Asker, Deployed
from lambda_latency.fetch import Clients, FetchError, Place, refusal

USAGE_ACTIONS = (
    "cloudformation:DescribeStackResources",
    "cloudwatch:GetMetricStatistics",
    "xray:GetIndexingRules",
    "xray:GetSamplingRules",
    "xray:GetTraceSegmentDestination",
)
DAYS = 30
EVERY = ("*", "")


@dataclass(slots=True)
class OwnUsage:
    """The last 30 days. `rule`: the sampling rule whose rate and reservoir are used; `others`: the other rules.

    `refused`: the actions of failed calls, whose values the options must supply.
    """

    region: str
    requests: Decimal | None = None
    rate: Decimal | None = None
    reservoir: Decimal | None = None
    rule: str = ""
    others: list[str] = field(default_factory=list)
    transaction_search: bool = False
    indexed_percent: Decimal | None = None
    refused: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """The source of the numbers, as text."""
        lines = [f"Account: {self.region}, the {DAYS} days until today."]
        if self.requests is not None:
            lines.append(f"Invocations: {self.requests:,.0f}.")
        if self.rule:
            others = f" Other rules, not used: {', '.join(self.others)}." if self.others else ""
            lines.append(f"Sampling rule: {self.rule}.{others}")
        lines += [f"Not read: {one} is not allowed (--print-policy)." for one in self.refused]
        return "\n".join(lines)


def sizes_of(app: App) -> tuple[Decimal | None, str]:
    """The mean memory in MB and the most frequent processor of a template's functions; None and empty if unknown."""
    memories = [memory for fn in app.functions if (memory := fn.number("MemorySize", default=128)) is not None]
    processors = Counter(fn.processor for fn in app.functions if fn.processor)
    processor = processors.most_common(1)[0][0] if processors else ""
    return Decimal(round(fmean(memories))) if memories else None, processor


def usage_policy() -> str:
    """The least-privilege IAM policy of `own_usage`, as JSON."""
    statement = {"Sid": "ReadOwnUsage", "Effect": "Allow", "Action": list(USAGE_ACTIONS), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def own_usage(place: Place, stack: str = "", rule: str = "") -> OwnUsage:
    """The month of an account, or of a stack's functions. `rule` names the sampling rule. Raises FetchError."""
    try:
        clients = Clients(place)
        return read_usage(clients.make, clients.region, datetime.now(timezone.utc), stack, rule)
    except Exception as error:
        raise refusal(error, place) or error from error


def read_usage(make: Callable[[str], Any], region: str, now: datetime, stack: str = "", rule: str = "") -> OwnUsage:
    """As `own_usage`, for the 30 days until `now`; `make` returns boto3's client of a service."""
    asked = Deployed(region)
    ask = Asker(make, asked)
    found = OwnUsage(region)
    names = [name for name, _ in ask.names(stack)] if stack else [""]
    if stack and not names and not any(one.is_denied for one in asked.refused.values()):
        raise FetchError(f"there is no function in a stack {stack!r} in {region}", "name another with --stack")
    sums = [_invocations(ask, name, now) for name in names]
    if sums and None not in sums:
        found.requests = sum((one for one in sums if one is not None), Decimal(0))
    _take_rule(
        found, [one["SamplingRule"] for one in ask.pages("xray", "GetSamplingRules", "SamplingRuleRecords")], rule
    )
    destination = ask("xray", "GetTraceSegmentDestination") or {}
    found.transaction_search = destination.get("Destination") == "CloudWatchLogs"
    for one in (ask("xray", "GetIndexingRules") or {}).get("IndexingRules", ()) if found.transaction_search else ():
        percent = one.get("Rule", {}).get("Probabilistic", {}).get("DesiredSamplingPercentage")
        found.indexed_percent = found.indexed_percent if percent is None else Decimal(str(percent))
    found.refused = sorted(asked.refused)
    return found


def _invocations(ask: Asker, function: str, now: datetime) -> Decimal | None:
    """The invocations of a function, or of all, over 30 days; None if the call failed."""
    dimensions = [{"Name": "FunctionName", "Value": function}] if function else []
    told = ask("cloudwatch", "GetMetricStatistics", Namespace="AWS/Lambda", MetricName="Invocations",
               Dimensions=dimensions, StartTime=now - timedelta(days=DAYS), EndTime=now, Period=86_400,
               Statistics=["Sum"])  # fmt: skip
    if told is None:
        return None
    return sum((Decimal(str(one["Sum"])) for one in told["Datapoints"]), Decimal(0))


def _take_rule(found: OwnUsage, rules: list[Mapping[str, Any]], name: str) -> None:
    """Uses the named rule, else the first rule for every service (at the latest the default rule)."""
    ordered = sorted(rules, key=lambda one: int(one["Priority"]))
    if name:
        chosen = next((one for one in ordered if one["RuleName"] == name), None)
        if chosen is None:
            known = ", ".join(str(one["RuleName"]) for one in ordered) or "none"
            raise FetchError(f"there is no sampling rule {name!r} in {found.region}", f"the rules are {known}")
    else:
        chosen = next((one for one in ordered if _is_for_all(one)), None)
    if chosen is None:
        return
    found.rate, found.reservoir = Decimal(str(chosen["FixedRate"])), Decimal(str(chosen["ReservoirSize"]))
    found.rule = _shown(chosen)
    found.others = [_shown(one) for one in ordered if one is not chosen]


def _is_for_all(rule: Mapping[str, Any]) -> bool:
    keys = ("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN")
    return all(rule.get(key, "*") in EVERY for key in keys) and not rule.get("Attributes")


def _shown(rule: Mapping[str, Any]) -> str:
    rate = (Decimal(str(rule["FixedRate"])) * 100).normalize()
    return f"{rule['RuleName']} ({rule['ReservoirSize']} a second, {rate:f} %)"
