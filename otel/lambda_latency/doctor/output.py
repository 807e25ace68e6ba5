"""Findings as terminal text, as JSON and as SARIF 2.1.0, which GitHub shows beside the lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import PurePath
from typing import Any

from lambda_latency.doctor.finding import ERROR, NOTE, PAGE, WARNING, Finding, Rule

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_text(findings: Sequence[Finding]) -> str:
    """Four lines per finding, then the count by severity."""
    lines = []
    for one in findings:
        lines += [
            f"{one.path}:{one.line}: {one.severity}: {one.what} [{one.rule}]",
            f"  {one.effect}",
            f"  Do: {one.todo}" + "." * (not one.todo.endswith("?")),
            "",
        ]
    return "\n".join([*lines, _count(findings), ""])


def _count(findings: Sequence[Finding]) -> str:
    number = Counter(one.severity for one in findings)
    if not findings:
        return "No findings."
    told = [f"{number[one]} {one}{'' if number[one] == 1 else 's'}" for one in (ERROR, WARNING, NOTE) if number[one]]
    return f"{', '.join(told)}. lambda-latency doctor --explain RULE explains a rule."


def as_json(findings: Sequence[Finding]) -> str:
    """A JSON document with one object per finding."""
    listed = [
        {
            "rule": one.rule,
            "severity": one.severity,
            "path": one.path,
            "line": one.line,
            "what": one.what,
            "effect": one.effect,
            "todo": one.todo,
            "page": one.page,
        }
        for one in findings
    ]
    return json.dumps({"schema": 1, "findings": listed}, indent=2)


def as_sarif(findings: Sequence[Finding], rules: Collection[Rule[Any]], version: str) -> str:
    """A SARIF log with one run, for GitHub code scanning; paths are as given."""
    used = [rule for rule in rules if any(one.rule == rule.name for one in findings)]
    described: list[dict[str, Any]] = [
        {
            "id": rule.name,
            "shortDescription": {"text": rule.effect},
            "fullDescription": {"text": rule.why},
            "help": {"text": f"{rule.why} ({rule.page})"},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in used
    ]
    results = [
        {
            "ruleId": one.rule,
            "level": one.severity,
            "message": {"text": f"{one.what}. {one.effect} Do: {one.todo}."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": PurePath(one.path).as_posix()},
                        "region": {"startLine": one.line},
                    }
                }
            ],
        }
        for one in findings
    ]
    driver = {"name": "lambda-latency doctor", "version": version, "rules": described}
    log = {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2)


def explained(rule: Rule[Any]) -> str:
    """The output of `--explain`: the rule's text and page."""
    return f"{rule.name} ({rule.severity})\n\n{rule.effect} {rule.why}\n\nPage: {PAGE}#{rule.name}\n"
