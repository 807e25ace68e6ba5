"""Who calls whom: API Gateway, functions and what they call, with how often and for how long.

A table is one node whatever is asked of it, and so is a queue or a bucket.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel.latency.calls import Calls
from otel.latency.columns import runs
from otel.latency.part import API_GATEWAY, Part, resource_of
from otel.latency.totals import at_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel.latency.account import Account
    from otel.latency.accounts import Accounts, Kind
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

    def add_requests(self) -> None:
        """Each request's way into its function, and the calls from there."""
        every = self._every
        alike: list[list[int]] = [[] for _ in every.kinds]
        for at, number in enumerate(every.kind_of):
            alike[number].append(at)
        members: defaultdict[str, list[tuple[Kind, list[int]]]] = defaultdict(list)
        for kind, places in zip(every.kinds, alike, strict=True):
            if places:
                members[kind.function or kind.route].append((kind, places))
        for name, kinds in sorted(members.items()):
            node = self.node("function", name)
            for kind, places in kinds:
                self._add_way(node, kind, places)
            self._add_calls(node, [at for _, places in kinds for at in places])

    def _add_way(self, function: int, kind: Kind, places: Sequence[int]) -> None:
        """The way of requests of a kind into a function, of those that came by API Gateway."""
        every = self._every
        if kind.timed_out:
            self._timed_out |= {every.trace_id(at): function for at in places}
        gateway, part_of, ends = every.parts.get(API_GATEWAY), every.part_of, every.parts_end
        if gateway is None:
            return
        came = [at for at in places if gateway in part_of[ends[at] : ends[at + 1]]]
        if came:
            edge = self.edges[self.node("api gateway", "API Gateway"), function]
            edge.took.fromlist([every.walls_ns[at] for at in came])
            edge.timeouts += len(came) * kind.timed_out
            edge.calls += Calls(len(came), errors=len(came) * (kind.error and not kind.timed_out))

    def _add_calls(self, function: int, places: Sequence[int]) -> None:
        """The calls from a function."""
        every = self._every
        call_of, took_ns = every.call_of, every.took_ns
        if len(places) < len(every):
            call_of, took_ns = runs(call_of, every.calls_end, places), runs(took_ns, every.calls_end, places)
        known = list(every.calls)
        nobody: array[int] = array("q")  # is called
        took = [nobody] * len(known)
        counts = Counter(call_of)
        for number in sorted(counts, key=lambda one: known[one][0]):
            part, calls = known[number]
            callee = called(part)
            if callee is not None:
                edge = self.edges[function, self.node(*callee)]
                edge.calls += calls * counts[number]
                took[number] = edge.took
        appends = [one.append for one in took]
        for number, ns in zip(call_of, took_ns, strict=True):
            appends[number](ns)

    def add_timeouts(self, timeouts: Iterable[Timeout]) -> None:
        """The calls that were running when a function timed out."""
        for timeout in timeouts:
            callee = called(timeout.part) if timeout.part is not None else None
            if callee is not None:
                self.edges[self._timed_out[timeout.trace_id], self.node(*callee)].timeouts += 1


def call_map(report: Report) -> dict[str, object]:
    """The map as JSON has it: nodes with ids, edges with calls, lengths of calls and what went wrong with them."""
    drawn = _Map(report.accounts)
    drawn.add_requests()
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
    del took[: bisect_left(took, 0)]  # what was no call by itself
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
