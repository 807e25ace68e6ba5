"""Calls of unrecorded requests: no span is created, but the sampling decision is propagated.

Upstream's wrappers would still collect attributes, create empty spans and call hooks, and take time where spans are
suppressed. An unrecorded request would cost 0.9 of what it costs with the X-Ray SDK; this way it costs a third.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.utils import suppress_http_instrumentation, suppress_instrumentation
from opentelemetry.propagate import inject
from opentelemetry.trace import TraceFlags, get_current_span

from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span

# The methods that the instrumentations wrap.
WAYS = {"requests": ("requests", "Session", "send"), "botocore": ("botocore.client", "BaseClient", "_make_api_call")}


def pass_by(name: str) -> Callable[[], object]:
    """Wrap an instrumented method; returns the function that undoes it. Upstream's `uninstrument` removes both."""
    module, kind, method = WAYS[name]
    owner = getattr(sys.modules[module], kind)

    def around(traced: Any) -> Callable[..., Any]:
        wrapper = getattr(traced, "wrapped_here", None)  # of the stand-in for wrapt

        def passed(self: object, *args: Any, **kwargs: Any) -> Any:
            context = get_current()
            span = get_current_span(context)
            if span.is_recording() or not is_unrecorded(span):
                if wrapper is not None:
                    return wrapper(original.__get__(self), self, args, kwargs)
                return traced.__get__(self)(*args, **kwargs)  # a wrapper of wrapt has to bind the instance
            if name == "requests":  # for botocore, its own events write the header
                carry(args[0] if args else kwargs["request"])
            token = attach(suppressed(context))  # for calls within this one, such as urllib3's
            try:
                return original.__get__(self)(*args, **kwargs)
            finally:
                detach(token)

        return passed

    original: Any = getattr(vars(owner).get(method), "__wrapped__", None)
    if original is None:
        return lambda: None
    undo = replaced(owner, method, around)
    vars(owner)[method].__wrapped__ = original
    return undo


def suppressed(context: Context) -> Context:
    """Return the context with upstream's suppression. It is cached: all calls of a request have the same context."""
    global KEPT  # noqa: PLW0603
    cached, quiet = KEPT
    if cached is not context:
        quiet = Context({**context, **suppression()})
        KEPT = context, quiet
    return quiet


KEPT: tuple[Context | None, Context] = None, Context()


@functools.cache
def suppression() -> Context:
    """Return the values by which upstream suppresses spans: its own functions take a tenth of a span in each call."""
    token = attach(Context())
    try:
        with suppress_http_instrumentation(), suppress_instrumentation():
            return get_current()
    finally:
        detach(token)


def is_unrecorded(span: Span) -> bool:
    """Whether the current span is that of an unrecorded request.

    A span is not recording, but sampled, if it is another process's, or if it has ended: in a thread that has outlived
    the invocation that started it.
    """
    if span.is_recording():
        return False
    context = span.get_span_context()
    return context.is_valid and not context.trace_flags & TraceFlags.SAMPLED


@harmless("the tracing header of a call")
def carry(request: Any) -> None:
    """Write the tracing header to a request of `requests`."""
    inject(request.headers)
