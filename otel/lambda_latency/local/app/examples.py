"""The example events of an app, in its folder `events/`, as for `sam local invoke`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["example_for", "examples", "likeness"]

WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
COMMON = {"function", "lambda", "event", "events", "json", "handler"}


def examples(root: Path) -> list[Path]:
    """Their paths, seen from the app's folder."""
    return sorted(one.relative_to(root) for one in root.glob("events/**/*.json"))


def example_for(key: str, among: Sequence[Path]) -> Path | None:
    """The one whose name has most in common with a function's; the first where none has anything."""
    return max(among, key=lambda one: likeness(key, one), default=None)


def likeness(key: str, example: Path) -> int:
    """How many words a function's name and an example's have in common."""
    return len(_words(key) & _words(str(example)))


def _words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)} - COMMON
