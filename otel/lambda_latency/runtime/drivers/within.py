"""Runs functions and methods inside a context manager, coroutine functions and class methods too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lambda_latency.runtime.harmless import failed
from lambda_latency.runtime.replace import replaced


def within(owner: Any, name: str, context: Callable[..., AbstractContextManager[Any]]) -> Callable[[], bool]:
    """Run `owner.name` inside `context(*arguments)`; returns the function that undoes it, which returns its success."""

    def around(function: Any) -> Callable[..., Any]:
        async def inside_a_coroutine(*args: Any, **kwargs: Any) -> Any:
            with made(context, args, kwargs):
                return await function(*args, **kwargs)

        def inside(*args: Any, **kwargs: Any) -> Any:
            with made(context, args, kwargs):
                return function(*args, **kwargs)

        is_coroutine = getattr(getattr(function, "__code__", None), "co_flags", 0) & 0x80  # `inspect.CO_COROUTINE`
        return inside_a_coroutine if is_coroutine else inside

    return replaced(owner, name, around)


def made(
    context: Callable[..., AbstractContextManager[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AbstractContextManager[Any]:
    """Return the context manager; an empty one if it fails, as for a library's unknown version: the call must go on."""
    try:
        return context(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever it is
        failed(f"tracing a call by {getattr(context, '__module__', '')}", error)
        return nullcontext()
