"""Findings about an app before it is deployed: its template, layers, variables, packages and sources."""

from lambda_latency.doctor.account import ACCOUNT_RULES, diagnose_account
from lambda_latency.doctor.app import Where, read_app, template_in
from lambda_latency.doctor.billing import bills_as_json, bills_as_text
from lambda_latency.doctor.contents import ONLINE_POLICY, Online
from lambda_latency.doctor.cost import ADDED, MONTH_S, Bill, Usage, bill, dollars, over_rates
from lambda_latency.doctor.deployed import account_policy
from lambda_latency.doctor.diagnosis import ALL_RULES, diagnose, rule_of
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Rule
from lambda_latency.doctor.output import as_json, as_sarif, as_text, explained
from lambda_latency.doctor.rules import RULES
from lambda_latency.doctor.traces import TRACE_RULES, diagnose_traces
from lambda_latency.doctor.usage import OwnUsage, own_usage, sizes_of, usage_policy

__all__ = [
    "ACCOUNT_RULES",
    "ADDED",
    "ALL_RULES",
    "ERROR",
    "MONTH_S",
    "NOTE",
    "ONLINE_POLICY",
    "RULES",
    "TRACE_RULES",
    "WARNING",
    "Bill",
    "Finding",
    "Online",
    "OwnUsage",
    "Rule",
    "Usage",
    "Where",
    "account_policy",
    "as_json",
    "as_sarif",
    "as_text",
    "bill",
    "bills_as_json",
    "bills_as_text",
    "diagnose",
    "diagnose_account",
    "diagnose_traces",
    "dollars",
    "explained",
    "over_rates",
    "own_usage",
    "read_app",
    "rule_of",
    "sizes_of",
    "template_in",
    "usage_policy",
]
