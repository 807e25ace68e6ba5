"""User code with the SDK: a provider of its own, set for the whole process."""

import os

import requests
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

MEMORY, BATCHED, STARTED = InMemorySpanExporter(), InMemorySpanExporter(), []


class Noting(SpanProcessor):
    def on_start(self, span, parent_context=None):
        STARTED.append(span.name)
        span.set_attribute("tenant", "t1")


PROVIDER = TracerProvider(resource=Resource.create({"service.name": "own"}))
PROVIDER.add_span_processor(Noting())
PROVIDER.add_span_processor(SimpleSpanProcessor(MEMORY))
PROVIDER.add_span_processor(BatchSpanProcessor(BATCHED))
trace.set_tracer_provider(PROVIDER)
TRACER = trace.get_tracer("user")
OWN = ("outer", "inner", "direct")

with trace.get_tracer("user").start_as_current_span("outer"):
    pass
AT_INIT = [span.name for span in MEMORY.get_finished_spans()]


def is_set(event, context):
    return [trace.get_tracer_provider() is PROVIDER, AT_INIT]


def exported(event, context):
    MEMORY.clear()
    with TRACER.start_as_current_span("outer"):
        with TRACER.start_as_current_span("inner"):
            requests.get(f"{os.environ['PEER']}/http/own", timeout=10)
    with PROVIDER.get_tracer("x").start_as_current_span("direct"):
        pass
    return [[span.name, span.attributes["tenant"]] for span in MEMORY.get_finished_spans() if span.name in OWN]


def flushed(event, context):
    BATCHED.clear()
    with TRACER.start_as_current_span("outer"):
        pass
    return [
        trace.get_tracer_provider().force_flush(),
        [span.name for span in BATCHED.get_finished_spans() if span.name in OWN],
    ]


def described(event, context):
    with TRACER.start_as_current_span("outer", attributes={"a": 1}) as span:
        span.add_event("e")
        return [span.resource.attributes["service.name"], dict(span.attributes), [one.name for one in span.events],
                type(span).__name__, span.is_recording(), '"name": "outer"' in span.to_json()]  # fmt: skip


def shut_down(event, context):
    PROVIDER.shutdown()
    with TRACER.start_as_current_span("after"):
        pass
    return "ok"
