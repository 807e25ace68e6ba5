"""What OpenTelemetry does the long way in each request, in a shorter one.

The current context is asked for thirty times in a request with three calls, each time through a class around Python's
own variable. The instrumentation of botocore imports its extension for a service by name and takes the endpoint's
address apart, for DynamoDB twice, and a request with two calls waits up to 0.1 ms for that: what it finds is kept. It
and that of requests keep what a call calls in turn from being traced by two generators, one within the other.

A version that does so no more is left alone.
"""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from opentelemetry import context
from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY, Context, attach, detach, get_current
from opentelemetry.trace import INVALID_SPAN, SpanContext, TraceFlags
from opentelemetry.trace.propagation import _SPAN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import ModuleType

    from opentelemetry.trace import Span

__all__ = ["Suppressed", "current_span", "reader", "remember", "shorten", "shorten_context", "with_span"]

MODULE = "opentelemetry.instrumentation.botocore"
PARTS = ("trace_id", "span_id", "is_remote", "trace_flags", "trace_state", "is_valid")  # of a span's context, a tuple
ENDPOINTS = 64  # a function calls few, again and again


def reader(*names: str) -> Any:
    """A function that reads these of a span's context: by place, without a frame for each property, or by name."""
    made: Any = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    if isinstance(made, tuple) and tuple(made) == tuple(getattr(made, name, None) for name in PARTS):
        return itemgetter(*map(PARTS.index, names))
    return attrgetter(*names)


def shorten_context() -> Callable[[], None]:
    """Let the current context be the variable's own, with no frame in between; returns the undoing."""
    runtime = getattr(context, "_RUNTIME_CONTEXT", None)
    variable = getattr(runtime, "_current_context", None)
    if not isinstance(variable, ContextVar):
        return lambda: None
    names = vars(runtime)
    names.update(get_current=variable.get, attach=variable.set, detach=variable.reset)

    def undone() -> None:
        for name in ("get_current", "attach", "detach"):
            names.pop(name, None)

    return undone


def current_span(given: Context | None = None) -> Span:
    """The span of this context, or of the current one, as `get_current_span` has it."""
    span: Any = (get_current() if given is None else given).get(_SPAN_KEY)
    return INVALID_SPAN if span is None else span


def with_span(span: Span, given: Context | None = None) -> Context:
    """This context, or the current one, with that span, as `set_span_in_context` makes it."""
    return having(_SPAN_KEY, span, given)


def having(key: str, value: object, given: Context | None = None) -> Context:
    """A context with one value more. A context lets nobody write into it, but this one is new."""
    made = Context(get_current() if given is None else given)
    dict.__setitem__(made, key, value)
    return made


class Suppressed:
    """What is called in this block, such as urllib3, is no call of the handler's."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token: Token[Context] = attach(having(_SUPPRESS_HTTP_INSTRUMENTATION_KEY, True))

    def __exit__(self, *_: object) -> None:
        detach(self._token)


def shorten(module: ModuleType) -> Callable[[], None]:
    """To be called with a module of upstream's that suppresses so; returns the undoing."""
    names = vars(module)
    original = names.get("suppress_http_instrumentation")
    if original is None:
        return lambda: None
    names["suppress_http_instrumentation"] = Suppressed

    def undone() -> None:
        if names["suppress_http_instrumentation"] is Suppressed:
            names["suppress_http_instrumentation"] = original

    return undone


def remember(instrumentor: Any) -> Callable[[], None]:
    """To be called after it has instrumented, which it does with a registry of its own; returns the undoing."""
    undo: list[Callable[[], None]] = []
    registry = instrumentor.extension_registry
    loaders = getattr(registry, "_extensions", None) or {}
    registry._extensions = {
        service: functools.cache(functools.partial(loaded, load, undo)) for service, load in loaders.items()
    }
    keep(sys.modules[MODULE], "get_server_attributes", undo)

    def undone() -> None:
        while undo:
            undo.pop()()

    return undone


def loaded(load: Callable[[], Any], undo: list[Callable[[], None]]) -> Any:
    """An extension, whose module may take the endpoint's address apart too."""
    extension = load()
    keep(sys.modules.get(getattr(extension, "__module__", "")), "urlparse", undo)
    return extension


def keep(module: Any, name: str, undo: list[Callable[[], None]]) -> None:
    """What a function of a module's has answered."""
    original = getattr(module, name, None)
    if original is None:
        return
    known = functools.lru_cache(ENDPOINTS)(original)

    @functools.wraps(original)
    def answer(address: str) -> Any:
        found = known(address)
        return dict(found) if isinstance(found, dict) else found  # whoever gets it may add to it

    def undone() -> None:
        if getattr(module, name) is answer:
            setattr(module, name, original)

    setattr(module, name, answer)
    undo.append(undone)
