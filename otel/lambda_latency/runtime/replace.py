"""Functions of others that are replaced by wrappers of ours, and put back."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["put", "replaced"]


def replaced(owner: Any, name: str, around: Callable[[Any], Callable[..., Any]]) -> Callable[[], bool]:
    """Put `around(original)` in the place of `owner.name`; returns the undoing.

    That says False, and leaves all as it is, where somebody has wrapped the function since.
    """
    original = vars(owner)[name]
    return put(owner, name, functools.wraps(original)(around(original)))


def put(owner: Any, name: str, ours: Any) -> Callable[[], bool]:
    """As `replaced`, with a function that is made already."""
    original = vars(owner)[name]

    def undo() -> bool:
        is_ours = vars(owner).get(name) is ours
        if is_ours:
            setattr(owner, name, original)
        return is_ours

    setattr(owner, name, ours)
    return undo
