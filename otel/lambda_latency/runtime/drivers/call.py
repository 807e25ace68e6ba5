"""A call of a library as a span, and whether one is wanted here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind, get_current_span

from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

__all__ = ["SCOPE", "call", "is_wanted"]

SCOPE = "lambda_latency.drivers"


def is_wanted() -> bool:
    """False in a request that nobody records, and inside of a call that has its span already."""
    span = get_current_span()
    return (span.is_recording() or not span.get_span_context().is_valid) and is_instrumentation_enabled()


@contextmanager
def call(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], kind: SpanKind = SpanKind.CLIENT
) -> Iterator[Span | None]:
    """A span, which is the current one in the block; an exception that leaves the block is its error."""
    entered = begun(tracer, name, attributes, kind) if is_wanted() else None
    if entered is None:
        yield None
        return
    with entered as span:
        yield span


def begun(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], kind: SpanKind
) -> AbstractContextManager[Span] | None:
    """None where it cannot be made: the call is made all the same."""
    try:
        return tracer.start_as_current_span(name, kind=kind, attributes=attributes)
    except Exception as error:  # noqa: BLE001 - whatever it is
        warn(f"a call {name!r} is not traced ({type(error).__name__}: {error})")
        return None
