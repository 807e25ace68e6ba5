"""Runs functions and methods inside a context manager, coroutine functions and class methods too."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.replace import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

COROUTINE = 0x80  # `inspect.CO_COROUTINE`


def within(owner: Any, name: str, context: Callable[..., AbstractContextManager[Any]]) -> Callable[[], bool]:
    """Run `owner.name` inside `context(*arguments)`; returns the function that undoes it, which returns its success."""
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
    """The context manager; an empty one if it fails, as for an unknown version of a library: the call must go on."""
    try:
        return context(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever it is
        warn(f"a call of {getattr(context, '__module__', '')} is not traced ({type(error).__name__}: {error})")
        return nullcontext()
