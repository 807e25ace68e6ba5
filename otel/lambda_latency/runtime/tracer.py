"""Spans of OpenTelemetry's SDK in a fraction of its time, for the handler's caller waits while they are made.

The first span of each tracer is the SDK's own. A later one begins as a copy of that, and only what differs from span to
span is written anew. All that is no everyday call goes the SDK's way: a parent that is not recorded, links, a start of
its own. So does everything where the first span is not as `recorded` knows spans. A test holds both kinds of spans
against each other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import Span, Tracer, TracerProvider
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from lambda_latency.runtime.recorded import First, first_of
from lambda_latency.runtime.shortcuts import current_span, reader, with_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span as AnySpan
    from opentelemetry.util.types import AttributeValue

    from lambda_latency.runtime.recorded import Recorded

__all__ = ["LambdaTracer", "LambdaTracerProvider"]

followed = reader("trace_id", "trace_flags", "trace_state", "is_valid")
FOLLOWED = (1, 3)  # flags of a parent that is recorded; the second bit says that the trace's id is a random one


class LambdaTracerProvider(TracerProvider):
    """The SDK's provider. Its sampler must be one that records whatever has a recorded parent."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """As the SDK's: whoever asks for the same gets the same."""
        tracer = super().get_tracer(*args, **kwargs)
        # The SDK can be made to count its spans, and would not see these.
        if type(tracer) is Tracer and not os.environ.get("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"):
            tracer.__class__ = LambdaTracer  # it keeps what the SDK has given it
        return tracer


class LambdaTracer(Tracer):
    """The SDK's tracer with a shorter way."""

    _first: First | None = None

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> AnySpan:
        """As the SDK's."""
        first = self._first
        usual = start_time is None and not links and record_exception and set_status_on_exception
        if usual and first is not None:
            another = self._another(first, name, current_span(context).get_span_context(), kind, attributes)
            if another is not None:
                self.span_processor.on_start(another, parent_context=context)
                return another
        span = super().start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        if usual and first is None and isinstance(span, Span):
            self._first = first_of(span)
        return span

    def start_below(
        self, name: str, parent: SpanContext, kind: SpanKind, attributes: Mapping[str, AttributeValue]
    ) -> Span | None:
        """A span below one of another process, for which no context has to be made; None if it has to."""
        first, processor = self._first, self.span_processor
        if first is None or not getattr(processor, "alone", False):  # others may ask the context
            return None
        another = self._another(first, name, parent, kind, attributes)
        if another is not None:
            processor.on_start(another)
        return another

    def _another(
        self,
        first: First,
        name: str,
        parent: SpanContext,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue] | None,
    ) -> Recorded | None:
        trace_id, flags, state, valid = followed(parent)
        if flags not in FOLLOWED or not valid or not self._is_enabled():
            return None
        own = SpanContext(trace_id, self.id_generator.generate_span_id(), False, flags, state)
        return first.another(name, own, parent, kind, self.resource, attributes)

    def start_as_current_span(  # type: ignore[override]
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Current:
        """As the SDK's; its generators would take longer than the span."""
        how = (name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        return Current(self, how, end_on_exit=end_on_exit)


class Current:
    """Makes a span the current one for as long as a block runs. It can be put on a function, as the SDK's can."""

    __slots__ = ("_end_on_exit", "_how", "_span", "_token", "_tracer")

    def __init__(self, tracer: LambdaTracer, how: tuple[Any, ...], *, end_on_exit: bool) -> None:
        self._tracer = tracer
        self._how = how
        self._end_on_exit = end_on_exit
        self._span: AnySpan
        self._token: Token[Context]

    def __enter__(self) -> AnySpan:
        span = self._span = self._tracer.start_span(*self._how)
        self._token = attach(with_span(span))
        return span

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        detach(self._token)
        span = self._span
        if isinstance(error, Exception) and span.is_recording():
            record, set_status = self._how[-2:]
            if record:
                span.record_exception(error)
            if set_status:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        if self._end_on_exit:
            span.end()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        original: Any = super(LambdaTracer, self._tracer).start_as_current_span
        decorated: Callable[..., Any] = original(*self._how, self._end_on_exit)(function)
        return decorated
