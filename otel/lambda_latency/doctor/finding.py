"""A finding of the doctor: rule, place, observation, effect, remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

Check = TypeVar("Check", bound=Callable[..., Iterator[Any]])

ERROR, WARNING, NOTE = "error", "warning", "note"
PAGE = "docs/reference/doctor.md"


class Found(NamedTuple):
    """The result of a check: file, line from 1, observation, remedy."""

    path: str
    line: int
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[Check]):
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
        return f"{PAGE}#{self.name}"

    def finding(self, path: str, line: int, what: str, todo: str) -> Finding:
        """A violation of the rule."""
        return Finding(path, line, self.name, self.severity, what, self.effect, todo)


def rule(name: str, severity: str, effect: str) -> Callable[[Check], Rule[Check]]:
    """Makes a check, whose docstring explains the rule, the rule of that name."""
    return lambda check: Rule(name, severity, effect, check)


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
        return f"{PAGE}#{self.rule}"
