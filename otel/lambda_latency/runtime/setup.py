"""Assembles the runtime: OpenTelemetry's SDK, the instrumentations, and the delivery after each response.

It is one object, so that a test can start it with a sink of its own and stop it without a remainder.
"""

from __future__ import annotations

# Imported for its fork hooks, which must be registered before those of the SDK's provider: hooks run in this order, the
# SDK's submits to a pool in each child, and this module's hook frees the lock that the pool needs.
import concurrent.futures.thread  # noqa: F401
import os
import sys
from math import inf
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.sdk.extension.aws.resource import AwsLambdaResourceDetector
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import INVALID_SPAN, Link, SpanKind, StatusCode

from lambda_latency.runtime.deadline.watch import DeadlineWatch
from lambda_latency.runtime.delivery.after_response import is_managed, is_monkey_patched
from lambda_latency.runtime.delivery.outbox import Outbox
from lambda_latency.runtime.drivers.connections import Connections
from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.imports import ImportHook
from lambda_latency.runtime.invocation import Invocation, started
from lambda_latency.runtime.lean import Provider
from lambda_latency.runtime.libraries import Instrumentations, log_untraceable
from lambda_latency.runtime.logs import allow_none, give_trace_ids, shorten_failures
from lambda_latency.runtime.own_telemetry import OwnTelemetry
from lambda_latency.runtime.propagation import BEGINNING, INIT, LambdaIds, LambdaSampler, header_below
from lambda_latency.runtime.recorder import Buffer, Guest, Recorder
from lambda_latency.runtime.settings import SPARE
from lambda_latency.runtime.threads import carry_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

    from lambda_latency.runtime.delivery.outbox import Sink
    from lambda_latency.runtime.settings import Settings
    from lambda_latency.runtime.startup import Startup

# One in 64 requests is sampled from its begin: typical ones, to compare slow ones with
UNCHOSEN = 63


