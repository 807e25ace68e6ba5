"""Who calls whom: API Gateway, functions and what they call, with how often and for how long.

A table is one node whatever is asked of it, and so is a queue or a bucket.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING

from otel.latency.accounts import ERROR, NO_CALL, TIMED_OUT
from otel.latency.calls import Calls
from otel.latency.columns import lengths
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
    took: array[int] = field(default_factory=lambda: array("q"))  # of each call, in nanoseconds
    calls: Calls = field(default_factory=Calls)
    timeouts: int = 0


class _Map:
    """Nodes by kind and name, edges by the numbers of two nodes."""

    def __init__(self, every: Accounts) -> None:
        self._every = every
        self._timed_out: dict[str, int] = {}  # the function of each trace
        self.nodes: dict[tuple[str, str], int] = {}
        self.edges: defaultdict[tuple[int, int], _Edge] = defaultdict(_Edge)

    def node(self, kind: str, name: str) -> int:
        return self.nodes.setdefault((kind, name), len(self.nodes))

    def add_requests(self) -> Iterator[int]:
        """Each request's way into its function; yields the node of that."""
        every = self._every
        routes, functions = list(every.routes), list(every.functions)
        nodes: dict[tuple[int, int], int] = {}  # by route and function
        ways: dict[int, _Edge] = {}
        gateway, part_of, first = every.parts.get(API_GATEWAY, -1), every.part_of, 0
        names_of = zip(every.route_of, every.function_of, strict=True)
        for at, (names, flags, last) in enumerate(zip(names_of, every.flags, every.parts_end[1:], strict=True)):
            function = nodes.get(names, -1)
            if function < 0:
                function = nodes[names] = self.node("function", functions[names[1]] or routes[names[0]])
            if flags & TIMED_OUT:
                self._timed_out[every.trace_id(at)] = function
            if gateway in part_of[first:last]:
                edge = ways.get(function)
                if edge is None:
                    edge = ways[function] = self.edges[self.node("api gateway", "API Gateway"), function]
                edge.took.append(every.walls_ns[at])
                if flags & TIMED_OUT:
                    edge.timeouts += 1
                elif flags & ERROR:
                    edge.calls += Calls(errors=1)
            first = last
            yield function
        for edge in ways.values():
            edge.calls += Calls(len(edge.took))

    def add_calls(self, function_of: Iterable[int]) -> None:
        """The calls of each request, of the function with this node."""
        every = self._every
        found: defaultdict[tuple[int, int], array[int]] = defaultdict(lambda: array("q"))
        callers = chain.from_iterable(map(repeat, function_of, lengths(every.calls_end)))
        for pair, ns in zip(zip(callers, every.call_of, strict=True), every.took_ns, strict=True):
            found[pair].append(ns)
        known = [(called(part), calls) for part, calls in every.calls]
        several = [(function, *known[number], took) for (function, number), took in found.items()]
        calls_of = [(function, callee, calls, took) for function, callee, calls, took in several if callee is not None]
        for function, callee, calls, took in sorted(calls_of, key=lambda one: one[:2]):
            edge = self.edges[function, self.node(*callee)]
            edge.calls += calls * len(took)
            edge.took += took if NO_CALL not in took else array("q", [ns for ns in took if ns != NO_CALL])

    def add_timeouts(self, timeouts: Iterable[Timeout]) -> None:
        """The calls that were running when a function timed out."""
        for timeout in timeouts:
            callee = called(timeout.part) if timeout.part is not None else None
            if callee is not None:
                self.edges[self._timed_out[timeout.trace_id], self.node(*callee)].timeouts += 1


def call_map(report: Report) -> dict[str, object]:
    """The map as JSON has it: nodes with ids, edges with calls, lengths of calls and what went wrong with them."""
    drawn = _Map(report.accounts)
    drawn.add_calls(drawn.add_requests())
    drawn.add_timeouts(report.timeouts)
    return {
        "nodes": [{"id": at, "kind": kind, "name": name} for (kind, name), at in drawn.nodes.items()],
        "edges": [_edge(at, to, drawn.edges[at, to]) for at, to in sorted(drawn.edges)],
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
    took = sorted(edge.took)
    return {
        "from": at,
        "to": to,
        "calls": edge.calls.calls,
        "p50_ns": at_rank(took, 50),
        "p95_ns": at_rank(took, 95),
        "total_ns": sum(took),
        "errors": edge.calls.errors,
        "throttles": edge.calls.throttles,
        "timeouts": edge.timeouts,
    }
