"""The process's TracerProvider: one of ours that passes each span on to the provider of the moment.

A tracer that a module got at its import stays with the first provider that makes a span of it. So it has to be one that
can be told at each span whose turn it is: the runtime's in an invocation, else that of whoever has set one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.util._decorator import _agnosticcontextmanager

from otel.testing.recording import Recording, Tap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import Attributes

__all__ = ["RECORDINGS", "making_spans", "ready"]

RECORDINGS: list[Recording] = []
"""Who records just now."""


class Relay(trace.TracerProvider):
    """Gives tracers that ask, at each span, which provider makes it."""

    def __init__(self, usual: TracerProvider) -> None:
        self.providers = [usual]

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """As the API calls it."""
        given = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        return RelayTracer(self, given)

    def __getattr__(self, name: str) -> Any:
        """What the SDK's have beyond the API is the usual one's."""
        return getattr(self.providers[0], name)


class RelayTracer(trace.Tracer):
    """A tracer of the provider of the moment."""

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
        return self._relay.providers[-1].get_tracer(*self._given)


def ready() -> Relay:
    """See to it that spans of the process's TracerProvider are recorded from now on."""
    current = trace.get_tracer_provider()
    if isinstance(current, Relay):
        return current
    given = isinstance(current, TracerProvider)
    usual = current if isinstance(current, TracerProvider) else TracerProvider(ALWAYS_ON, shutdown_on_exit=False)
    usual.add_span_processor(Tap(RECORDINGS))
    relay = Relay(usual)
    if given:
        trace._TRACER_PROVIDER = relay  # the API lets it be set once; the one that was set goes on behind it
    else:
        trace.set_tracer_provider(relay)
    return relay


@contextmanager
def making_spans(provider: TracerProvider) -> Iterator[None]:
    """Within: this one makes the process's spans."""
    relay = ready()
    relay.providers.append(provider)
    try:
        yield
    finally:
        relay.providers.remove(provider)
