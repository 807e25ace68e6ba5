"""The function under test: it writes its environment, with the key of its backend, wherever a span has a text."""

import os
from typing import Any

from opentelemetry import trace

TRACER = trace.get_tracer("function")


def handler(_event: dict[str, Any], _context: Any) -> str:
    """One invocation."""
    with TRACER.start_as_current_span(f"call with {os.environ['OTEL_EXPORTER_OTLP_HEADERS']}") as span:
        span.set_attribute("environment", str(dict(os.environ)))
        span.record_exception(ValueError(f"bad headers: {os.environ['OTEL_EXPORTER_OTLP_HEADERS']}"))
    return "answered"
