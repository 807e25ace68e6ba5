"""Spans of its init."""

from opentelemetry import trace

with trace.get_tracer("user").start_as_current_span("load model"):
    MODEL = "loaded"


def handler(event, context):
    return MODEL
