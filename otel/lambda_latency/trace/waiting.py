"""Who waits for whom: the tree in which time is counted, where it differs from the tree of parents.

Lambda's own spans need it: Initialization is a child of the function segment but lies before it, and what the handler
did is often recorded beside Invocation instead of below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.trace.platform import FUNCTION, is_init, is_platform_phase, is_runtime_init

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.trace.span import Span
    from lambda_latency.trace.trace import Trace

__all__ = ["Waiting", "waiting"]

# An environment that was ready longer than this before its first request was started ahead of it (provisioned
# concurrency, proactive init): no request waited for it. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
READY_BEFORE_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """The outermost span of a request, its window in nanoseconds, and the children that time is looked for in.

    `before` is the init that the window begins with where no outer span encloses it.
    """

    outermost: Span
    start_ns: int
    end_ns: int
    before: Span | None
    _children: Mapping[str, tuple[Span, ...]]
    _parents: Mapping[str, Span]

    @property
    def wall_ns(self) -> int:
        """The request's wall clock."""
        return self.end_ns - self.start_ns

    def children(self, span: Span) -> tuple[Span, ...]:
        """The children of a span in the order of their start."""
        return self._children.get(span.span_id, ())

    def parent(self, span: Span) -> Span | None:
        """The span that waits for this one; None for the outermost, and for the init before it."""
        return self._parents.get(span.span_id)

    def rows(self) -> list[tuple[Span, int]]:
        """Every span of the request with its depth, parents before children."""
        found: list[tuple[Span, int]] = []
        stack = [(self.outermost, 0)]
        if self.before is not None:
            stack.append((self.before, 0))
        while stack:
            span, depth = stack.pop()
            found.append((span, depth))
            stack += [(child, depth + 1) for child in reversed(self.children(span))]
        return found


def waiting(trace: Trace) -> Waiting:
    """The tree in which the time of a trace is counted."""
    outermost = trace.outermost
    children: dict[str, list[Span]] = {}
    parents: dict[str, Span] = {}
    before: list[Span] = []
    for span in trace.spans:
        parent = trace.parent(span)
        if parent is None or span is outermost:
            continue
        init = is_init(span, parent)
        above = _around_init(trace, span, parent, outermost) if init else _invocation(trace, span, parent)
        if above is None:
            before.append(span)
        else:
            children.setdefault(above.span_id, []).append(span)
            parents[span.span_id] = above
    first = min((span for span in before if _waited_for(span, outermost)), key=lambda span: span.start_ns, default=None)
    return Waiting(
        outermost=outermost,
        start_ns=outermost.start_ns if first is None else first.start_ns,
        end_ns=_end(outermost, children),
        before=first,
        _children={span_id: tuple(spans) for span_id, spans in children.items()},
        _parents=parents,
    )


def _around_init(trace: Trace, init: Span, parent: Span, outermost: Span) -> Span | None:
    """The span that an init lies in: the nearest above that covers most of it; None where it lies before them all."""
    if is_runtime_init(init):
        platform = _initialization(trace, parent)
        if platform is not None:
            return platform  # the same time: cut to it, and so counted once
    end = init.start_ns if init.end_ns is None else init.end_ns
    above: Span | None = parent
    while above is not None:
        if above is outermost and _begins_with_init(outermost):
            return above if above.start_ns <= init.start_ns else None
        covered = end - max(init.start_ns, above.start_ns)
        if 2 * covered >= end - init.start_ns:  # most of it, not all: clocks differ by a little
            return above
        if above is outermost:
            return above if covered > 0 else None
        above = trace.parent(above)
    return parent


def _initialization(trace: Trace, handler: Span) -> Span | None:
    """Lambda's own Initialization of the environment in which a handler ran."""
    function: Span | None = handler
    while function is not None and function.origin != FUNCTION:
        function = trace.parent(function)
    for child in trace.children(function) if function is not None else ():
        if is_init(child, function) and not is_runtime_init(child):
            return child
    return None


def _invocation(trace: Trace, span: Span, parent: Span) -> Span:
    """The Invocation beside a span that hangs on the function segment itself; else the span's own parent."""
    if parent.origin != FUNCTION or is_platform_phase(span, parent):
        return parent
    for sibling in trace.children(parent):
        if sibling.name != "Invocation" or not is_platform_phase(sibling, parent):
            continue
        if sibling.start_ns <= span.start_ns and (sibling.end_ns is None or span.start_ns < sibling.end_ns):
            return sibling
    return parent


def _begins_with_init(outermost: Span) -> bool:
    # The gateway's and the service's own spans begin with the request, and hold the init inside.
    return outermost.origin in (None, FUNCTION)


def _waited_for(init: Span, outermost: Span) -> bool:
    """Did the request begin with this init, or did the environment lie ready before the request came?"""
    if not _begins_with_init(outermost) or init.end_ns is None:
        return False
    return outermost.start_ns - init.end_ns <= READY_BEFORE_NS


def _end(outermost: Span, children: Mapping[str, list[Span]]) -> int:
    """The end of the request; of an open one the last instant that anything below it is known to have reached."""
    if outermost.end_ns is not None:
        return max(outermost.end_ns, outermost.start_ns)
    last = outermost.start_ns
    stack = [outermost]
    while stack:
        span = stack.pop()
        last = max(last, span.start_ns, span.end_ns or 0)
        stack += children.get(span.span_id, ())
    return last
