"""Finds the example events of an app in its folder `events/`, as used by `sam local invoke`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
COMMON = {"function", "lambda", "event", "events", "json", "handler"}


def examples(root: Path) -> list[Path]:
    """The paths of the example events, relative to the app's folder, in their order."""
    return sorted(one.relative_to(root) for one in root.glob("events/**/*.json"))


def example_for(key: str, events: Sequence[str], among: Sequence[Path]) -> Path | None:
    """The example whose name is most similar to a function's key and to the types of its events; the first one if none
    is similar; None without any.
    """
    return max(among, key=lambda one: likeness(key, events, one), default=None)


def likeness(key: str, events: Sequence[str], example: Path) -> int:
    """The number of words of an example's path that a function's key or the types of its events have, too."""
    return len((_words(key) | {one.lower() for one in events}) & _words(str(example)))


def _words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)} - COMMON
