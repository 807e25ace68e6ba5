"""The map of calls: API Gateway, functions and their callees, with the number and the durations of calls.

A resource (a table, a queue, a bucket) is one node for all operations.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lambda_latency.latency.analysis.timeouts import Timeout
from lambda_latency.latency.breakdowns.breakdown import Calls, Kind
from lambda_latency.latency.breakdowns.columns import Breakdowns, runs
from lambda_latency.latency.breakdowns.component import API_GATEWAY, LAPTOP_GATEWAY, Component, resource_of

CALLED = ("aws", "external", "database", "messaging", "network")
# Durations that are sorted together: as Python integers they take five times the memory
AT_ONCE = 50_000


@dataclass(slots=True)
class CallEdge:
    """The calls from one node to another: their counts, and their durations in nanoseconds."""

    calls: Calls
    timeouts: int = 0
    p50_ns: int = 0
    p95_ns: int = 0
    total_ns: int = 0


@dataclass(slots=True)
class CallMap:
    """A map of calls: `nodes` by kind and name, `edges` by the numbers of two nodes.

    `timed_out` has, by trace id, the number of the function's node for each request that timed out.
    """

    nodes: dict[tuple[str, str], int]
    edges: dict[tuple[int, int], CallEdge]
    timed_out: dict[str, int]


@dataclass(slots=True)
class _Calls:
    """Calls of an edge: the durations of the latest ones, and those of the others in pieces, each of them sorted."""

    took: list[int] = field(default_factory=list)
    pieces: list[array[int]] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    timeouts: int = 0

    def sort(self) -> None:
        """Make a piece of the latest durations, without those of entries that are no calls."""
        self.took.sort()
        self.pieces.append(array("q", self.took[bisect_left(self.took, 0) :]))
        self.took.clear()

    def edge(self) -> CallEdge:
        """Return the edge of these calls."""
        pieces = self.pieces
        return CallEdge(self.calls, self.timeouts, _at_rank(pieces, 50), _at_rank(pieces, 95), sum(map(sum, pieces)))


def _at_rank(pieces: Sequence[Sequence[int]], percent: int) -> int:
    """Return the nearest-rank percentile of all values; each piece is sorted. It is the first with enough up to it."""
    rank = max(-(-percent * sum(map(len, pieces)) // 100), 1)
    longest = max((piece[-1] for piece in pieces if piece), default=0)
    return bisect_left(range(longest), rank, key=lambda value: sum(bisect_right(piece, value) for piece in pieces))


class _Drawn:
    """A map under construction."""

    def __init__(self, breakdowns: Breakdowns) -> None:
        self._breakdowns = breakdowns
        self.timed_out: dict[str, int] = {}
        self.nodes: dict[tuple[str, str], int] = {}
        self.edges: defaultdict[tuple[int, int], _Calls] = defaultdict(_Calls)
        self._add_requests()

    def node(self, kind: str, name: str) -> int:
        return self.nodes.setdefault((kind, name), len(self.nodes))

    def _add_requests(self) -> None:
        """Add the edges into each function, and the calls from it."""
        breakdowns = self._breakdowns
        alike = [array("I") for _ in breakdowns.kinds]
        for index, number in enumerate(breakdowns.kind_of):
            alike[number].append(index)
        members: defaultdict[tuple[str, str], list[tuple[Kind, array[int]]]] = defaultdict(list)
        for kind, indices in zip(breakdowns.kinds, alike, strict=True):
            if indices:
                members[caller(kind)].append((kind, indices))
        for function, kinds in sorted(members.items()):
            node = self.node(*function)
            for kind, indices in kinds:
                self._add_entry(node, kind, indices)
            self._add_calls(node, array("I", (index for _, indices in kinds for index in indices)))

    def _add_entry(self, function: int, kind: Kind, indices: Sequence[int]) -> None:
        """Add the edge from API Gateway to a function, for requests of one kind that came through API Gateway."""
        breakdowns = self._breakdowns
        if kind.timed_out:
            self.timed_out |= {breakdowns.trace_id(index): function for index in indices}
        gateway = {*breakdowns.components.get(API_GATEWAY, ()), *breakdowns.components.get(LAPTOP_GATEWAY, ())}
        edge_of, ends = breakdowns.edge_of, breakdowns.edges_end
        if not gateway:
            return
        entered = [index for index in indices if not gateway.isdisjoint(edge_of[ends[index] : ends[index + 1]])]
        if entered:
            edge = self.edges[self.node("api gateway", "API Gateway"), function]
            edge.took += [breakdowns.walls_ns[index] for index in entered]
            edge.sort()
            edge.timeouts += len(entered) * kind.timed_out
            edge.calls += Calls(len(entered), errors=len(entered) * (kind.error and not kind.timed_out))

    def _add_calls(self, function: int, indices: Sequence[int]) -> None:
        """Add the calls from a function."""
        breakdowns = self._breakdowns
        call_of, took_ns = breakdowns.call_of, breakdowns.call_ns
        if len(indices) < len(breakdowns):
            call_of, took_ns = (
                runs(call_of, breakdowns.calls_end, indices),
                runs(took_ns, breakdowns.calls_end, indices),
            )
        calls_of_number = list(breakdowns.calls)
        appends = [deque[int](maxlen=0).append] * len(calls_of_number)  # entries without a node are ignored
        counts, edges = Counter(call_of), []
        for number in sorted(counts, key=lambda number: calls_of_number[number][0]):
            call_edge, calls = calls_of_number[number]
            callee = called(call_edge.component)
            if callee is not None:
                edge = self.edges[function, self.node(*callee)]
                edge.calls += calls * counts[number]
                edges.append(edge)
                appends[number] = edge.took.append
        for begin in range(0, len(call_of), AT_ONCE):
            chunk = slice(begin, begin + AT_ONCE)
            for number, ns in zip(call_of[chunk], took_ns[chunk], strict=True):
                appends[number](ns)
            for edge in edges:
                if edge.took:
                    edge.sort()


def call_map(breakdowns: Breakdowns) -> CallMap:
    """Return the map of the calls of these requests."""
    drawn = _Drawn(breakdowns)
    return CallMap(drawn.nodes, {ends: calls.edge() for ends, calls in drawn.edges.items()}, drawn.timed_out)


def map_values(drawn: CallMap, timeouts: Iterable[Timeout]) -> dict[str, object]:
    """A map as JSON values; calls that were running when a function timed out count as timeouts of their edge."""
    nodes = dict(drawn.nodes)
    running: Counter[tuple[int, int]] = Counter()
    for timeout in timeouts:
        callee = called(timeout.component) if timeout.component is not None else None
        if callee is not None:
            running[drawn.timed_out[timeout.trace_id], nodes.setdefault(callee, len(nodes))] += 1
    return {
        "nodes": [{"id": number, "kind": kind, "name": name} for (kind, name), number in nodes.items()],
        "edges": [
            _edge(ends, drawn.edges.get(ends) or CallEdge(Calls()), running[ends])
            for ends in sorted({*drawn.edges, *running})
        ],
    }


def caller(kind: Kind) -> tuple[str, str]:
    """Return the kind and the name of the node of the function that answered a request, or else of its route."""
    return "function", kind.function or kind.route


def called(component: Component) -> tuple[str, str] | None:
    """Return the kind and name of a call's node; None for other parts. Retries count for the node of their resource."""
    if component.category == "retries":
        return "aws", component.name
    if component.category == "aws":
        return "aws", resource_of(component.name)
    if component.category == "network":
        return "function", component.name
    return (component.category, component.name) if component.category in CALLED else None


def _edge(ends: tuple[int, int], edge: CallEdge, running: int) -> dict[str, object]:
    return {
        "from": ends[0],
        "to": ends[1],
        "calls": edge.calls.calls,
        "p50_ns": edge.p50_ns,
        "p95_ns": edge.p95_ns,
        "total_ns": edge.total_ns,
        "errors": edge.calls.errors,
        "throttles": edge.calls.throttles,
        "timeouts": edge.timeouts + running,
    }
