"""Suggestions for misspelled names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest_names"]


def nearest_names(name: str, names: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """At most `most` known names that are similar to a name, the nearest first.

    `cutoff` is the least similarity, between 0 and 1.
    """
    import difflib  # a slow import

    return difflib.get_close_matches(name, list(names), most, cutoff)


def did_you_mean(
    name: str, names: Iterable[str], otherwise: str = "", *, most: int = 1, cutoff: float = 0.6, quoted: bool = False
) -> str:
    """`did you mean orders?` with the known names that are similar to a name; without one, `otherwise`."""
    near = nearest_names(name, names, most, cutoff)
    return f"did you mean {' or '.join(map(repr, near) if quoted else near)}?" if near else otherwise
