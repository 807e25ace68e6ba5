"""Who calls whom: API Gateway, functions and what they call, with how often and for how long.

A table is one node whatever is asked of it, and so is a queue or a bucket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel.latency.calls import Calls
from otel.latency.charge import resource_of
from otel.latency.part import Part
from otel.latency.totals import percentile

if TYPE_CHECKING:
    from otel.latency.account import Account
    from otel.latency.report import Report

__all__ = ["call_map", "called", "caller"]

CALLED = ("aws", "external", "database")


@dataclass(slots=True)
class _Edge:
    took: list[int] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    timeouts: int = 0


def call_map(report: Report) -> dict[str, object]:
    """The map as JSON has it: nodes with ids, edges with calls, lengths of calls and what went wrong with them."""
    ids: dict[tuple[str, str], int] = {}
    edges: dict[tuple[int, int], _Edge] = {}
    functions: dict[str, int] = {}

    def node(kind: str, name: str) -> int:
        return ids.setdefault((kind, name), len(ids))

    for one in report.accounts:
        function = functions[one.trace_id] = node(*caller(one))
        if any(part.bucket == "api gateway" for part, _ in one.parts):
            edge = edges.setdefault((node("api gateway", "API Gateway"), function), _Edge())
            edge.took.append(one.wall_ns)
            edge.calls += Calls(1, errors=int(one.error and not one.timed_out))
            edge.timeouts += one.timed_out
        took = dict(one.took)
        for part, calls in one.calls:
            callee = called(part)
            if callee is not None:
                edge = edges.setdefault((function, node(*callee)), _Edge())
                edge.took += took.get(part, ())
                edge.calls += calls
    for timeout in report.timeouts:
        callee = called(timeout.part) if timeout.part is not None else None
        if callee is not None:
            edges.setdefault((functions[timeout.trace_id], node(*callee)), _Edge()).timeouts += 1
    return {
        "nodes": [{"id": at, "kind": kind, "name": name} for (kind, name), at in ids.items()],
        "edges": [_edge(at, to, edge) for (at, to), edge in sorted(edges.items())],
    }


def caller(one: Account) -> tuple[str, str]:
    """Kind and name of the node of the function that answered a request."""
    return "function", one.function or one.route


def called(part: Part) -> tuple[str, str] | None:
    """Kind and name of the node of a part that is a call; one that was retried is a call of the same resource."""
    if part.bucket == "retries":
        return "aws", part.name
    if part.bucket == "aws":
        return "aws", resource_of(part.name)
    return (part.bucket, part.name) if part.bucket in CALLED else None


def _edge(at: int, to: int, edge: _Edge) -> dict[str, object]:
    return {
        "from": at,
        "to": to,
        "calls": edge.calls.calls,
        "p50_ns": percentile(edge.took, 50),
        "p95_ns": percentile(edge.took, 95),
        "total_ns": sum(edge.took),
        "errors": edge.calls.errors,
        "throttles": edge.calls.throttles,
        "timeouts": edge.timeouts,
    }
