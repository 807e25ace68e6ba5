"""Applies all rules to a template and its nested templates, without findings ignored by a comment or a setting."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from lambda_latency.doctor.account import ACCOUNT_RULES
from lambda_latency.doctor.app import App, Where, read_app, template_in
from lambda_latency.doctor.finding import Finding, Rule
from lambda_latency.doctor.rules import RULES, unreadable
from lambda_latency.doctor.traces import TRACE_RULES
from lambda_latency.template import Finding as Unread

ALL_RULES: tuple[Rule[Any], ...] = (*RULES, *ACCOUNT_RULES, *TRACE_RULES)  # of templates, of accounts, of traces

# `# lambda-latency: ignore layer-old` in the line of a finding, or in the line above.
IGNORE = re.compile(r"lambda-latency:\s*ignore\s+(?P<rules>[a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)")
NESTED_DEPTH = 10
NOTHING_TRACED = "nothing-traced"
OF_THE_WHOLE = ("no-function", NOTHING_TRACED)  # usual in a nested template, such as one of alarms


def diagnose(path: Path, where: Where, ignored: Collection[str] = ()) -> tuple[Finding, ...]:
    """The findings about a template (a file, or a folder with one), sorted by file and line.

    `ignored` are names of rules. An unreadable file is a finding, not an error.
    """
    found: set[Finding] = set()
    untraced: list[Finding] = []
    is_traced = False
    seen: set[Path] = set()
    waiting = [(template_in(path), 0, where)]
    while waiting:
        template, depth, given = waiting.pop()
        if template.resolve() in seen or depth > NESTED_DEPTH:
            continue
        seen.add(template.resolve())
        app = read_app(template, given)
        if isinstance(app, Unread):
            found.add(unreadable.finding(app.source, app.line, app.what, app.todo))
            continue
        own = [*_of(app)]
        lacking = [one for one in own if one.rule == NOTHING_TRACED]
        untraced += lacking
        is_traced = is_traced or (not lacking and any(fn.is_python for fn in app.functions))
        found.update(one for one in own if not (depth and one.rule in OF_THE_WHOLE))
        waiting += [(nested, depth + 1, Where(passed, where.region, where.ask)) for nested, passed in app.nested()]
    if untraced and not is_traced and found.isdisjoint(untraced):
        found.add(min(untraced))  # one is enough: all functions are in nested templates
    comments = _Comments()
    kept = (one for one in found if one.rule not in ignored and not comments.ignore(one))
    return tuple(sorted(kept))


def rule_of(name: str) -> Rule[Any] | None:
    """The rule of a name, or None."""
    return next((rule for rule in ALL_RULES if rule.name == name), None)


def _of(app: App) -> Iterable[Finding]:
    for rule in RULES:
        for found in rule.check(app):
            yield rule.finding(*found)


class _Comments:
    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def ignore(self, finding: Finding) -> bool:
        """Whether a comment in the line or the line above names the rule."""
        if finding.path not in self._lines:
            try:
                self._lines[finding.path] = Path(finding.path).read_text("utf-8", "replace").splitlines()
            except OSError:
                self._lines[finding.path] = []
        lines = self._lines[finding.path][max(0, finding.line - 2) : finding.line]
        above = [line for line in lines[:-1] if line.lstrip().startswith(("#", "//"))]
        matches = [IGNORE.search(line) for line in (*above, *lines[-1:])]
        named = {name.strip() for match in matches if match is not None for name in match["rules"].split(",")}
        return finding.rule in named
