"""A finding about a file: place, observation, remedy."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Finding", "nearest"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. `what` names the value in the file, `todo` is the remedy."""

    source: str
    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.what}: {self.todo}"


def nearest(name: str, known: Collection[str], otherwise: str = "") -> str:
    """The remedy for an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or f"known are {', '.join(sorted(known))}"
