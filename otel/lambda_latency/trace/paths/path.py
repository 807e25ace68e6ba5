"""The critical path: the spans that the wall clock of a request waited for, in exact nanoseconds.

The walk goes back from the end of a span. At an instant t it looks at the children that start before t and were not
visited yet. The one that ends last is cut to its parent and to t, owns the time down to its start, and is walked in the
same way. The span itself owns the time that no child covers.

Jaeger's UI counts only children that had ended by t: an overlap of 1 us then gives a whole call of 100 us to its
parent. Cutting the child instead makes the result continuous.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.trace.model.row import Row
    from lambda_latency.trace.model.span import Span
    from lambda_latency.trace.paths.tree import Tree
    from lambda_latency.trace.trace import Trace

# A row, and the start and the end (in nanoseconds since 1970) of time on the critical path that it owns.
Stretch: TypeAlias = "tuple[Row, int, int]"


def walk(tree: Tree) -> tuple[list[Stretch], list[Row]]:
    """The critical path of a request, not sorted, and its rows that have children, parents before children."""
    path: list[Stretch] = []
    parents: list[Row] = []
    _walk(tree, tree.outermost, tree.outermost.start_ns, tree.end_ns, path, parents)
    if tree.before is not None:
        # The time between the end of the init and the outermost span belongs to the cold start too.
        _walk(tree, tree.before, tree.start_ns, tree.outermost.start_ns, path, parents)
    return path, parents


def _walk(tree: Tree, top: Row, first: int, last: int, path: list[Stretch], parents: list[Row]) -> None:
    """Add the path of `top` from `first` to `last`. This is the hot loop: most rows cost no further call."""
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
                start = end = 0  # nothing waited for this child or its descendants
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


def _last_to_end_first(siblings: Sequence[Row], low: int, high: int, *, in_order: bool) -> Sequence[Row]:
    """Children in descending order of their end, cut to `high`; then by their start, cut to `low`; then by id."""
    if len(siblings) < 2 or (in_order and siblings[1].end_ns < high):
        return siblings
    ends = [row.end_ns for row in siblings]
    if ends[1] < high and ends[-1] and len({*ends}) == len(ends):
        return siblings
    return sorted(
        siblings,
        key=lambda row: (  # `min` and `max` would take half of the time
            -row.end_ns if 0 < row.end_ns < high else -high,
            row.start_ns if row.start_ns > low else low,  # noqa: FURB136
            row.span_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the wall clock that one span owns. Times are nanoseconds since 1970."""

    span: Span
    start_ns: int
    end_ns: int

    @property
    def ns(self) -> int:
        """The length, in nanoseconds."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The sections of a request in chronological order: disjoint, without gaps, from `start_ns` to `end_ns`."""

    start_ns: int
    end_ns: int
    sections: tuple[Section, ...]

    @property
    def wall_ns(self) -> int:
        """The wall clock of the request in nanoseconds: its outermost span, and the init before that span."""
        return self.end_ns - self.start_ns

    def waited(self) -> dict[str, int]:
        """The nanoseconds of wall clock that each span on the path owns, by span id."""
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
