"""Work that a handler hands to a thread keeps its parent: pools, threads and their subclasses, timers, executors.

Only OpenTelemetry's context travels. A copy of all context variables would take a user's own along, such as the
precision of `decimal`.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, detach, get_current

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.context import Context

    from lambda_latency.runtime.imports import ImportHook

__all__ = ["ThreadContext"]

CARRIED = "_lambda_latency_context"


class ThreadContext:
    """Put on by `start` (pools when they are first imported), taken off by `stop`."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def start(self, hook: ImportHook) -> None:
        """Carry the context from here on."""
        self._replace(threading.Thread, "start", starting)
        self._replace(threading.Thread, "_bootstrap_inner", running)
        hook.when("concurrent.futures.thread", self._pools)

    def stop(self) -> None:
        """Leave what is still ours as it was."""
        while self._undo:
            self._undo.pop()()

    def _pools(self, module: ModuleType) -> None:
        self._replace(module.ThreadPoolExecutor, "submit", submitting)

    def _replace(self, owner: type, name: str, around: Callable[[Any], Callable[..., Any]]) -> None:
        original = owner.__dict__[name]
        ours = functools.wraps(original)(around(original))

        def undo() -> None:
            if owner.__dict__[name] is ours:  # else somebody has wrapped it since
                setattr(owner, name, original)

        setattr(owner, name, ours)
        self._undo.append(undo)


def starting(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """A new thread remembers who started it."""

    def start(self: threading.Thread) -> None:
        if context := get_current():
            setattr(self, CARRIED, context)
        original(self)

    return start


def running(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """And runs in that context, whether it has a target or a `run` of its own."""

    def _bootstrap_inner(self: threading.Thread) -> None:
        context = self.__dict__.pop(CARRIED, None)
        if context is None:
            original(self)
        else:
            within(context, original, self)

    return _bootstrap_inner


def submitting(original: Callable[..., Any]) -> Callable[..., Any]:
    """A pool's thread serves many: each task brings its own context.

    An empty one too, for the thread itself may have been started in some invocation's.
    """

    def submit(self: object, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return original(self, within, get_current(), fn, *args, **kwargs)

    return submit


def within(context: Context, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Do it there."""
    token = attach(context)
    try:
        return work(*args, **kwargs)
    finally:
        detach(token)
