"""The span of a library's call, whether the call needs one, and functions that run inside of a context manager."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Tracer, TracerProvider, get_current_span
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.harmless import failed, warn
from lambda_latency.runtime.replace import replaced
from lambda_latency.runtime.unsampled import is_unrecorded


def is_wanted() -> bool:
    """Whether a call needs a span: not in an unrecorded request, and not inside of a call with a span."""
    return is_instrumentation_enabled() and not is_unrecorded(get_current_span())


@contextmanager
def call(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], kind: SpanKind = SpanKind.CLIENT
) -> Iterator[Span | None]:
    """Make a span the block's current one, unless it needs none. An exception that leaves it is the span's error."""
    entered: AbstractContextManager[Span] | None = None
    if is_wanted():
        try:
            entered = tracer.start_as_current_span(name, kind=kind, attributes=attributes)
        except Exception as error:  # noqa: BLE001 - the call goes on, whatever fails
            warn(f"a call {name!r} is not traced ({type(error).__name__}: {error})")
    if entered is None:
        yield None
        return
    with entered as span:
        yield span


# The span that an instrumentation gets instead: an invalid one, or the outer call's, to which it adds attributes.
INSTEAD: dict[str, Callable[[], Span]] = {"asyncpg": lambda: INVALID_SPAN, "aiokafka": get_current_span}


class Suppressible:
    """A provider for instrumentations that ignore the suppression inside of another call."""

    def __init__(self, provider: TracerProvider, library: str) -> None:
        self._provider = provider
        self._instead = INSTEAD[library]
        self._tracer: Any = None

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """As the original provider."""
        self._tracer = self._provider.get_tracer(*args, **kwargs)
        return self

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """As the original tracer, unless spans are suppressed."""
        if not is_instrumentation_enabled():
            return nullcontext(self._instead())
        return self._tracer.start_as_current_span(*args, **kwargs)


def within(owner: Any, name: str, context: Callable[..., AbstractContextManager[Any]]) -> Callable[[], bool]:
    """Run `owner.name` inside `context(*arguments)`; returns the function that undoes it, which returns its success.

    It may be a coroutine function or a class method, too.
    """

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
