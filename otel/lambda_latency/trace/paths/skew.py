"""Corrects clock skew between services, which shows as a server's span outside of the client's call.

The difference of the clocks follows from the rule of Jaeger's adjuster, that a call takes as long before its server
starts as after its server ended: https://www.jaegertracing.io/docs/latest/faq/#clock-skew-adjustment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.model.span import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_latency.trace.model.row import Row


def correct_clocks(
    servers: Sequence[Row], rows: Mapping[str, Row], children: Mapping[str, Sequence[Row]]
) -> list[tuple[Row, int]]:
    """Move each server that does not lie inside its call, with its descendants, to the middle of the call.

    A server that is longer than its call is moved only if it starts before the call, to the start of the call.
    `servers` must have parents before children. Returns each server that was moved, and by how many nanoseconds.
    """
    moved: list[tuple[Row, int]] = []
    for server in servers:
        call = rows.get(server.parent_id)
        if call is None or not _is_remote(call, server):
            continue
        by = _difference(call, server)
        if by:
            for row in _below(server, children):
                row.start_ns += by
                row.end_ns += by if row.end_ns else 0
            moved.append((server, by))
    return moved


def service_of(row: Row) -> str:
    """The service that recorded a row, from its resource; empty if the resource names none."""
    resource = row.shape.resource
    name = resource.get("service.name") or resource.get("faas.name")
    return name if isinstance(name, str) else ""


def _is_remote(call: Row, server: Row) -> bool:
    if call.shape.kind is not SpanKind.CLIENT or server.shape.kind is not SpanKind.SERVER:
        return False
    if call.shape.origin is not None or server.shape.origin is not None or server.shape.remote is False:
        return False
    caller, callee = service_of(call), service_of(server)
    return not (caller and caller == callee)


def _difference(call: Row, server: Row) -> int:
    """The nanoseconds to add to the server's times; 0 if the server fits into its call."""
    if not (call.end_ns and server.end_ns) or server.end_ns < server.start_ns or call.end_ns < call.start_ns:
        return 0
    if server.end_ns - server.start_ns > call.end_ns - call.start_ns:  # the caller timed out or does not wait
        return max(0, call.start_ns - server.start_ns)
    if call.start_ns <= server.start_ns and server.end_ns <= call.end_ns:
        return 0
    return (call.start_ns + call.end_ns - server.start_ns - server.end_ns) // 2


def _below(server: Row, children: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    todo = [server]
    for row in todo:
        yield row
        todo += children.get(row.span_id, ())
