"""The runtime put together: OpenTelemetry's SDK, the waiting instrumentations, and the step after each response.

One value, so that a test can start it with a sink of its own and take it down again without a trace.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry import propagate
from opentelemetry.sdk.trace import SpanLimits

from lambda_latency.runtime.buffer import Buffer
from lambda_latency.runtime.connections import Connections
from lambda_latency.runtime.deadline import DeadlineWatch
from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.imports import ImportHook
from lambda_latency.runtime.invocation import Invocation
from lambda_latency.runtime.libraries import Instrumentations
from lambda_latency.runtime.logs import TraceIds
from lambda_latency.runtime.outbox import Outbox
from lambda_latency.runtime.propagation import LambdaIds, LambdaPropagator, LambdaSampler
from lambda_latency.runtime.recorder import Recorder
from lambda_latency.runtime.redaction import Redaction, room_for
from lambda_latency.runtime.resource import function_resource
from lambda_latency.runtime.shortcuts import current_span, shorten_context
from lambda_latency.runtime.threads import ThreadContext
from lambda_latency.runtime.tracer import LambdaTracerProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.settings import Settings
    from lambda_latency.runtime.sinks import Sink, Urgent
    from lambda_latency.runtime.startup import Startup

__all__ = ["Runtime"]


class Runtime:
    """All that traces one environment. The process-wide provider is left alone: the SDK lets it be set only once.

    `urgent` delivers what cannot wait for the response; without it the sink does. `startup` is told of with the first
    invocation.
    """

    def __init__(
        self, settings: Settings, sink: Sink, urgent: Urgent | None = None, startup: Startup | None = None
    ) -> None:
        self._startup = startup
        self.delivers_before_response = True  # until somebody else calls `after_response` at the right moment
        self._settings = settings
        self._cold = True
        buffer: Buffer[ReadableSpan] = Buffer(settings.buffered_spans, settings.buffered_kb * 1024)
        recorder = Recorder(buffer)
        redaction = Redaction(settings.redacted, settings.value_length)
        self._outbox = Outbox(buffer, recorder, redaction, sink, urgent, settings)
        self._watch = DeadlineWatch(self._outbox.at_deadline, self._outbox.on_the_way, sigalrm=settings.sigalrm)
        self._ids = LambdaIds()
        # `shutdown_on_exit` off: Lambda gives a process no time to say goodbye.
        self.provider = LambdaTracerProvider(
            sampler=LambdaSampler(),
            resource=function_resource(os.environ),
            id_generator=self._ids,
            shutdown_on_exit=False,
            active_span_processor=recorder,
            span_limits=limits(settings),
        )
        self._tracer = self.provider.get_tracer("lambda_latency.runtime")
        self._hook = ImportHook()
        self._instrumentations = Instrumentations(self.provider, self._hook, stand_ins=settings.stand_ins)
        self._threads = ThreadContext()
        self._connections = Connections(self._tracer)
        self._trace_ids = TraceIds()
        self._textmap = propagate.get_global_textmap()
        self._lengthen_context: Callable[[], None] = lambda: None

    def start(self) -> Runtime:
        """Trace what is imported from here on, and what is imported already."""
        # X-Ray's header and nothing else: `tracestate` and `baggage` would carry a stranger's text to the next service.
        propagate.set_global_textmap(LambdaPropagator())
        self._lengthen_context = shorten_context()
        self._hook.install()
        self._instrumentations.start(self._settings.libraries)
        self._threads.start(self._hook)
        if self._settings.connections:
            self._connections.start(self._hook)
        self._trace_ids.start()
        return self

    @harmless("timing the imports")
    def loading(self, handler: str) -> None:
        """The handler is imported next."""
        if self._startup is not None:
            self._startup.loading(handler.rpartition(".")[0].replace("/", "."))

    @harmless("timing the imports")
    def loaded(self) -> None:
        """The handler is imported."""
        if self._startup is not None:
            self._startup.loaded()

    def stop(self) -> None:
        """Leave the process as it was before `start`."""
        self._hook.remove()
        self._connections.stop()
        self._trace_ids.stop()
        self._threads.stop()
        self._instrumentations.stop()
        propagate.set_global_textmap(self._textmap)
        self._lengthen_context()
        self._watch.stop()
        self._outbox.shutdown()

    def before_snapshot(self) -> None:
        """What is made of this process must not share its connections."""
        self._outbox.disconnect()

    @harmless("delivering the last spans")
    def last_chance(self) -> None:
        """The process ends: deliver what has ended, and let the sink try what still waits once more."""
        self.after_response()
        self._outbox.shutdown()

    def begin(self, event: object, context: object) -> Invocation:
        """Start an invocation's span; the first one of the process is its cold start."""
        cold, self._cold = self._cold, False
        trusting = self._settings.trust_headers
        invocation = Invocation.begin(
            self._tracer, event, context, cold=cold, trusting=trusting, watch=self._watch, ids=self._ids
        )
        if cold and self._startup is not None:
            self._tell_startup(self._startup)
        return invocation

    @harmless("the span of the init")
    def _tell_startup(self, startup: Startup) -> None:
        """A child of the invocation's span that begins before it."""
        if current_span().is_recording():
            span = self._tracer.start_span(startup.name, start_time=startup.start_ns, attributes=startup.attributes)
            span.end(startup.end_ns)

    @harmless("delivering spans")
    def after_response(self) -> None:
        """Deliver what has ended, in the time that the sink allows itself, and let it retry what still waits."""
        self._outbox.after_response(held=self.delivers_before_response)


def limits(settings: Settings) -> SpanLimits:
    """What a span may carry. Given in full, for the SDK would raise where a variable says nonsense."""
    attributes, length = settings.attribute_count, room_for(settings.value_length)
    return SpanLimits(
        max_attributes=attributes,
        max_events=settings.event_count,
        max_links=128,
        max_span_attributes=attributes,
        max_event_attributes=attributes,
        max_link_attributes=attributes,
        max_attribute_length=length,
        max_span_attribute_length=length,
    )
