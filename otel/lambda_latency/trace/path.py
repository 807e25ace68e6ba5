"""The critical path: the chain of spans that a request's wall clock waited for, in exact nanoseconds.

Walk back from the end: at instant t, among the children that are still unaccounted for and start before t, the one
that ends last, cut to its parent and to t, owns the time from that end down to its start, recursively; what no child
covers is the span's own. With "only a call that had ended by t may own time before t" (Jaeger UI) an overlap of 1 us
moves a whole 100 us call to its parent; with cutting the account is continuous.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.trace.row import Row
    from lambda_latency.trace.span import Span
    from lambda_latency.trace.trace import Trace
    from lambda_latency.trace.tree import Tree

__all__ = ["CriticalPath", "Section", "Stretch", "critical_path", "walk"]

# A row owns the time of the critical path from a start to an end, in nanoseconds since 1970.
Stretch: TypeAlias = "tuple[Row, int, int]"


def walk(tree: Tree) -> tuple[list[Stretch], list[Row]]:
    """The critical path of a request in any order, and every row of the request with children, parents first."""
    path: list[Stretch] = []
    parents: list[Row] = []
    _walk(tree, tree.outermost, tree.outermost.start_ns, tree.end_ns, path, parents)
    if tree.before is not None:
        # The moment between the end of the import and the first call belongs to the cold start as well.
        _walk(tree, tree.before, tree.start_ns, tree.outermost.start_ns, path, parents)
    return path, parents


def _walk(tree: Tree, top: Row, first: int, last: int, path: list[Stretch], parents: list[Row]) -> None:
    """Add the path of one window. It calls nothing for a row like most: here is where the time goes."""
    children, in_order = tree.children, tree.in_order
    windows = [(top, first, last)]
    for row, low, high in windows:
        parents.append(row)
        t = high
        for child in _last_to_end_first(children.get(row.span_id, ()), low, high, in_order=in_order):
            start, end = child.start_ns, child.end_ns or high  # an open span ends with its parent
            if end > t:
                end = t
            if start < low:
                start = low
            if start >= end:
                start = end = 0  # nobody waited for it, nor for what is below
            else:
                if end < t:
                    path.append((row, end, t))
                t = start
            if child.span_id in children:
                windows.append((child, start, end))
            elif end:
                path.append((child, start, end))
        if low < t:
            path.append((row, low, t))


def _last_to_end_first(below: Sequence[Row], low: int, high: int, *, in_order: bool) -> Sequence[Row]:
    """Children by their ends inside the window; of one end the first to start, then the smaller id."""
    if len(below) < 2 or (in_order and below[1].end_ns < high):
        return below
    ends = [one.end_ns for one in below]
    if ends[1] < high and ends[-1] and len({*ends}) == len(ends):
        return below
    return sorted(below, key=lambda one: (-min(one.end_ns or high, high), max(one.start_ns, low), one.span_id))


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of wall clock that one span owns."""

    span: Span
    start_ns: int
    end_ns: int

    @property
    def ns(self) -> int:
        """Its length."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The sections of a request in the order of time: disjoint, without gaps, from `start_ns` to `end_ns`."""

    start_ns: int
    end_ns: int
    sections: tuple[Section, ...]

    @property
    def wall_ns(self) -> int:
        """The request's wall clock: that of its outermost span, with the init before it."""
        return self.end_ns - self.start_ns

    def waited(self) -> dict[str, int]:
        """For each span on the path its own share of the wall clock, by span id."""
        found: dict[str, int] = {}
        for section in self.sections:
            found[section.span.span_id] = found.get(section.span.span_id, 0) + section.ns
        return found


def critical_path(trace: Trace) -> CriticalPath:
    """The critical path of a trace's request."""
    tree = trace.tree
    path, _ = walk(tree)
    path.sort(key=itemgetter(1))
    return CriticalPath(
        tree.start_ns, tree.end_ns, tuple(Section(trace.span(row), start, end) for row, start, end in path)
    )
