"""A function that uses OpenTelemetry's tracing itself, in the way that the variable CASE names."""

# ruff: noqa: ARG002 - the SDK's interfaces

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, Span

CASE = os.environ["CASE"]
URL = os.environ["PROVIDER"]
TRACER = trace.get_tracer("function")
MEMORY = InMemorySpanExporter()


class Own(TextMapPropagator):
    """Another vendor's header."""

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        return context

    def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
        carrier["X-Own"] = "yes"

    @property
    def fields(self) -> set[str]:
        return {"X-Own"}


class Tenant(SpanProcessor):
    """Puts the tenant on every span."""

    ended: list[str] = []  # noqa: RUF012 - of the process

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        span.set_attribute("tenant", "t1")

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span.name)


def called() -> None:
    """A call whose headers the provider keeps."""
    import requests

    requests.get(f"{URL}/rates", timeout=5)


if CASE == "provider":
    PROVIDER = TracerProvider(shutdown_on_exit=False)
    PROVIDER.add_span_processor(SimpleSpanProcessor(MEMORY))
    trace.set_tracer_provider(PROVIDER)
    TRACER = trace.get_tracer("function")
if CASE == "processor":
    trace.get_tracer_provider().add_span_processor(Tenant())  # type: ignore[attr-defined]
if CASE == "propagator":
    propagate.set_global_textmap(Own())
if CASE == "init":
    with TRACER.start_as_current_span("load the model"), TRACER.start_as_current_span("read the file") as SPAN:
        RECORDED = SPAN.is_recording()
if CASE == "init_call":
    called()
if CASE == "pools":
    import concurrent.futures.thread  # noqa: F401 - its lock is taken and freed by hooks of its own around each fork
if CASE == "hooks":
    from opentelemetry.instrumentation.requests import RequestsInstrumentor

    HOOKED: list[str] = []
    RequestsInstrumentor().instrument(request_hook=lambda _span, request: HOOKED.append(request.path_url))


def provider() -> Any:
    """Its own exporter has the runtime's spans, too; the last invocation's own span has ended since."""
    with TRACER.start_as_current_span("own"):
        called()
    return [trace.get_tracer_provider() is PROVIDER, [span.name for span in MEMORY.get_finished_spans()]]


def processor() -> Any:
    with TRACER.start_as_current_span("own"):
        pass
    return list(Tenant.ended)


def propagator() -> Any:
    called()
    return None


def with_baggage() -> Any:
    token = context.attach(baggage.set_baggage("tenant", "t1"))
    called()
    context.detach(token)
    return None


def init() -> Any:
    return RECORDED


def init_call() -> Any:
    return None


def roots() -> Any:
    """A consumer that begins a trace for each message."""
    for name in ("first", "second"):
        with TRACER.start_as_current_span(name, context=context.Context()):
            called()
    return None


def framework() -> Any:
    """A web framework with spans of its own: their parent is in the headers of the request, if they name one."""
    for headers in ({"X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]}, {}):
        parent = propagate.extract(headers)
        token = context.attach(parent)
        with TRACER.start_as_current_span("request", context=parent, kind=trace.SpanKind.SERVER):
            called()
        context.detach(token)
    return None


def framework_hangs() -> Any:
    """The framework's span is open when Lambda kills the process."""
    with TRACER.start_as_current_span("request", context=context.Context(), kind=trace.SpanKind.SERVER):
        threading.Event().wait()


def flush_and_exit() -> Any:
    with TRACER.start_as_current_span("before the exit"):
        pass
    print("flushed", trace.get_tracer_provider().force_flush(), flush=True)  # type: ignore[attr-defined]
    os._exit(1)


def hooks() -> Any:
    called()
    return HOOKED


def forks() -> Any:
    """One child by hand, one of multiprocessing; both end as such children do."""
    child = os.fork()
    if child == 0:
        with TRACER.start_as_current_span("by hand"):
            called()
        os._exit(0)
    os.waitpid(child, 0)
    process = multiprocessing.get_context("fork").Process(target=worked)
    process.start()
    process.join()
    return process.exitcode


def pools() -> Any:
    return forks()


def exits() -> Any:
    """A child that leaves as Python code does: by an exception through the handler, and by functions of `atexit`."""
    child = os.fork()
    if child == 0:
        with TRACER.start_as_current_span("by hand"):
            called()
        sys.exit(6)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def worked() -> None:
    with TRACER.start_as_current_span("by multiprocessing"):
        called()


def handler(_event: object, _context: object) -> Any:
    """Whatever the case says."""
    return getattr(sys.modules[__name__], CASE)()
