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
    """What a check found: file, line from 1, observation, remedy."""

    path: str
    line: int
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its name; `effect` says what happens if nothing is done, `why` explains it."""

    name: str
    severity: str
    effect: str
    why: str
    check: Callable[[App], Iterator[Found]]

    @property
    def page(self) -> str:
        """The section of the documentation about it."""
        return f"{PAGE}#{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding, with what the rule says of it."""

    path: str
    line: int
    rule: str
    severity: str
    what: str
    effect: str
    todo: str

    @property
    def page(self) -> str:
        """The section of the documentation about its rule."""
        return f"{PAGE}#{self.rule}"
