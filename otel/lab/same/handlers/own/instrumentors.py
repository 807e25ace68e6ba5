"""Instruments its libraries itself, with hooks of its own."""

import os

from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.sdk.trace import TracerProvider

if not hasattr(trace.get_tracer_provider(), "add_span_processor"):
    trace.set_tracer_provider(TracerProvider())
CALLED = []
RequestsInstrumentor().instrument(request_hook=lambda span, request: CALLED.append(request.method),
                                  response_hook=lambda span, request, answer: CALLED.append(answer.status_code))  # fmt: skip
ThreadingInstrumentor().instrument()

import requests  # noqa: E402


def handler(event, context):
    CALLED.clear()
    requests.get(f"{os.environ['PEER']}/http/aside", timeout=10)
    return CALLED
