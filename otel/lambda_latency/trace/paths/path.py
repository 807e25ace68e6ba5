"""The critical path: the spans that the wall clock of a request waited for, in exact nanoseconds.

The walk goes back from the end of a span. At an instant t it looks at the children that start before t and were not
visited yet. The one that ends last is cut to its parent and to t, owns the time down to its start, and is walked in the
same way. The span itself owns the time that no child covers.

Jaeger's UI counts only children that had ended by t: an overlap of 1 us then gives a whole call of 100 us to its
parent. Cutting the child instead makes the result continuous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.span import Span
from lambda_latency.trace.paths.tree import Tree
from lambda_latency.trace.trace import Trace

# A segment of the critical path: the span that owns its time, its start and its end (nanoseconds since 1970).
TimedSpan: TypeAlias = "tuple[CompactSpan, int, int]"


def walk(tree: Tree) -> tuple[list[TimedSpan], list[CompactSpan]]:
    """The critical path of a request, not sorted, and its spans that have children, parents before children."""
    path: list[TimedSpan] = []
    parents: list[CompactSpan] = []
    _walk(tree, tree.request_root, tree.request_root.start_ns, tree.end_ns, path, parents)
    if tree.init_before is not None:
        # The time between the end of the init and the request's root span belongs to the cold start too.
        _walk(tree, tree.init_before, tree.start_ns, tree.request_root.start_ns, path, parents)
    return path, parents


def _walk(
    tree: Tree, root: CompactSpan, start_ns: int, end_ns: int, path: list[TimedSpan], parents: list[CompactSpan]
) -> None:
    """Add the path of `root` from `start_ns` to `end_ns`. This is the hot loop: most spans cost no further call."""
    children, in_order = tree.children, tree.in_order
    windows = [(root, start_ns, end_ns)]
    for span, low, high in windows:
        parents.append(span)
        t = high
        for child in _last_to_end_first(children.get(span.span_id, ()), low, high, in_order=in_order):
            start, end = child.start_ns, child.end_ns or high  # an open span ends with its parent
            if end > t:
                end = t
            if start < low:
                start = low
            if start >= end:
                start = end = 0  # nothing waited for this child or its descendants
            else:
                if end < t:
                    path.append((span, end, t))
                t = start
            if child.span_id in children:
                windows.append((child, start, end))
            elif end:
                path.append((child, start, end))
        if low < t:
            path.append((span, low, t))


def _last_to_end_first(
    siblings: Sequence[CompactSpan], low: int, high: int, *, in_order: bool
) -> Sequence[CompactSpan]:
    """Children in descending order of their end, cut to `high`; then by their start, cut to `low`; then by id."""
    if len(siblings) < 2 or (in_order and siblings[1].end_ns < high):
        return siblings
    ends = [span.end_ns for span in siblings]
    if ends[1] < high and ends[-1] and len({*ends}) == len(ends):
        return siblings
    return sorted(
        siblings,
        key=lambda span: (  # `min` and `max` would take half of the time
            -span.end_ns if 0 < span.end_ns < high else -high,
            span.start_ns if span.start_ns > low else low,  # noqa: FURB136
            span.span_id,
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
        """The wall clock of the request in nanoseconds: its request's root span, and the init before that span."""
        return self.end_ns - self.start_ns

    def waited(self) -> dict[str, int]:
        """The nanoseconds of wall clock that each span on the path owns, by span id."""
        owned_ns: dict[str, int] = {}
        for section in self.sections:
            owned_ns[section.span.span_id] = owned_ns.get(section.span.span_id, 0) + section.ns
        return owned_ns


def critical_path(trace: Trace) -> CriticalPath:
    """The critical path of a trace's request."""
    tree = trace.tree
    path, _ = walk(tree)
    path.sort(key=itemgetter(1))
    return CriticalPath(
        tree.start_ns, tree.end_ns, tuple(Section(trace.span(span), start, end) for span, start, end in path)
    )