class Runtime:
    """Traces one environment. `startup` becomes a span of the first invocation."""

    def __init__(self, settings: Settings, sink: Sink, startup: Startup | None = None) -> None:
        self._startup = startup
        # Until a hook calls `after_response` after each response
        self.delivers_before_response = True
        self._settings, self._cold = settings, True
        self._modules = 0  # the number of modules when they were last searched
        self._untraceable: set[str] = set()
        self._sampler = LambdaSampler()
        buffer: Buffer[ReadableSpan] = Buffer(settings.buffered_spans, settings.buffered_kb * 1024)
        self.recorder = Recorder(buffer, self._sampler, settings.buffered_spans, self.flush)
        self._outbox = Outbox(self.recorder, sink, settings, killed=not is_managed())
        self._watch = DeadlineWatch(self._outbox.at_deadline, self._outbox.on_the_way, settings)
        self._ids = LambdaIds()
        resource = function_resource(os.environ)
        self.provider = Provider(
            self.recorder, self._sampler, limits(settings), resource=resource, id_generator=self._ids
        )
        self._tracer = self._tried(sink)
        self._hook = ImportHook()
        self._undo: list[Callable[[], object]] = []  # restores the process to its state before `start`
        guest = Guest(self.recorder, self._sampler)
        self._own = OwnTelemetry(self.provider, guest, settings.propagators, self._undo)

    def _tried(self, sink: Sink) -> Tracer:
        """Return the runtime's tracer, after a span of it: a lean one, or where that fails one of the SDK.

        What fails here would fail in the function's calls. If the SDK's span fails, too, nothing is traced.
        """
        try:
            self.provider.check_names()
            return self._tracer_after_a_span(sink)
        except Exception as error:
            if not self.provider.is_lean:
                raise
            self.provider.is_lean = False
            tracer = self._tracer_after_a_span(sink)
            self.provider.give_up(error)
            return tracer

    def _tracer_after_a_span(self, sink: Sink) -> Tracer:
        """Let a span with all that a span may have go through the tracer, the recorder and the propagator.

        One of the SDK is encoded, too. The import of an encoder would be dear for the cold starts of known versions.
        """
        tracer = self.provider.get_tracer("lambda_latency.runtime")
        self._sampler.decision = self.recorder.on_trial = self.provider.on_trial = True
        attributes: dict[str, Any] = {"plain": "text", "unusual": b""}
        try:
            with tracer.start_as_current_span("trial", Context(), SpanKind.SERVER, attributes) as parent:
                links = [Link(parent.get_span_context())]
                span = tracer.start_span("trial", None, SpanKind.CLIENT, None, links)
                span.set_attributes(attributes)
                span.record_exception(ValueError())
                span.set_status(StatusCode.ERROR)
                header_below(span, "")
                if span.is_recording() and span.kind is SpanKind.CLIENT:  # type: ignore[attr-defined] # as drivers ask
                    span.end()
        finally:
            recorded, _ = self.recorder.buffer.drain()
            self.recorder.open.clear()
            self._sampler.decision = INIT
            self.recorder.on_trial = self.provider.on_trial = False
        if not self.provider.is_lean:
            sink.urgent(recorded)
        return tracer

    def start(self, *, is_global: bool = False) -> Runtime:
        """Trace libraries from now on. `is_global`: the provider is the process's until the function sets one."""
        try:
            self._start(is_global=is_global)
        except Exception:
            self.stop()
            raise
        return self

    def _start(self, *, is_global: bool) -> None:
        settings, undo = self._settings, self._undo
        self._own.start(is_global=is_global)
        self._hook.install()
        libraries = Instrumentations(self.provider, self._hook, self._own.traces, undo, stand_ins=settings.stand_ins)
        libraries.start(settings.libraries)
        carry_context(self._hook, undo)
        if settings.connections:
            Connections(self._tracer, undo).start(self._hook)
            for name in ("asyncio", "anyio.streams.tls"):
                self._hook.on_import(name, self._loops_arrived)
        give_trace_ids(undo)
        allow_none(undo)
        shorten_failures(undo)
        # Emptied by `stop`, because Python cannot remove such a hook
        forked = [self._forked]
        os.register_at_fork(after_in_child=lambda: [call() for call in forked])
        undo.append(forked.clear)

    def _loops_arrived(self, module: ModuleType) -> None:
        from lambda_latency.runtime.drivers.connections_async import instrument

        self._undo += instrument(module, self._tracer)

    @harmless("the end of the imports")
    def loaded(self) -> None:
        """The import of the handler has ended."""
        if self._startup is not None:
            self._startup.ready()
        if is_monkey_patched():
            self._outbox.renew()
            self._watch.renew()

    def stop(self) -> None:
        """Restore the process to its state before `start`."""
        self._hook.remove()
        while self._undo:
            self._undo.pop()()
        self._watch.stop()
        self._outbox.shutdown()

    def before_snapshot(self) -> None:
        """Close connections: copies of this process must not share them."""
        self._outbox.disconnect()

    @harmless("waking up from a snapshot")
    def restored(self) -> None:
        """Drop the spans of init: it ran in the environment that this process was copied from."""
        self.recorder.drop_early()
        if self._startup is not None:
            self._startup.restored()

    def outlive(self) -> None:
        """Nothing is killed at the deadline of the last invocation: deliveries need not end before it."""
        self._outbox.begin(None)

    @harmless("delivering the last spans")
    def last_chance(self) -> None:
        """The process exits: deliver the ended spans, and let the sink try the waiting ones once more."""
        self.outlive()
        if self._sampler.decision != INIT:
            self.after_response()
        self._outbox.shutdown()

    def begin(self, event: object, context: object) -> Invocation:
        """Start the span of an invocation. The first one of the process is a cold start."""
        cold, self._cold = self._cold, False
        if cold:  # later, after each response
            self._own.look()
        self._outbox.begin(context)
        try:
            invocation = self._begun(event, context, cold=cold)
        except Exception as error:  # noqa: BLE001 - the request goes on, whatever fails
            warn(f"this request is not traced ({type(error).__name__}: {error})")
            self._sampler.decision = False
            invocation = Invocation(INVALID_SPAN, None, self._watch, "", None)
        if cold:
            self._record_startup(recorded=self._sampler.decision is True)
        return invocation

    def _begun(self, event: object, context: object, *, cold: bool) -> Invocation:
        self._sampler.decision, self._ids.current = BEGINNING, 0
        if self.recorder.open:
            self.recorder.forget_open()
        trusting, watch = self._settings.trust_headers, self._watch
        invocation = started(self._tracer, event, context, cold=cold, trusting=trusting, watch=watch)
        self._sampler.decision = invocation.span.is_recording()
        self.recorder.handler_span = span_context = invocation.span.get_span_context()
        self._ids.current = span_context.trace_id
        if not span_context.trace_id & UNCHOSEN:
            watch.choose()
        return invocation

    @harmless("the span of the init")
    def _record_startup(self, *, recorded: bool) -> None:
        """Make the init a child of the invocation's span, which begins before it, with the spans of init below."""
        startup = self._startup
        if not recorded or startup is None:
            self.recorder.drop_early()
            return
        span = self._tracer.start_span(startup.name, start_time=startup.start_ns, attributes=startup.attributes)
        self.recorder.adopt(span.get_span_context())
        span.end(startup.end_ns)

    @harmless("delivering spans")
    def after_response(self, deadline: float = inf) -> None:
        """Deliver the ended spans and retry the waiting ones, within the sink's time limit and before the deadline."""
        self._own.look()
        # A response that waits for this delivery must not wait for another one, too.
        self._outbox.flush(0 if self.delivers_before_response else inf, deadline)
        if len(sys.modules) != self._modules and self._settings.libraries:
            log_untraceable(self._untraceable)
            self._modules = len(sys.modules)

    def flush(self, seconds: float) -> bool:
        """Deliver the ended spans; those of init wait for the first invocation."""
        return self._sampler.decision == INIT or self._outbox.flush(seconds)

    def _forked(self) -> None:
        self._watch.renew()
        self.recorder.forked()
        self._outbox.forked()


def limits(settings: Settings) -> SpanLimits:
    """Return the limits of spans. All are given, because the SDK raises for a variable that is not valid."""
    attributes, length = settings.attribute_count, settings.value_length + SPARE
    return SpanLimits(attributes, settings.event_count, 128, attributes, attributes, attributes, length, length)


def function_resource(environ: Mapping[str, str]) -> Resource:
    """Return the resource of this environment. `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` override it.

    Upstream's detector lacks the service's name, and has the memory in megabytes instead of the convention's bytes.
    `Resource.create` would scan all installed packages for detectors at each cold start.
    """
    attributes: dict[str, AttributeValue] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": sdk_version,
    }
    name, memory = environ.get("AWS_LAMBDA_FUNCTION_NAME"), environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if name:
        attributes["service.name"] = name
    if memory.isdecimal():
        attributes["faas.max_memory"] = int(memory) * 1024 * 1024
    return AwsLambdaResourceDetector().detect().merge(Resource(attributes)).merge(OTELResourceDetector().detect())
