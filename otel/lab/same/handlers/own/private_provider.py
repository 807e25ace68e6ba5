"""A provider that is not set for the process."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

MEMORY = InMemorySpanExporter()
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(MEMORY))
TRACER = PROVIDER.get_tracer("private")


def handler(event, context):
    MEMORY.clear()
    with TRACER.start_as_current_span("mine"), trace.get_tracer("user").start_as_current_span("theirs"):
        pass
    return [span.name for span in MEMORY.get_finished_spans()]


def unsampled(event, context):
    off = TracerProvider(sampler=ALWAYS_OFF)
    with off.get_tracer("x").start_as_current_span("off") as span:
        return span.is_recording()
