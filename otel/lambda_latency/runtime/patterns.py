"""Regular expressions that are compiled when they are first used, for a cold start pays for each; sets of words."""

from __future__ import annotations

import re
from functools import cache

__all__ = ["compiled", "words"]


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The expression; flags stand in its text."""
    return re.compile(pattern)


def words(text: str) -> frozenset[str]:
    """Those in a text."""
    return frozenset(text.split())
