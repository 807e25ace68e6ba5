"""Applies all rules to a template and its nested templates, without findings ignored by a comment or a setting."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from lambda_latency.doctor.account_rules import ACCOUNT_RULES
from lambda_latency.doctor.app import App, Deployment, read_app, template_in
from lambda_latency.doctor.finding import Finding, Issue, Rule
from lambda_latency.doctor.rules import RULES
from lambda_latency.doctor.rules.template import unreadable
from lambda_latency.doctor.traces import TRACE_RULES
from lambda_latency.template import Diagnostic

ALL_RULES: tuple[Rule, ...] = (*RULES, *ACCOUNT_RULES, *TRACE_RULES)  # of templates, of accounts, of traces

# `# lambda-latency: ignore layer-old` in the line of a finding, or in the line above.
IGNORE = re.compile(r"lambda-latency:\s*ignore\s+(?P<rules>[a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)")
NESTED_DEPTH = 10
NOTHING_TRACED = "nothing-traced"
OF_THE_WHOLE = ("no-function", NOTHING_TRACED)  # usual in a nested template, such as one of alarms


def diagnose(path: Path, where: Deployment, ignored: Collection[str] = ()) -> tuple[Finding, ...]:
    """The findings about a template (a file, or a folder with one), sorted by file and line.

    `ignored` are names of rules. An unreadable file is a finding, not an error.
    """
    findings: set[Finding] = set()
    untraced: list[Finding] = []
    is_traced = False
    for app, depth in _apps(template_in(path), where):
        if isinstance(app, Diagnostic):
            findings.add(unreadable.finding(app.source, Issue(app.problem, app.todo, app.line)))
        else:
            shown, lacking = _by_rules(app, is_nested=depth > 0)
            findings.update(shown)
            untraced += lacking
            is_traced |= not lacking and any(fn.is_python for fn in app.functions)
    if untraced and not is_traced and findings.isdisjoint(untraced):
        findings.add(min(untraced))  # one is enough: all functions are in nested templates
    return tuple(sorted(_not_ignored(findings, ignored)))


def _by_rules(app: App, *, is_nested: bool) -> tuple[list[Finding], list[Finding]]:
    """Returns the findings about a template to show, and those of the rule nothing-traced, which a nested one hides."""
    findings = [rule.finding(app.name, issue) for rule in RULES for issue in rule.check(app)]
    shown = [finding for finding in findings if not (is_nested and finding.rule in OF_THE_WHOLE)]
    return shown, [finding for finding in findings if finding.rule == NOTHING_TRACED]


def _apps(template: Path, where: Deployment) -> Iterator[tuple[App | Diagnostic, int]]:
    """The app of a template and those of its nested templates, each once, with their depths."""
    read: set[Path] = set()
    waiting = [(template, 0, where)]
    while waiting:
        path, depth, deployment = waiting.pop()
        if path.resolve() in read or depth > NESTED_DEPTH:
            continue
        read.add(path.resolve())
        app = read_app(path, deployment)
        yield app, depth
        for nested, passed in app.nested() if isinstance(app, App) else ():
            waiting.append((nested, depth + 1, Deployment(passed, where.region, where.ask)))


def rule_of(name: str) -> Rule | None:
    """The rule of a name, or None."""
    return next((rule for rule in ALL_RULES if rule.name == name), None)


def _not_ignored(findings: Collection[Finding], ignored: Collection[str]) -> Iterator[Finding]:
    lines = {path: _lines_of(path) for path in {finding.path for finding in findings}}
    return (finding for finding in findings if not _is_ignored(finding, ignored, lines[finding.path]))


def _is_ignored(finding: Finding, ignored: Collection[str], file_lines: Sequence[str]) -> bool:
    """Whether a rule is ignored everywhere, or by a comment in the line of its finding or in the line above."""
    lines = file_lines[max(0, finding.line - 2) : finding.line]
    above = [line for line in lines[:-1] if line.lstrip().startswith(("#", "//"))]
    matches = [IGNORE.search(line) for line in (*above, *lines[-1:])]
    names = ",".join(match["rules"] for match in matches if match is not None)
    return finding.rule in (*ignored, *(name.strip() for name in names.split(",")))


def _lines_of(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
