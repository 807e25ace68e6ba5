"""A trace: the spans of one trace id as a tree, with what does not fit into the tree named.

The same value stands for a trace of a unit test, of the laptop and of X-Ray.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.trace.platform import FUNCTION, OUTER, SERVICE, is_function_handler, is_init
from lambda_latency.trace.problem import Problem
from lambda_latency.trace.request import function_of, is_error, route_of, status_code_of
from lambda_latency.trace.span import Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Trace"]


@dataclass(frozen=True, slots=True, init=False)
class Trace:
    """The spans of one trace id, one for each span id, in the order of their start.

    `tops` are the spans without a recorded parent: `roots` (no parent at all), those whose parent lies in another
    process (`remote_parents`) or somewhere unknown (`unknown_parents`), the `orphans` (a local parent that was never
    recorded), what is `cut_off` (the same in an invocation that was killed: its open spans never left, the handler's
    among them), and one span of each cycle, where it was cut.
    """

    trace_id: str
    spans: tuple[Span, ...]
    problems: tuple[Problem, ...]
    roots: tuple[Span, ...] = field(repr=False, compare=False)
    orphans: tuple[Span, ...] = field(repr=False, compare=False)
    cut_off: tuple[Span, ...] = field(repr=False, compare=False)
    remote_parents: tuple[Span, ...] = field(repr=False, compare=False)
    unknown_parents: tuple[Span, ...] = field(repr=False, compare=False)
    tops: tuple[Span, ...] = field(repr=False, compare=False)
    _by_id: Mapping[str, Span] = field(repr=False, compare=False)
    _children: Mapping[str, tuple[Span, ...]] = field(repr=False, compare=False)
    _tops: frozenset[str] = field(repr=False, compare=False)

    def __init__(self, spans: Iterable[Span]) -> None:
        read = tuple(spans)
        if not read:
            raise ValueError("a trace has at least one span, got none")
        trace_id = read[0].trace_id
        foreign = next((span for span in read if span.trace_id != trace_id), None)
        if foreign is not None:
            raise ValueError(f"the spans of a trace share one trace id, got {trace_id} and {foreign.trace_id}")
        problems: list[Problem] = []
        by_id = _one_of_each(read, lambda reason: problems.append(Problem(trace_id, None, reason, "counted")))
        cut = _cycles(by_id)
        problems += [
            Problem(trace_id, None, f"span {span_id} ({by_id[span_id].name}) is its own ancestor: cut there", "counted")
            for span_id in sorted(cut)
        ]
        children: dict[str, list[Span]] = {}
        tops: list[Span] = []
        for span in by_id.values():
            if span.parent_id in by_id and span.span_id not in cut:
                children.setdefault(span.parent_id, []).append(span)
            else:
                tops.append(span)
        lost = [span for span in tops if span.parent_id is not None and span.span_id not in cut]
        is_killed = _killed(by_id.values())
        values: dict[str, object] = {
            "trace_id": trace_id,
            "spans": tuple(by_id.values()),
            "problems": tuple(problems),
            "roots": tuple(span for span in tops if span.parent_id is None),
            "orphans": tuple(span for span in lost if span.parent_remote is False and not is_killed(span)),
            "cut_off": tuple(span for span in lost if span.parent_remote is False and is_killed(span)),
            "remote_parents": tuple(span for span in lost if span.parent_remote is True),
            "unknown_parents": tuple(span for span in lost if span.parent_remote is None),
            "tops": tuple(tops),
            "_by_id": by_id,
            "_children": {span_id: tuple(spans) for span_id, spans in children.items()},
            "_tops": frozenset(span.span_id for span in tops),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def get(self, span_id: str) -> Span | None:
        """The span of an id."""
        return self._by_id.get(span_id)

    def children(self, span: Span) -> tuple[Span, ...]:
        """The children of a span in the order of their start."""
        return self._children.get(span.span_id, ())

    def parent(self, span: Span) -> Span | None:
        """The recorded parent of a span; None for a top."""
        if span.parent_id is None or span.span_id in self._tops:
            return None
        return self._by_id.get(span.parent_id)

    @property
    def outermost(self) -> Span:
        """The span whose duration is the request's: API Gateway's, else Lambda's, else the handler's, else a top.

        The highest in its tree comes first: a function may itself call an API behind an API Gateway.
        """
        found = self._highest(lambda span: span.origin in OUTER or is_function_handler(span))
        if found is not None:
            return found
        return (self.roots or self.remote_parents or self.unknown_parents or self.tops)[0]

    @property
    def handler(self) -> Span | None:
        """The function's own SERVER or CONSUMER span; None where it was lost or never made."""
        wanted = (SpanKind.SERVER, SpanKind.CONSUMER)
        below = self._highest(lambda span: span.kind in wanted and span.origin is None and self._below_function(span))
        return below or self._highest(lambda span: span.kind in wanted and span.origin is None)

    @property
    def route(self) -> str:
        """`POST /orders`: method and resource path of the handler's span, else of the outermost one, else a name."""
        return route_of(self.outermost, self.handler, self.function)

    @property
    def function(self) -> str:
        """The function that answered: as Lambda names it, else as its own spans do; empty where nothing says it."""
        return function_of(self._highest(lambda span: span.origin in (SERVICE, FUNCTION)), self.handler)

    @property
    def status_code(self) -> int | None:
        """The HTTP status that the caller saw."""
        return status_code_of(self.outermost, self.handler)

    @property
    def cold_start(self) -> bool:
        """Did an environment start for this request, as far as the spans tell?"""
        if any(is_init(span, self.parent(span)) for span in self.spans):
            return True
        return any(span.attributes.get("faas.coldstart") is True for span in self.spans)

    @property
    def timed_out(self) -> bool:
        """Did the function reach its deadline? Any span may say it: the handler's, or Lambda's where that was lost."""
        return any(span.attributes.get("lambda.timeout") is True for span in self.spans)

    @property
    def error(self) -> bool:
        """Did the request fail: a 5xx answer, or an ERROR on its outermost or its handler's span?"""
        return is_error(self.outermost, self.handler)

    def _highest(self, wanted: Callable[[Span], bool]) -> Span | None:
        level: list[Span] = list(self.tops)
        while level:
            found = [span for span in level if wanted(span)]
            if found:
                return min(found, key=_outer)
            level = [child for span in level for child in self.children(span)]
        return None

    def _below_function(self, span: Span) -> bool:
        parent = self.parent(span)
        while parent is not None and parent.origin is None and parent.kind is SpanKind.INTERNAL:
            parent = self.parent(parent)
        return parent is not None and parent.origin in (SERVICE, FUNCTION)


