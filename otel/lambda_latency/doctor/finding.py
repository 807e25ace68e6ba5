"""A finding of the doctor: rule, place, observation, effect, remedy; and how a check becomes a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple

from lambda_latency.doctor.app import App
from lambda_latency.doctor.function import Fn
from lambda_latency.documentation import page_address

ERROR, WARNING, NOTE = "error", "warning", "note"


def page_of(rule: str) -> str:
    """The address of a rule's section in the documentation."""
    return page_address(f"reference/doctor#{rule}")


class Issue(NamedTuple):
    """The result of a check: problem, remedy, line from 1, and the file if it is not what is checked itself."""

    problem: str
    todo: str
    line: int = 1
    path: str = ""


Check = Callable[..., Iterator[Issue]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name; `effect`, the consequence if nothing is done; `check`, what finds violations."""

    name: str
    severity: str
    effect: str
    check: Check

    @property
    def why(self) -> str:
        """The explanation: the docstring of the check."""
        return " ".join((self.check.__doc__ or "").split())

    @property
    def page(self) -> str:
        """The rule's section in the documentation."""
        return page_of(self.name)

    def finding(self, path: str, issue: Issue) -> Finding:
        """A violation of the rule in what has a path."""
        problem, todo, line, file = issue
        return Finding(file or path, line, self.name, self.severity, problem, self.effect, todo)


def rule(name: str, severity: str, effect: str) -> Callable[[Check], Rule]:
    """Makes a check, whose docstring explains the rule, the rule of that name."""
    return lambda check: Rule(name, severity, effect, check)


def function_rule(name: str, severity: str, effect: str) -> Callable[[Callable[[App, Fn], Iterator[Issue]]], Rule]:
    """Makes a check of one function the rule of that name about each function of an app."""

    def make(check: Callable[[App, Fn], Iterator[Issue]]) -> Rule:
        @wraps(check)
        def check_all(app: App) -> Iterator[Issue]:
            for fn in app.functions:
                yield from check(app, fn)

        return Rule(name, severity, effect, check_all)

    return make


def rules_in(namespace: Mapping[str, object]) -> tuple[Rule, ...]:
    """The rules that a module defines, in their order."""
    return tuple(value for value in namespace.values() if isinstance(value, Rule))


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding, with the effect from its rule."""

    path: str
    line: int
    rule: str
    severity: str
    what: str
    effect: str
    todo: str

    @property
    def page(self) -> str:
        """The section of its rule in the documentation."""
        return page_of(self.rule)
