"""The critical path: the chain of spans that a request's wall clock waited for, in exact nanoseconds.

Walk back from the end: at instant t, among the children that are still unaccounted for and start before t, the one
that ends last, cut to its parent and to t, owns the time from that end down to its start, recursively; what no child
covers is the span's own. With "only a call that had ended by t may own time before t" (Jaeger UI) an overlap of 1 us
moves a whole 100 us call to its parent; with cutting the account is continuous.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.trace.waiting import Waiting, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.trace.span import Span
    from lambda_latency.trace.trace import Trace

__all__ = ["CriticalPath", "Section", "critical_path"]


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
    """The sections of a request in the order of time: disjoint, without gaps, as long as its wall clock."""

    waiting: Waiting
    sections: tuple[Section, ...]

    @property
    def wall_ns(self) -> int:
        """The request's wall clock: that of its outermost span, with the init before it."""
        return self.waiting.wall_ns

    def waited(self) -> dict[str, int]:
        """For each span on the path its own share of the wall clock, by span id."""
        found: dict[str, int] = {}
        for section in self.sections:
            found[section.span.span_id] = found.get(section.span.span_id, 0) + section.ns
        return found


def critical_path(trace: Trace) -> CriticalPath:
    """The critical path of a trace's request."""
    tree = waiting(trace)
    outermost = tree.outermost
    sections = _walk(tree, outermost, outermost.start_ns, tree.end_ns)
    if tree.before is not None:
        # The moment between the end of the import and the first call belongs to the cold start as well.
        sections += _walk(tree, tree.before, tree.start_ns, outermost.start_ns)
    return CriticalPath(waiting=tree, sections=tuple(reversed(sections)))


def _walk(tree: Waiting, top: Span, start_ns: int, end_ns: int) -> list[Section]:
    """The sections of a window, last first. A stack of its own: traces may be deeper than Python's."""
    found: list[Section] = []
    stack = [_Frame(tree, top, start_ns, end_ns)]
    while stack:
        frame = stack[-1]
        for start, last, child in frame.rest:
            if start >= frame.t:
                continue  # another child covers all of it
            end = min(last, frame.t)
            if end < frame.t:
                found.append(Section(frame.span, end, frame.t))
            frame.t = start
            stack.append(_Frame(tree, child, start, end))
            break
        else:
            if frame.start < frame.t:
                found.append(Section(frame.span, frame.start, frame.t))
            stack.pop()
    return found


class _Frame:
    """A span in the window that it owns, and how far the walk through its children has come."""

    __slots__ = ("end", "rest", "span", "start", "t")

    def __init__(self, tree: Waiting, span: Span, start: int, end: int) -> None:
        self.span = span
        self.start = start
        self.end = end
        self.t = end
        self.rest = iter(_in_window(tree, span, start, end))


def _in_window(tree: Waiting, span: Span, lo: int, hi: int) -> Iterator[tuple[int, int, Span]]:
    cut = [
        (-min(_end(child, hi), hi), max(child.start_ns, lo), child.span_id, child)
        for child in tree.children(span)
        if max(child.start_ns, lo) < min(_end(child, hi), hi)
    ]
    # The last to end first; of one end the first to start; of one interval the smaller id, so that no order of files,
    # and no number of processes, changes the answer.
    for end, start, _, child in sorted(cut, key=lambda one: one[:3]):
        yield start, -end, child


def _end(span: Span, parent_end: int) -> int:
    """An open span ends with its parent: never now, never 1970."""
    return parent_end if span.end_ns is None else span.end_ns
