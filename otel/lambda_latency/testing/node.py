"""Builds trees of recorded spans for comparisons, also deep ones; each span has its broken guarantees."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeVar

from lambda_latency.testing.expected import Child, spans_of
from lambda_latency.trace import Span, Trace

LAST = 2**63
FRAMES = 24  # stack frames per level of a tree, with a reserve
Member = TypeVar("Member")


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

    roots: list[Node]
    orphans: list[Node]
    notes: list[str] = field(default_factory=list)

    @property
    def nodes(self) -> list[Node]:
        """Every node, parents before children."""
        nodes = [*self.roots, *self.orphans]
        for node in nodes:  # grows during iteration
            nodes += node.children
        return nodes


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
    trees = Forest([], [])
    for trace in traces:
        _add_trace(trees, trace, [_node(span, numbers.get(span.span_id, (0, 0)), lost) for span in trace.spans])
    trees.roots.sort(key=attrgetter("start"))
    if invocation:
        _one_trace(trees)
    for node in reversed(trees.nodes):
        node.size += sum(child.size for child in node.children)
        node.faulty = len(node.faults) + sum(child.faulty for child in node.children)
        names = frozenset(child.span.name for child in node.children)
        node.names = names.union(*(child.names for child in node.children))
    return trees


def _add_trace(trees: Forest, trace: Trace, nodes: list[Node]) -> None:
    by_id = {node.span.span_id: node for node in nodes}
    orphan_ids = {span.span_id for span in trace.orphans}
    for node in sorted(nodes, key=attrgetter("start")):
        parent = trace.parent(node.span)
        if parent is not None:
            by_id[parent.span_id].children.append(node)
        elif node.span.span_id in orphan_ids:
            node.faults.insert(0, f"orphan: parent {node.span.parent_id} was never recorded")
            trees.orphans.append(node)
        else:
            trees.roots.append(node)
    trees.notes += [problem.reason for problem in trace.problems]


def _node(span: Span, number: tuple[int, int], lost: frozenset[str]) -> Node:
    faults = []
    if span.end_ns is None:
        faults.append("left open: it never ended")
    elif span.span_id in lost:
        faults.append("lost at the freeze: it ended, but was not exported")
    start, end = number
    closed = LAST if span.end_ns is None else span.end_ns
    return Node(span, [], faults, start=(span.start_ns, start), end=(closed, end))


def _one_trace(trees: Forest) -> None:
    if trees.roots:
        trace_id = trees.roots[0].span.trace_id
        for node in trees.roots[1:]:
            if node.span.trace_id != trace_id:
                node.faults.append(f"a second trace of one invocation: {node.span.trace_id}")


@contextmanager
def room_for(nodes: Sequence[Node], expected: Sequence[Child]) -> Iterator[None]:
    """A context with a recursion limit for the depth of both trees."""
    limit = sys.getrecursionlimit()
    depth = max(
        _depth(nodes, lambda level: [child for node in level for child in node.children]),
        _depth(expected, lambda level: [child for span in spans_of(level) for child in span.children]),
    )
    sys.setrecursionlimit(limit + FRAMES * depth)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _depth(level: Sequence[Member], below: Callable[[Sequence[Member]], Sequence[Member]]) -> int:
    depth = 0
    while level:
        level, depth = below(level), depth + 1
    return depth