def _killed(spans: Iterable[Span]) -> Callable[[Span], bool]:
    """Whether a span is of a function of Lambda whose handler's span, which ends last, was never recorded."""
    handlers = (SpanKind.SERVER, SpanKind.CONSUMER)
    answered = {span.resource.get("faas.name") for span in spans if span.kind in handlers}

    def is_killed(span: Span) -> bool:
        function = span.resource.get("faas.name")
        return function is not None and function not in answered

    return is_killed


def _one_of_each(spans: Iterable[Span], problem: Callable[[str], object]) -> dict[str, Span]:
    """One span for each id, in the order of their start: the complete one, else the one that ends later."""
    found: dict[str, Span] = {}
    for span in spans:
        other = found.get(span.span_id)
        if other is None:
            found[span.span_id] = span
            continue
        # An open or provisional span is meant to be replaced, by a later provisional one too: two complete ones, or two
        # that were left open, are a mistake.
        if _complete(span) == _complete(other) and not (span.provisional and other.provisional):
            problem(f"span {span.span_id} ({span.name}) was recorded twice: the one that ends later counts")
        found[span.span_id] = max(other, span, key=_completeness)
    return {span.span_id: span for span in sorted(found.values(), key=_start)}


def _complete(span: Span) -> bool:
    return span.end_ns is not None and not span.provisional


def _completeness(span: Span) -> tuple[bool, bool, int, int, str]:
    # The last two make the choice independent of the order in which files were read.
    return _complete(span), span.end_ns is not None, span.end_ns or 0, -span.start_ns, repr(span)


def _outer(span: Span) -> tuple[int, int, str]:
    rank = OUTER.index(span.origin) if span.origin in OUTER else len(OUTER)
    return rank, span.start_ns, span.span_id


def _start(span: Span) -> tuple[int, str]:
    return span.start_ns, span.span_id


def _cycles(spans: Mapping[str, Span]) -> frozenset[str]:
    """The spans at which cycles of parents are cut: of each cycle the one that starts first."""
    cut = set()
    seen: set[str] = set()
    for span_id in spans:
        path: dict[str, None] = {}
        at: str | None = span_id
        while at is not None and at in spans and at not in seen:
            if at in path:
                ring = list(path)[list(path).index(at) :]
                cut.add(min(ring, key=lambda one: _start(spans[one])))
                break
            path[at] = None
            at = spans[at].parent_id
        seen.update(path)
    return frozenset(cut)
