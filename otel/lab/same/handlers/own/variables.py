"""OpenTelemetry's own variables, as people set them for other tools."""

import os

import requests
from opentelemetry import propagate, trace


def handler(event, context):
    requests.get(f"{os.environ['PEER']}/http/variables", timeout=10)
    with trace.get_tracer("user").start_as_current_span("mine"):
        pass
    return {
        name: value for name, value in sorted(os.environ.items()) if name.startswith("OTEL_") and "ENDPOINT" not in name
    }


def fields(event, context):
    return sorted(set(propagate.get_global_textmap().fields) - {"X-Amzn-Trace-Id"})
