"""Replaces functions of other packages by wrappers, and restores them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def replaced(owner: Any, name: str, around: Callable[[Any], Callable[..., Any]]) -> Callable[[], bool]:
    """Replace `owner.name` by `around(original)`; returns the function that undoes it.

    If the function was wrapped again in the meantime, the undo changes nothing and returns False.
    """
    original = vars(owner)[name]
    return put(owner, name, functools.wraps(original)(around(original)))


def put(owner: Any, name: str, ours: Any) -> Callable[[], bool]:
    """As `replaced`, with a finished function."""
    original = vars(owner)[name]

    def undo() -> bool:
        is_ours = vars(owner).get(name) is ours
        if is_ours:
            setattr(owner, name, original)
        return is_ours

    setattr(owner, name, ours)
    return undo
