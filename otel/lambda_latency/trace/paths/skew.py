"""Corrects clock skew between services, which shows as a server's span outside of the client's call.

The difference of the clocks follows from the rule of Jaeger's adjuster, that a call takes as long before its server
starts as after its server ended: https://www.jaegertracing.io/docs/latest/faq/#clock-skew-adjustment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.span import SpanKind


def correct_clocks(
    servers: Sequence[CompactSpan], spans: Mapping[str, CompactSpan], children: Mapping[str, Sequence[CompactSpan]]
) -> list[tuple[CompactSpan, int]]:
    """Move each server that does not lie inside its call, with its descendants, to the middle of the call.

    A server that is longer than its call is moved only if it starts before the call, to the start of the call.
    `servers` must have parents before children. Returns each server that was moved, and by how many nanoseconds.
    """
    moved: list[tuple[CompactSpan, int]] = []
    for server in servers:
        call = spans.get(server.parent_id)
        if call is None or not _is_remote(call, server):
            continue
        shift_ns = _difference(call, server)
        if shift_ns:
            for span in with_descendants(server, children):
                span.start_ns += shift_ns
                span.end_ns += shift_ns if span.end_ns else 0
            moved.append((server, shift_ns))
    return moved


def service_of(span: CompactSpan) -> str:
    """The service that recorded a span; empty if its resource names none."""
    return service_of_resource(span.signature.resource)


def service_of_resource(resource: Mapping[str, object]) -> str:
    """The service that a resource names; empty if it names none."""
    name = resource.get("service.name") or resource.get("faas.name")
    return name if isinstance(name, str) else ""


def _is_remote(call: CompactSpan, server: CompactSpan) -> bool:
    if call.signature.kind is not SpanKind.CLIENT or server.signature.kind is not SpanKind.SERVER:
        return False
    if call.signature.origin is not None or server.signature.origin is not None or server.signature.remote is False:
        return False
    caller, callee = service_of(call), service_of(server)
    return not (caller and caller == callee)


def _difference(call: CompactSpan, server: CompactSpan) -> int:
    """The nanoseconds to add to the server's times; 0 if the server fits into its call."""
    if not (call.end_ns and server.end_ns) or server.end_ns < server.start_ns or call.end_ns < call.start_ns:
        return 0
    if server.end_ns - server.start_ns > call.end_ns - call.start_ns:  # the caller timed out or does not wait
        return max(0, call.start_ns - server.start_ns)
    if call.start_ns <= server.start_ns and server.end_ns <= call.end_ns:
        return 0
    return (call.start_ns + call.end_ns - server.start_ns - server.end_ns) // 2


def with_descendants(ancestor: CompactSpan, children: Mapping[str, Sequence[CompactSpan]]) -> Iterator[CompactSpan]:
    """Yield a span and everything below it, parents before children."""
    todo = [ancestor]
    for span in todo:
        yield span
        todo += children.get(span.span_id, ())
