"""Adds a processor to whatever provider there is, as libraries do."""

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

ENDED = []


class Noting(SpanProcessor):
    def on_end(self, span):
        ENDED.append(span.name)


if not hasattr(trace.get_tracer_provider(), "add_span_processor"):
    trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(Noting())


def handler(event, context):
    with trace.get_tracer("user").start_as_current_span("mine"):
        pass
    return [name for name in ENDED if name == "mine"]
