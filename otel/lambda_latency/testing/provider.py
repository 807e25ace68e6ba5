"""The process's TracerProvider during tests, which delegates each span to the active provider.

A tracer that a module gets at import stays with the provider that creates its first span. The delegation must therefore
be per span: the runtime's provider in an invocation, otherwise the one that was set.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.util._decorator import _agnosticcontextmanager

from lambda_latency.testing.recording import Recording, Tap, id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace import Span as SdkSpan
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import Attributes

RECORDINGS: list[Recording] = []
"""The active recordings."""


TURNS: list[TracerProvider] = []
"""The providers of running invocations."""


class Relay(trace.TracerProvider):
    """Creates tracers that choose the provider for each span."""

    def __init__(self, usual: TracerProvider) -> None:
        self.usual = usual

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """A tracer that delegates; part of the API."""
        given = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        return RelayTracer(self, given)

    def __getattr__(self, name: str) -> Any:
        """The SDK's attributes beyond the API, from the usual provider."""
        return getattr(self.usual, name)


class RelayTracer(trace.Tracer):
    """A tracer that delegates to the active provider."""

    def __init__(self, relay: Relay, given: tuple[Any, ...]) -> None:
        self._relay = relay
        self._given = given

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        """As the API calls it."""
        return self._tracer.start_span(*args, **kwargs)

    @_agnosticcontextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[Span]:
        """As the API calls it."""
        with self._tracer.start_as_current_span(*args, **kwargs) as span:
            yield span

    @property
    def _tracer(self) -> Tracer:
        return (TURNS[-1] if TURNS else self._relay.usual).get_tracer(*self._given)


class Forward(SpanProcessor):
    """Passes spans of the usual provider to the recordings or, in an invocation, to the runtime's span processors.

    It is needed for tracers of a provider that was set before, which cannot choose per span.
    """

    def __init__(self) -> None:
        self._tap = Tap(RECORDINGS)
        self._taken: dict[int, SpanProcessor] = {}

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """As the SDK calls it."""
        processor: SpanProcessor = TURNS[-1]._active_span_processor if TURNS else self._tap
        self._taken[id_of(span)] = processor
        processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """As the SDK calls it."""
        processor = self._taken.pop(id_of(span), None)
        if processor is not None:
            processor.on_end(span)


def ready() -> None:
    """Installs the recording on the process's TracerProvider."""
    current = trace.get_tracer_provider()
    if isinstance(current, Relay) or current in FORWARDED:
        return
    if isinstance(current, TracerProvider):
        FORWARDED.append(current)
        current.add_span_processor(Forward())
        return
    own = TracerProvider(ALWAYS_ON, shutdown_on_exit=False)
    own.add_span_processor(Forward())
    trace.set_tracer_provider(Relay(own))


FORWARDED: list[TracerProvider] = []


@contextmanager
def making_spans(provider: TracerProvider) -> Iterator[None]:
    """A context in which this provider creates the process's spans."""
    ready()
    TURNS.append(provider)
    try:
        yield
    finally:
        TURNS.remove(provider)
