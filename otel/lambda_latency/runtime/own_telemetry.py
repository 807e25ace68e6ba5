"""The function's own OpenTelemetry with the runtime's: its provider, processors and propagators.

The API lets a process set its provider once. The runtime leaves that to the function: until then it only answers
`get_tracer_provider` with its own provider. A provider that the function sets gets the runtime's recorder as a
processor, so that its spans join the trace, and its processors get the runtime's spans. A propagator that the function
sets is used beside X-Ray's.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import propagate, trace
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.sdk.trace import TracerProvider

from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.propagation import header_of, write
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import Getter, Setter
    from opentelemetry.sdk.trace import SpanProcessor

BOTOCORE = "opentelemetry.instrumentation.botocore"
BAGGAGE = "opentelemetry.baggage"
DEFAULTS = ("tracecontext", "baggage")  # OpenTelemetry's defaults


class OwnTelemetry:
    """Watches what the function sets, until `undo` is called. `chosen`: propagators of `OTEL_PROPAGATORS`."""

    def __init__(
        self, provider: TracerProvider, guest: SpanProcessor, chosen: Sequence[str], undo: list[Callable[[], object]]
    ) -> None:
        self._provider, self._guest = provider, guest
        self._propagators = Propagators(chosen)
        self._added: list[tuple[TracerProvider, SpanProcessor]] = []
        self._joined: list[object] = []
        self._undo = undo

    def start(self, *, is_global: bool) -> None:
        """Start to watch. `is_global`: the runtime's provider is the process's until the function sets one."""
        previous = propagate.get_global_textmap()
        propagate.set_global_textmap(self._propagators)
        self._undo.append(lambda: propagate.set_global_textmap(previous))
        self._undo.append(replaced(TracerProvider, "add_span_processor", self._adding))
        if is_global:
            self._undo.append(replaced(trace, "get_tracer_provider", self._getting))
            self._undo.append(replaced(trace, "set_tracer_provider", self._setting))

    def traces(self, scope: str) -> None:
        """Record that the function itself has installed this instrumentation."""
        self._propagators.scopes.add(scope)

    @harmless("the function's own propagator")
    def look(self) -> None:
        """If the function has set a propagator, add it to the runtime's."""
        current = propagate.get_global_textmap()
        if current is not self._propagators:
            self._propagators.own = [current]
            propagate.set_global_textmap(self._propagators)

    def _getting(self, original: Callable[[], Any]) -> Callable[[], Any]:
        def get_tracer_provider() -> Any:
            provider = original()
            return self._provider if isinstance(provider, trace.ProxyTracerProvider) else provider

        return get_tracer_provider

    def _setting(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        def set_tracer_provider(tracer_provider: Any) -> None:
            original(tracer_provider)
            if trace.get_tracer_provider() is tracer_provider:
                self._join(tracer_provider)

        return set_tracer_provider

    def _adding(self, original: Callable[[TracerProvider, Any], None]) -> Callable[[TracerProvider, Any], None]:
        def add_span_processor(provider: TracerProvider, span_processor: SpanProcessor) -> None:
            original(provider, span_processor)
            if provider in self._joined:
                self._provider.add_span_processor(span_processor)
            elif provider is not self._provider:
                self._added.append((provider, span_processor))

        return add_span_processor

    @harmless("the function's own tracer provider")
    def _join(self, provider: Any) -> None:
        if not isinstance(provider, TracerProvider) or provider is self._provider:
            return
        processors = [processor for owner, processor in self._added if owner is provider]
        self._added.clear()
        provider.add_span_processor(self._guest)
        self._added.clear()
        self._joined.append(provider)
        for processor in processors:
            self._provider.add_span_processor(processor)


class Propagators(TextMapPropagator):
    """X-Ray's propagator, those of `OTEL_PROPAGATORS`, and `own`, the function's if it has set one.

    Baggage is propagated if the function has set some. OpenTelemetry's defaults apply to contexts that the function
    extracts itself, and to calls of instrumentations that it has installed itself (`scopes`, by span scope).
    """

    def __init__(self, chosen: Sequence[str]) -> None:
        self._xray = AwsXRayPropagator()
        self._chosen = tuple(chosen)
        self.own: list[TextMapPropagator] = []
        self.scopes: set[str] = set()

    def extract(self, carrier: Any, context: Context | None = None, getter: Getter[Any] = default_getter) -> Context:
        """Extract with each propagator in turn, the function's own last."""
        for propagator in self._readers():
            context = propagator.extract(carrier, context, getter=getter)
        assert context is not None
        return context

    def inject(self, carrier: Any, context: Context | None = None, setter: Setter[Any] = default_setter) -> None:
        """Inject with each propagator, but not into messages and payloads of AWS calls, which may be full."""
        span = trace.get_current_span(context)
        scope = scope_of(span)
        if scope.startswith(BOTOCORE):
            if scope.endswith(".lambda"):
                # Upstream treats this error as an unreadable payload and leaves the payload as it is. Without the error
                # it would rewrite the payload with `headers`.
                raise ValueError("the payload of a call of Lambda is the function's")
            return
        write(span, carrier, header_of(carrier), setter)  # with `Lineage`, unlike X-Ray's propagator
        if self._chosen or self.own or self.scopes or BAGGAGE in sys.modules:
            for propagator in self._writers(scope):
                propagator.inject(carrier, context, setter=setter)

    @property
    def fields(self) -> set[str]:
        """The fields of all propagators; none for an AWS call, or upstream would warn about full messages."""
        if scope_of(trace.get_current_span()).startswith(BOTOCORE):
            return set()
        return {field for propagator in self._readers() for field in propagator.fields}

    def _readers(self) -> list[TextMapPropagator]:
        return [self._xray, *map(made, DEFAULTS), *self.own]

    def _writers(self, scope: str) -> list[TextMapPropagator]:
        names = dict.fromkeys((*self._chosen, *["baggage"] * (BAGGAGE in sys.modules)))
        if scope in self.scopes and not self.own and "OTEL_PROPAGATORS" not in os.environ:
            names.update(dict.fromkeys(DEFAULTS))
        return [*map(made, names), *self.own]


def scope_of(span: object) -> str:
    """Return the name of a span's scope; empty without one."""
    return str(getattr(getattr(span, "instrumentation_scope", None), "name", ""))


@functools.cache
def made(name: str) -> TextMapPropagator:
    """Return the propagator of a name, imported on its first use."""
    if name == "baggage":
        from opentelemetry.baggage.propagation import W3CBaggagePropagator

        return W3CBaggagePropagator()
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()
