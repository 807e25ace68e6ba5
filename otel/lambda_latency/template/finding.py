"""Something that is wrong in a file: where, what was seen, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Finding", "nearest"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. `what` names the value that was seen, `todo` is the remedy."""

    source: str
    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.what}: {self.todo}"


def nearest(name: str, known: Collection[str], otherwise: str = "") -> str:
    """A remedy for a name that is not known: the nearest one, else all of them."""
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or f"known are {', '.join(sorted(known))}"
