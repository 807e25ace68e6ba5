"""The span of a library's call, and whether the call needs one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind, get_current_span

from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.unsampled import is_unrecorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

__all__ = ["call", "is_wanted"]


def is_wanted() -> bool:
    """Whether a call needs a span: not in an unrecorded request, and not inside of a call with a span."""
    return is_instrumentation_enabled() and not is_unrecorded(get_current_span())


@contextmanager
def call(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], kind: SpanKind = SpanKind.CLIENT
) -> Iterator[Span | None]:
    """The current span of the block, or None. An exception that leaves the block is the span's error."""
    entered = begun(tracer, name, attributes, kind) if is_wanted() else None
    if entered is None:
        yield None
        return
    with entered as span:
        yield span


def begun(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], kind: SpanKind
) -> AbstractContextManager[Span] | None:
    """The span's context manager; None if that fails, because the call must go on."""
    try:
        return tracer.start_as_current_span(name, kind=kind, attributes=attributes)
    except Exception as error:  # noqa: BLE001 - the call goes on, whatever fails
        warn(f"a call {name!r} is not traced ({type(error).__name__}: {error})")
        return None
