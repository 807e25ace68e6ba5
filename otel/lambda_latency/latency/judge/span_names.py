"""Names of spans for people: `POST payments.example.com`, `DynamoDB PutItem orders`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace import FUNCTION, SERVICE, SpanKind, service_of

if TYPE_CHECKING:
    from lambda_latency.latency.judge.charge import Charge
    from lambda_latency.trace import Row, Shape, Span, Trace

DAY_S = 86_400
STEPS = {"connect": "connect to", "dns": "DNS", "tcp": "TCP", "tls": "TLS", "handshake": "handshake with"}


def trace_name(trace_id: str, start_ns: int) -> str:
    """A trace id as its source writes it: in the form of X-Ray's console, as 16 hex digits (64-bit ids), or unchanged.

    An id of X-Ray begins with the second of the request's start, in hex.
    """
    if trace_id.startswith("0" * 16):
        return trace_id[16:]
    is_xray = abs(int(trace_id[:8], 16) - start_ns // 10**9) < DAY_S
    return f"1-{trace_id[:8]}-{trace_id[8:]}" if is_xray else trace_id


def span_name(trace: Trace, row: Row, charge: Charge) -> str:
    """The name of a span in a waterfall."""
    tree, span, shape = trace.tree, trace.span(row), row.shape
    if span.origin in (SERVICE, FUNCTION):
        return f"Lambda {span.name}"
    if shape.is_runtime_init and charge.call is None:
        return span.name  # inside Lambda's Initialization, whose name is `cold start`
    if tree.is_init(row):
        return "cold start"
    if tree.is_phase(row):
        return charge.part.label if span.name == "Overhead" else span.name
    if charge.foreign or _is_named_service(span, charge):
        return _of_service(span, shape)
    if charge.call is not None and charge.part.bucket in ("aws", "retries", "database", "messaging"):
        return charge.part.name
    if charge.call is not None and charge.part.bucket == "external":
        return f"{shape['http.request.method'] or shape['http.method'] or span.name} {charge.part.name}"
    if row is tree.handler:
        return f"{_function(trace, row)} handler"
    parent = tree.parent(row)
    if parent is not None and service_of(row) and service_of(parent) not in ("", service_of(row)):
        return f"{service_of(row)} {span.name}"
    return _of_connection(span, charge)


def _of_connection(span: Span, charge: Charge) -> str:
    """Name a step of a connection after its target, the wait for a pool after the pool; other spans keep their name."""
    if charge.part.bucket == "connect" and span.name in STEPS:
        return f"{STEPS[span.name]} {charge.part.name}".rstrip()
    return charge.part.label if charge.part.bucket == "pool" else span.name


def _is_named_service(span: Span, charge: Charge) -> bool:
    named = charge.code is not None and bool(charge.code.name)
    return named and span.kind is SpanKind.SERVER and span.origin is None


def _of_service(span: Span, shape: Shape) -> str:
    service = shape.resource.get("service.name")
    return f"{service} {span.name}" if service and span.kind is SpanKind.SERVER else span.name


def _function(trace: Trace, handler: Row) -> str:
    above = trace.tree.parent(handler)
    while above is not None:
        if above.shape.origin in (SERVICE, FUNCTION):
            return above.name
        above = trace.tree.parent(above)
    return str(handler.shape.resource.get("faas.name") or handler.name)
