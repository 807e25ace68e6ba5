"""The map of calls: API Gateway, functions and their callees, with the number and the durations of calls.

A resource (a table, a queue, a bucket) is one node for all operations.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.part import API_GATEWAY, LAPTOP_GATEWAY, Part, resource_of
from lambda_latency.latency.accounts.reordering import runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency.accounts.account import Kind
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.judge.timeouts import Timeout

CALLED = ("aws", "external", "database", "messaging", "network")
AT_ONCE = 50_000  # durations that are sorted together: as Python integers they take five times the memory


@dataclass(slots=True)
class Edge:
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
    edges: dict[tuple[int, int], Edge]
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

    def edge(self) -> Edge:
        """The edge of these calls."""
        pieces = self.pieces
        return Edge(self.calls, self.timeouts, _at_rank(pieces, 50), _at_rank(pieces, 95), sum(map(sum, pieces)))


def _at_rank(pieces: Sequence[Sequence[int]], percent: int) -> int:
    """The nearest-rank percentile of all values, of which each piece is sorted: the first with enough up to it."""
    rank = max(-(-percent * sum(map(len, pieces)) // 100), 1)
    most = max((piece[-1] for piece in pieces if piece), default=0)
    return bisect_left(range(most), rank, key=lambda value: sum(bisect_right(piece, value) for piece in pieces))


class _Drawn:
    """A map under construction."""

    def __init__(self, every: Accounts) -> None:
        self._every = every
        self.timed_out: dict[str, int] = {}
        self.nodes: dict[tuple[str, str], int] = {}
        self.edges: defaultdict[tuple[int, int], _Calls] = defaultdict(_Calls)

    def node(self, kind: str, name: str) -> int:
        return self.nodes.setdefault((kind, name), len(self.nodes))

    def add_requests(self) -> None:
        """Add the edges into each function, and the calls from it."""
        every = self._every
        alike = [array("I") for _ in every.kinds]
        for at, number in enumerate(every.kind_of):
            alike[number].append(at)
        members: defaultdict[tuple[str, str], list[tuple[Kind, array[int]]]] = defaultdict(list)
        for kind, indices in zip(every.kinds, alike, strict=True):
            if indices:
                members[caller(kind)].append((kind, indices))
        for function, kinds in sorted(members.items()):
            node = self.node(*function)
            for kind, indices in kinds:
                self._add_entry(node, kind, indices)
            self._add_calls(node, array("I", (at for _, indices in kinds for at in indices)))

    def _add_entry(self, function: int, kind: Kind, indices: Sequence[int]) -> None:
        """Add the edge from API Gateway to a function, for requests of one kind that came through API Gateway."""
        every = self._every
        if kind.timed_out:
            self.timed_out |= {every.trace_id(at): function for at in indices}
        gateway = {*every.parts.get(API_GATEWAY, ()), *every.parts.get(LAPTOP_GATEWAY, ())}
        cell_of, ends = every.cell_of, every.cells_end
        if not gateway:
            return
        came = [at for at in indices if not gateway.isdisjoint(cell_of[ends[at] : ends[at + 1]])]
        if came:
            edge = self.edges[self.node("api gateway", "API Gateway"), function]
            edge.took += [every.walls_ns[at] for at in came]
            edge.sort()
            edge.timeouts += len(came) * kind.timed_out
            edge.calls += Calls(len(came), errors=len(came) * (kind.error and not kind.timed_out))

    def _add_calls(self, function: int, indices: Sequence[int]) -> None:
        """Add the calls from a function."""
        every = self._every
        call_of, took_ns = every.call_of, every.took_ns
        if len(indices) < len(every):
            call_of, took_ns = runs(call_of, every.calls_end, indices), runs(took_ns, every.calls_end, indices)
        known = list(every.calls)
        appends = [deque[int](maxlen=0).append] * len(known)  # entries without a node are ignored
        counts, edges = Counter(call_of), []
        for number in sorted(counts, key=lambda one: known[one][0]):
            cell, calls = known[number]
            callee = called(cell.part)
            if callee is not None:
                edge = self.edges[function, self.node(*callee)]
                edge.calls += calls * counts[number]
                edges.append(edge)
                appends[number] = edge.took.append
        for begin in range(0, len(call_of), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            for number, ns in zip(call_of[some], took_ns[some], strict=True):
                appends[number](ns)
            for edge in edges:
                if edge.took:
                    edge.sort()


def call_map(accounts: Accounts) -> CallMap:
    """The map of the calls of these requests."""
    drawn = _Drawn(accounts)
    drawn.add_requests()
    return CallMap(drawn.nodes, {ends: calls.edge() for ends, calls in drawn.edges.items()}, drawn.timed_out)


def map_values(drawn: CallMap, timeouts: Iterable[Timeout]) -> dict[str, object]:
    """A map as JSON values; calls that were running when a function timed out count as timeouts of their edge."""
    nodes = dict(drawn.nodes)
    running: Counter[tuple[int, int]] = Counter()
    for timeout in timeouts:
        callee = called(timeout.part) if timeout.part is not None else None
        if callee is not None:
            running[drawn.timed_out[timeout.trace_id], nodes.setdefault(callee, len(nodes))] += 1
    return {
        "nodes": [{"id": at, "kind": kind, "name": name} for (kind, name), at in nodes.items()],
        "edges": [
            _edge(ends, drawn.edges.get(ends) or Edge(Calls()), running[ends])
            for ends in sorted({*drawn.edges, *running})
        ],
    }


def caller(kind: Kind) -> tuple[str, str]:
    """The kind and the name of the node of the function that answered a request; without a function, its route."""
    return "function", kind.function or kind.route


def called(part: Part) -> tuple[str, str] | None:
    """The kind and name of the node of a call; None for other parts. Retries count for the node of their resource."""
    if part.bucket == "retries":
        return "aws", part.name
    if part.bucket == "aws":
        return "aws", resource_of(part.name)
    if part.bucket == "network":
        return "function", part.name
    return (part.bucket, part.name) if part.bucket in CALLED else None


def _edge(ends: tuple[int, int], edge: Edge, running: int) -> dict[str, object]:
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
