"""Findings as terminal text, as JSON and as SARIF 2.1.0, which GitHub shows beside the lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import PurePath
from typing import Any

from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Rule

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MEMBERS = ("rule", "severity", "path", "line", "what", "effect", "todo", "page")  # of a finding in JSON


def as_text(findings: Sequence[Finding]) -> str:
    """Four lines per finding, then the count by severity."""
    lines = []
    for finding in findings:
        end = "" if finding.todo.endswith("?") else "."
        lines += [
            f"{finding.path}:{finding.line}: {finding.severity}: {finding.what} [{finding.rule}]",
            f"  {finding.effect}",
            f"  Do: {finding.todo}{end}",
            "",
        ]
    return "\n".join([*lines, _count(findings), ""])


def _count(findings: Sequence[Finding]) -> str:
    if not findings:
        return "No findings."
    numbers = Counter(finding.severity for finding in findings)
    counts = [(numbers[severity], severity) for severity in (ERROR, WARNING, NOTE)]
    parts = [f"{number} {severity}{'' if number == 1 else 's'}" for number, severity in counts if number]
    return f"{', '.join(parts)}. lambda-latency doctor --explain RULE explains a rule."


def as_json(findings: Sequence[Finding]) -> str:
    """A JSON document with one object per finding."""
    listed = [{name: getattr(finding, name) for name in MEMBERS} for finding in findings]
    return json.dumps({"schema": 1, "findings": listed}, indent=2)


def as_sarif(findings: Sequence[Finding], rules: Collection[Rule], version: str) -> str:
    """A SARIF log with one run, for GitHub code scanning; paths are as given."""
    names = {finding.rule for finding in findings}
    used = [rule for rule in rules if rule.name in names]
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
    results = []
    for finding in findings:
        place = {
            "artifactLocation": {"uri": PurePath(finding.path).as_posix()},
            "region": {"startLine": finding.line},
        }
        text = f"{finding.what}. {finding.effect} Do: {finding.todo}."
        results.append(
            {
                "ruleId": finding.rule,
                "level": finding.severity,
                "message": {"text": text},
                "locations": [{"physicalLocation": place}],
            }
        )
    driver = {"name": "lambda-latency doctor", "version": version, "rules": described}
    log = {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2)


def explained(rule: Rule) -> str:
    """The output of `--explain`: the rule's text and page."""
    return f"{rule.name} ({rule.severity})\n\n{rule.effect} {rule.why}\n\nPage: {rule.page}\n"
