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
from otel.latency.part import API_GATEWAY, Part, resource_of
from otel.latency.totals import at_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel.latency.account import Account
    from otel.latency.accounts import Accounts
    from otel.latency.report import Report
    from otel.latency.timeouts import Timeout

__all__ = ["call_map", "called", "caller"]

CALLED = ("aws", "external", "database")


@dataclass(slots=True)
class _Edge:
    took: array[int] = field(default_factory=lambda: array("q"))  # of requests, in nanoseconds
    calls: array[int] = field(default_factory=lambda: array("I"))  # places of lengths of calls among all of them
    kinds: Counter[int] = field(default_factory=Counter)  # which calls, by their number among all kinds of calls
    requests: int = 0
    errors: int = 0
    timeouts: int = 0


class _Map:
    """Nodes by kind and name, edges by the numbers of two nodes."""

    def __init__(self, every: Accounts) -> None:
        self._every = every
        self._timed_out: dict[str, int] = {}  # the function of each trace
        self.nodes: dict[tuple[str, str], int] = {}
        self.edges: dict[tuple[int, int], _Edge] = {}

    def node(self, kind: str, name: str) -> int:
        return self.nodes.setdefault((kind, name), len(self.nodes))

    def edge(self, at: int, to: int) -> _Edge:
        return self.edges.setdefault((at, to), _Edge())

    def add_requests(self) -> Iterator[int]:
        """Each request's way into its function; yields the node of that."""
        every = self._every
        routes, functions = list(every.routes), list(every.functions)
        gateway = every.parts.get(API_GATEWAY, -1)
        for at, (route, named, flags, wall_ns) in enumerate(
            zip(every.route_of, every.function_of, every.flags, every.walls_ns, strict=True)
        ):
            function = self.node("function", functions[named] or routes[route])
            if flags & TIMED_OUT:
                self._timed_out[every.trace_id(at)] = function
            if gateway in every.part_of[every.parts_end[at] : every.parts_end[at + 1]]:
                edge = self.edge(self.node("api gateway", "API Gateway"), function)
                edge.took.append(wall_ns)
                edge.requests += 1
                edge.errors += flags & (ERROR | TIMED_OUT) == ERROR
                edge.timeouts += bool(flags & TIMED_OUT)
            yield function

    def add_calls(self, function_of: Iterable[int]) -> None:
        """The calls of each request, of the function with this node."""
        every = self._every
        callees = [called(part) for part in every.parts]
        found: dict[tuple[int, int], _Edge | None] = {}  # of a function and the number of a part
        first = 0
        for function, last in zip(function_of, every.calls_end[1:], strict=True):
            for one in range(first, last):
                pair = function, every.called[one]
                if pair not in found:
                    callee = callees[pair[1]]
                    found[pair] = self.edge(function, self.node(*callee)) if callee is not None else None
                edge = found[pair]
                if edge is not None:
                    edge.calls.extend(range(every.took_end[one], every.took_end[one + 1]))
                    edge.kinds[every.call_kind[one]] += 1
            first = last

    def add_timeouts(self, timeouts: Iterable[Timeout]) -> None:
        """The calls that were running when a function timed out."""
        for timeout in timeouts:
            callee = called(timeout.part) if timeout.part is not None else None
            if callee is not None:
                self.edge(self._timed_out[timeout.trace_id], self.node(*callee)).timeouts += 1


def call_map(report: Report) -> dict[str, object]:
    """The map as JSON has it: nodes with ids, edges with calls, lengths of calls and what went wrong with them."""
    drawn = _Map(report.accounts)
    drawn.add_calls(drawn.add_requests())
    drawn.add_timeouts(report.timeouts)
    return {
        "nodes": [{"id": at, "kind": kind, "name": name} for (kind, name), at in drawn.nodes.items()],
        "edges": [_edge(at, to, edge, report.accounts) for (at, to), edge in sorted(drawn.edges.items())],
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


def _edge(at: int, to: int, edge: _Edge, every: Accounts) -> dict[str, object]:
    kinds, took_ns = list(every.kinds), every.took_ns
    calls = sum((kinds[one] * times for one, times in edge.kinds.items()), Calls(edge.requests, errors=edge.errors))
    took = [took_ns[one] for one in edge.calls]
    took += edge.took
    took.sort()
    return {
        "from": at,
        "to": to,
        "calls": calls.calls,
        "p50_ns": at_rank(took, 50),
        "p95_ns": at_rank(took, 95),
        "total_ns": sum(took),
        "errors": calls.errors,
        "throttles": calls.throttles,
        "timeouts": edge.timeouts,
    }
