"""Spans by the names that people have for them: `POST payments.example.com`, `DynamoDB PutItem orders`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency.part import OVERHEAD
from lambda_latency.trace import Span, SpanKind, Trace
from lambda_latency.trace.platform import FUNCTION, SERVICE, is_init, is_platform_phase, is_runtime_init

if TYPE_CHECKING:
    from lambda_latency.latency.charge import Charge

__all__ = ["span_name", "trace_name"]


def trace_name(trace_id: str) -> str:
    """A trace id as X-Ray writes it, and as its console searches for it."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def span_name(trace: Trace, span: Span, charge: Charge) -> str:
    """The name of a span in a waterfall."""
    parent = trace.parent(span)
    if span.origin in (SERVICE, FUNCTION):
        return f"Lambda {span.name}"
    if is_runtime_init(span) and charge.call is None:
        return span.name  # inside of Lambda's own, which is called so
    if is_init(span, parent):
        return "cold start"
    if is_platform_phase(span, parent):
        return OVERHEAD.label if span.name == "Overhead" else span.name
    if charge.foreign:
        service = span.resource.get("service.name")
        return f"{service} {span.name}" if service and span.kind is SpanKind.SERVER else span.name
    if charge.call is not None and charge.part.bucket in ("aws", "retries", "database"):
        return charge.part.name
    if charge.call is not None and charge.part.bucket == "external":
        method = span.attributes.get("http.request.method") or span.attributes.get("http.method")
        return f"{method or span.name} {charge.part.name}"
    if charge.part.bucket == "connect" and span.name in ("dns", "tcp", "tls"):
        return f"{span.name.upper()} {charge.part.name}".rstrip()
    if span is trace.handler:
        return f"{_function(trace, span)} handler"
    return span.name


def _function(trace: Trace, handler: Span) -> str:
    above = trace.parent(handler)
    while above is not None:
        if above.origin in (SERVICE, FUNCTION):
            return above.name
        above = trace.parent(above)
    return str(handler.resource.get("faas.name") or handler.name)
