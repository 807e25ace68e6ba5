"""The rows of a waterfall: the spans of one request, each with the time that the request waited for it itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency.calls import is_failed, is_throttled
from lambda_latency.latency.timeouts import is_running
from lambda_latency.trace.platform import FUNCTION, SERVICE, is_platform_phase

if TYPE_CHECKING:
    from lambda_latency.trace import CriticalPath, Section, Span, Trace

__all__ = ["Row", "beside", "interval", "mark", "rows"]


@dataclass(slots=True, eq=False)
class Row:
    """A span, the row `above` it, and the sections of the critical path that it owns.

    `inside` are segments that AWS nests for one and the same thing: they have no row of their own.
    """

    span: Span
    depth: int
    above: Row | None
    sections: list[Section] = field(default_factory=list)
    inside: list[Span] = field(default_factory=list)
    waited_below_ns: int = 0

    @property
    def waited_ns(self) -> int:
        """How long the request waited for the span itself."""
        return sum(section.ns for section in self.sections)

    @property
    def on_path(self) -> bool:
        """Did the request wait for it, or for anything below it?"""
        return bool(self.sections or self.waited_below_ns)


def rows(trace: Trace, path: CriticalPath) -> list[Row]:
    """The rows in the order of the tree, each with the sections that it owns."""
    found: list[Row] = []
    by_id: dict[str, Row] = {}
    for span, _ in path.waiting.rows():
        parent = path.waiting.parent(span)
        above = by_id[parent.span_id] if parent is not None else None
        if above is not None and _is_inside(trace, span, path):
            above.inside.append(span)
            by_id[span.span_id] = above
            continue
        row = Row(span, above.depth + 1 if above is not None else 0, above)
        by_id[span.span_id] = row
        found.append(row)
    for section in path.sections:
        by_id[section.span.span_id].sections.append(section)
    for row in reversed(found):
        if row.above is not None:
            row.above.waited_below_ns += row.waited_ns + row.waited_below_ns
    return found


def interval(row: Row, path: CriticalPath) -> tuple[int, int]:
    """Start and end in nanoseconds since 1970; what was left open ends with its parent."""
    at: Row | None = row
    while at is not None and at.span.end_ns is None:
        at = at.above
    end = path.waiting.end_ns if at is None or at.span.end_ns is None else at.span.end_ns
    return row.span.start_ns, max(end, row.span.start_ns)


def mark(trace: Trace, span: Span) -> str:
    """What went wrong with a span: `running` (at the deadline), `throttled`, `503`, `error`; empty if nothing did."""
    if is_running(trace, span):
        return "running"
    if span.origin is not None:
        return ""
    if is_throttled(span):
        return "throttled"
    if is_failed(span):
        code = span.attributes.get("http.response.status_code") or span.attributes.get("http.status_code")
        return str(code) if isinstance(code, int) and code >= 400 else "error"
    return ""


def beside(trace: Trace, path: CriticalPath) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """What belongs to the trace but not to the tree of its request: the orphans, and the tops of other trees."""
    top = path.waiting.outermost
    above = trace.parent(top)
    while above is not None:
        top, above = above, trace.parent(above)
    others = tuple(span for span in trace.tops if span is not top and span not in trace.orphans)
    return trace.orphans, others


def _is_inside(trace: Trace, span: Span, path: CriticalPath) -> bool:
    """Is it a segment that AWS nests for one thing: the function in its service, the Invocation in its function?"""
    parent = path.waiting.parent(span)
    if parent is None:
        return False
    if span.name == "Invocation" and is_platform_phase(span, trace.parent(span)):
        return True
    twins = [child for child in path.waiting.children(parent) if child.origin == FUNCTION]
    return span.origin == FUNCTION and parent.origin == SERVICE and len(twins) == 1
