"""Who calls whom: API Gateway, functions and what they call, with how often and for how long.

A table is one node whatever is asked of it, and so is a queue or a bucket.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel.latency.accounts import ERROR, TIMED_OUT
from otel.latency.calls import Calls
from otel.latency.charge import resource_of
from otel.latency.part import API_GATEWAY, Part
from otel.latency.totals import percentile

if TYPE_CHECKING:
    from otel.latency.account import Account
    from otel.latency.report import Report

__all__ = ["call_map", "called", "caller"]

CALLED = ("aws", "external", "database")


@dataclass(slots=True)
class _Edge:
    took: array[int] = field(default_factory=lambda: array("q"))
    calls: Counter[Calls] = field(default_factory=Counter)  # few of them differ
    timeouts: int = 0


def call_map(report: Report) -> dict[str, object]:
    """The map as JSON has it: nodes with ids, edges with calls, lengths of calls and what went wrong with them."""
    ids: dict[tuple[str, str], int] = {}
    edges: dict[tuple[int, int], _Edge] = {}
    timed_out: dict[str, int] = {}

    def node(kind: str, name: str) -> int:
        return ids.setdefault((kind, name), len(ids))

    every = report.accounts
    routes, functions, kinds = list(every.routes), list(every.functions), list(every.kinds)
    callees = [called(part) for part in every.parts]
    gateway = every.parts.get(API_GATEWAY, -1)
    for at, (route, named, flags, wall_ns) in enumerate(
        zip(every.route_of, every.function_of, every.flags, every.walls_ns, strict=True)
    ):
        function = node("function", functions[named] or routes[route])
        if flags & TIMED_OUT:
            timed_out[every.trace_id(at)] = function
        if gateway in every.part_of[every.parts_end[at] : every.parts_end[at + 1]]:
            edge = edges.setdefault((node("api gateway", "API Gateway"), function), _Edge())
            edge.took.append(wall_ns)
            edge.calls[Calls(1, errors=int(flags & (ERROR | TIMED_OUT) == ERROR))] += 1
            edge.timeouts += bool(flags & TIMED_OUT)
        for one in range(every.calls_end[at], every.calls_end[at + 1]):
            callee = callees[every.called[one]]
            if callee is not None:
                edge = edges.setdefault((function, node(*callee)), _Edge())
                edge.took.extend(every.took_ns[every.took_end[one] : every.took_end[one + 1]])
                edge.calls[kinds[every.call_kind[one]]] += 1
    for timeout in report.timeouts:
        callee = called(timeout.part) if timeout.part is not None else None
        if callee is not None:
            edges.setdefault((timed_out[timeout.trace_id], node(*callee)), _Edge()).timeouts += 1
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
    calls = sum((one * times for one, times in edge.calls.items()), Calls())
    return {
        "from": at,
        "to": to,
        "calls": calls.calls,
        "p50_ns": percentile(edge.took, 50),
        "p95_ns": percentile(edge.took, 95),
        "total_ns": sum(edge.took),
        "errors": calls.errors,
        "throttles": calls.throttles,
        "timeouts": edge.timeouts,
    }
