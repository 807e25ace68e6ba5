"""A finding of the doctor: rule, place, observation, effect, remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.doctor.app import App

__all__ = ["ERROR", "NOTE", "PAGE", "WARNING", "Finding", "Found", "Rule"]

ERROR, WARNING, NOTE = "error", "warning", "note"
PAGE = "docs/reference/doctor.md"


class Found(NamedTuple):
    """The result of a check: file, line from 1, observation, remedy."""

    path: str
    line: int
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name; `effect`, the consequence if nothing is done; `why`, the explanation."""

    name: str
    severity: str
    effect: str
    why: str
    check: Callable[[App], Iterator[Found]]

    @property
    def page(self) -> str:
        """The rule's section in the documentation."""
        return f"{PAGE}#{self.name}"


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
