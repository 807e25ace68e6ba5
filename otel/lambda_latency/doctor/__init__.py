"""Findings about an app before it is deployed: its template, layers, variables, packages and sources."""

from lambda_latency.doctor.account_rules import ACCOUNT_RULES, diagnose_account
from lambda_latency.doctor.app import Deployment, read_app, template_in
from lambda_latency.doctor.deployed import Online, account_policy
from lambda_latency.doctor.diagnosis import ALL_RULES, diagnose, rule_of
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Rule
from lambda_latency.doctor.output import as_json, as_sarif, as_text, explained
from lambda_latency.doctor.rules import RULES
from lambda_latency.doctor.traces import TRACE_RULES, diagnose_traces

__all__ = [
    "ACCOUNT_RULES",
    "ALL_RULES",
    "ERROR",
    "NOTE",
    "RULES",
    "TRACE_RULES",
    "WARNING",
    "Deployment",
    "Finding",
    "Online",
    "Rule",
    "account_policy",
    "as_json",
    "as_sarif",
    "as_text",
    "diagnose",
    "diagnose_account",
    "diagnose_traces",
    "explained",
    "read_app",
    "rule_of",
    "template_in",
]
