"""Carries the current span into threads that a handler starts: threads, subclasses, timers, pools, executors.

Only OpenTelemetry's context is carried. A copy of all context variables would include the user's, such as the precision
of `decimal`. The runtime's own threads belong to no invocation.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import INVALID_SPAN_CONTEXT, get_current_span

from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from opentelemetry.trace import SpanContext

    from lambda_latency.runtime.imports import ImportHook

POOL = "concurrent.futures.thread"
CARRIED = "_lambda_latency_context"
# `signal` without its enumeration. `signal` converts every signal to a member of it, and most have none: 1.5 M
# instructions for each thread, and a cold start has two.
SIGNALS: Any = sys.modules.get("_signal", signal)


def carry_context(hook: ImportHook, undo: list[Callable[[], object]]) -> None:
    """Start to carry the context: into threads now, into pools from their import on."""
    undo.append(replaced(threading.Thread, "start", starting))
    undo.append(replaced(threading.Thread, "_bootstrap_inner", running))
    hook.on_import(POOL, lambda module: undo.append(replaced(module.ThreadPoolExecutor, "submit", submitting)))


def starting(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap `start`: it stores the starter's context in the new thread."""

    def start(self: threading.Thread) -> None:
        if context := get_current():
            setattr(self, CARRIED, context)
        original(self)

    return start


def running(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap the run of a thread, which gets the stored context, with a target or with a `run` of its own."""

    def _bootstrap_inner(self: threading.Thread) -> None:
        context = self.__dict__.pop(CARRIED, None)
        if context is None:
            original(self)
        else:
            within(context, original, self)

    return _bootstrap_inner


def submitting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `submit`: each task runs in its submitter's context, even in an empty one."""

    def submit(self: object, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return original(self, within, get_current(), fn, *args, **kwargs)

    return submit


def within(context: Context, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call `work` in a context."""
    token = attach(context)
    try:
        return work(*args, **kwargs)
    finally:
        detach(token)


def works_below(frame: FrameType) -> SpanContext:
    """Return the span under which a thread got its work; an invalid one without any, or if it is idle in a pool."""
    if frame.f_globals.get("__name__") == POOL and frame.f_code.co_name == "_worker":
        return INVALID_SPAN_CONTEXT
    caller: FrameType | None = frame
    while caller is not None:
        if caller.f_code is within.__code__:
            return get_current_span(caller.f_locals["context"]).get_span_context()
        caller = caller.f_back
    return INVALID_SPAN_CONTEXT


def started(target: Callable[[], None]) -> threading.Event:
    """Start a thread of the runtime that runs `target`; returns an event that is set when it has ended.

    `threading` does not list it: the function may count its threads, or wait for the end of all others. It blocks all
    signals: the kernel may give a signal of the process to any thread that does not block it, and the function may have
    blocked it in its own threads. Its stack has the default size: the function may have chosen a small one.
    """
    ended = threading.Event()

    def run() -> None:
        try:
            within(Context(), target)
        finally:
            ended.set()

    previous_mask, size = SIGNALS.pthread_sigmask(signal.SIG_BLOCK, SIGNALS.valid_signals()), threading.stack_size(0)
    try:
        _thread.start_new_thread(run, ())
    finally:
        threading.stack_size(size)
        SIGNALS.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
    return ended


def unlisted() -> None:
    """Take this thread out of `threading`'s list again: asking for the current thread puts it there."""
    getattr(threading, "_active", {}).pop(threading.get_ident(), None)
