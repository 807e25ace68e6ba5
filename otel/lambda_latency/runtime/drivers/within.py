"""A function or method that runs inside a context manager; it may be a coroutine function or a class method."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.replace import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["within"]

COROUTINE = 0x80  # `inspect.CO_COROUTINE`


def within(owner: Any, name: str, context: Callable[..., AbstractContextManager[Any]]) -> Callable[[], bool]:
    """Let `owner.name` run in `context(*its arguments)`; returns the undoing, which says whether it could."""
    original = vars(owner)[name]
    function = original.__func__ if isinstance(original, classmethod) else original

    if getattr(getattr(function, "__code__", None), "co_flags", 0) & COROUTINE:

        @functools.wraps(function)
        async def inside(*args: Any, **kwargs: Any) -> Any:
            with made(context, args, kwargs):
                return await function(*args, **kwargs)

    else:

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with made(context, args, kwargs):
                return function(*args, **kwargs)

    return put(owner, name, classmethod(inside) if isinstance(original, classmethod) else inside)


def made(
    context: Callable[..., AbstractContextManager[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AbstractContextManager[Any]:
    """One that cannot be made, for a library that is not as those that were looked at, leaves the call as it is."""
    try:
        return context(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever it is
        warn(f"a call of {getattr(context, '__module__', '')} is not traced ({type(error).__name__}: {error})")
        return nullcontext()
