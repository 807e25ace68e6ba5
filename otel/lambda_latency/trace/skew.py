"""Clocks of two services that differ: a server's span that does not fit into the call that it answers.

A call takes as long before its server starts as after it ended (the rule of Jaeger's adjuster,
https://www.jaegertracing.io/docs/latest/faq/#clock-skew-adjustment): that says by how much the clocks differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.span import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_latency.trace.row import Row

__all__ = ["correct_clocks", "service_of"]


def correct_clocks(
    servers: Sequence[Row], rows: Mapping[str, Row], children: Mapping[str, Sequence[Row]]
) -> list[tuple[Row, int]]:
    """Move each server that lies outside of its call, with all that is below it, to the middle of the call.

    `servers` come parents before children. The answer has each row that was moved, and by how many nanoseconds.
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
    """The service that recorded a row, as its resource says; empty where it does not."""
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
    """By how much the server's clock has to be put forward; 0 where it fits."""
    if not (call.end_ns and server.end_ns) or server.end_ns < server.start_ns or call.end_ns < call.start_ns:
        return 0
    if server.end_ns - server.start_ns > call.end_ns - call.start_ns:  # the caller gave up, or nobody waits
        return max(0, call.start_ns - server.start_ns)
    if call.start_ns <= server.start_ns and server.end_ns <= call.end_ns:
        return 0
    return (call.start_ns + call.end_ns - server.start_ns - server.end_ns) // 2


def _below(server: Row, children: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    todo = [server]
    for row in todo:
        yield row
        todo += children.get(row.span_id, ())
