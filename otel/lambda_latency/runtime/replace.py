"""Replaces functions of other packages by wrappers, and restores them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lambda_latency.runtime.harmless import warn


def replaced(owner: Any, name: str, around: Callable[[Any], Callable[..., Any]]) -> Callable[[], bool]:
    """Replace `owner.name` by `around(original)`; returns its undo, which returns False if it was wrapped again.

    `around` gets the function of a class method. Without the name, as in another release, one line says so.
    """
    original = vars(owner)[name] if name in vars(owner) else getattr(owner, name, None)
    if original is None:
        warn(f"{described(owner)} has no {name}, so a part of its calls is not traced: this version is not known")
        return bool
    is_class_method = isinstance(original, classmethod)
    function = original.__func__ if is_class_method else original
    wrapper: Any = functools.wraps(function)(around(function))
    return put(owner, name, classmethod(wrapper) if is_class_method else wrapper)


def put(owner: Any, name: str, wrapper: Any) -> Callable[[], bool]:
    """As `replaced`, with a finished object and a name that exists; an inherited one is inherited again by the undo."""
    original = vars(owner).get(name)

    def undo() -> bool:
        is_ours = vars(owner).get(name) is wrapper
        if is_ours and original is not None:
            setattr(owner, name, original)
        elif is_ours:
            delattr(owner, name)
        return is_ours

    setattr(owner, name, wrapper)
    return undo


def described(owner: Any) -> str:
    """Return the name of a module, or of a class with its module."""
    return str(owner.__name__) if not isinstance(owner, type) else f"{owner.__module__}.{owner.__qualname__}"
