"""The runtime put together: OpenTelemetry's SDK, the waiting instrumentations, and the step after each response.

One value, so that a test can start it with a sink of its own and take it down again without a trace.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry import propagate
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator
from opentelemetry.sdk.trace import TracerProvider

from otel.runtime.buffer import Buffer
from otel.runtime.harmless import harmless, warn
from otel.runtime.imports import ImportHook
from otel.runtime.invocation import Invocation
from otel.runtime.libraries import Instrumentations
from otel.runtime.propagation import LambdaIds, lambda_sampler
from otel.runtime.resource import function_resource

if TYPE_CHECKING:
    from otel.runtime.sender import Sink
    from otel.runtime.settings import Settings

__all__ = ["Runtime"]


class Runtime:
    """All that traces one environment. The process-wide provider is left alone: the SDK lets it be set only once."""

    def __init__(self, settings: Settings, sink: Sink) -> None:
        self._sink = sink
        self._cold = True
        self._buffer = Buffer(settings.buffered_spans)
        # `shutdown_on_exit` off: Lambda gives a process no time to say goodbye.
        self.provider = TracerProvider(
            sampler=lambda_sampler(),
            resource=function_resource(os.environ),
            id_generator=LambdaIds(),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(self._buffer)
        self._tracer = self.provider.get_tracer("otel.runtime")
        self._libraries = settings.libraries
        self._hook = ImportHook()
        self._instrumentations = Instrumentations(self.provider, self._hook)
        self._textmap = propagate.get_global_textmap()

    def start(self) -> Runtime:
        """Trace what is imported from here on, and what is imported already."""
        # X-Ray's header and nothing else: `tracestate` and `baggage` would carry a stranger's text to the next service.
        propagate.set_global_textmap(AwsXRayPropagator())
        self._hook.install()
        self._instrumentations.start(self._libraries)
        return self

    def stop(self) -> None:
        """Leave the process as it was before `start`."""
        self._hook.remove()
        self._instrumentations.stop()
        propagate.set_global_textmap(self._textmap)
        self._sink.shutdown()

    def begin(self, event: object, context: object) -> Invocation:
        """Start an invocation's span; the first one of the process is its cold start."""
        cold, self._cold = self._cold, False
        return Invocation.begin(self._tracer, event, context, cold=cold)

    @harmless("delivering spans")
    def after_response(self) -> None:
        """Deliver what has ended, in the time that the sink allows itself."""
        spans, dropped = self._buffer.drain()
        if dropped:
            warn(f"{dropped} spans were dropped; LAMBDA_LATENCY_BUFFERED_SPANS is the limit")
        if spans:
            self._sink.export(spans)
