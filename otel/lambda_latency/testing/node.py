"""Builds trees of recorded spans for comparisons; each span has its broken guarantees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.trace import Span, Trace

LAST = 2**63


@dataclass(slots=True, eq=False)
class Node:
    """A span with its children in the order of their start. `faults` are broken guarantees."""

    span: Span
    children: list[Node]
    faults: list[str]
    size: int = 1  # spans in this tree
    faulty: int = 0  # faults in this tree
    start: tuple[int, int] = (0, 0)  # nanoseconds since 1970, then a number for equal times
    end: tuple[int, int] = (0, 0)
    names: frozenset[str] = frozenset()  # of all descendants


@dataclass(slots=True)
class Forest:
    """All recorded trees: roots in the order of their start, orphans apart, `notes` about the whole."""

    tops: list[Node]
    orphans: list[Node]
    notes: list[str] = field(default_factory=list)

    @property
    def nodes(self) -> list[Node]:
        """Every node, parents before children."""
        found = [*self.tops, *self.orphans]
        for node in found:  # grows during iteration
            found += node.children
        return found


def forest(
    traces: Sequence[Trace],
    order: Mapping[str, tuple[int, int]] | None = None,
    lost: frozenset[str] = frozenset(),
    *,
    invocation: bool = False,
) -> Forest:
    """The trees of traces. `order`: numbers of starts and ends by span id; `lost`: ids of spans that were not exported;
    `invocation`: whether all spans are of one invocation."""
    numbers = order or {}
    found = Forest([], [])
    for trace in traces:
        nodes = {one.span_id: _node(one, numbers.get(one.span_id, (0, 0)), lost) for one in trace.spans}
        orphans = {one.span_id for one in trace.orphans}
        for node in sorted(nodes.values(), key=_start):
            parent = trace.parent(node.span)
            if parent is not None:
                nodes[parent.span_id].children.append(node)
            elif node.span.span_id in orphans:
                node.faults.insert(0, f"orphan: parent {node.span.parent_id} was never recorded")
                found.orphans.append(node)
            else:
                found.tops.append(node)
        found.notes += [problem.reason for problem in trace.problems]
    found.tops.sort(key=_start)
    if invocation:
        _one_trace(found)
    for node in reversed(found.nodes):
        node.size += sum(child.size for child in node.children)
        node.faulty = len(node.faults) + sum(child.faulty for child in node.children)
        if node.children:
            node.names = frozenset(child.span.name for child in node.children).union(
                *(child.names for child in node.children)
            )
    return found


def _node(span: Span, number: tuple[int, int], lost: frozenset[str]) -> Node:
    faults = []
    if span.end_ns is None:
        faults.append("left open: it never ended")
    elif span.span_id in lost:
        faults.append("lost at the freeze: it ended, but was not exported")
    start, end = number
    closed = LAST if span.end_ns is None else span.end_ns
    return Node(span, [], faults, start=(span.start_ns, start), end=(closed, end))


def _one_trace(found: Forest) -> None:
    if found.tops:
        first = found.tops[0].span.trace_id
        for node in found.tops[1:]:
            if node.span.trace_id != first:
                node.faults.append(f"a second trace of one invocation: {node.span.trace_id}")


def _start(node: Node) -> tuple[int, int]:
    return node.start
