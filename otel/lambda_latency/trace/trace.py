"""A trace: the spans of one trace id as a tree, with the contradictions between them as problems.

The same value represents a trace of a unit test, of a laptop and of X-Ray. It combines the rows that reports are
computed from with the whole spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambda_latency.trace.model.compact_span import CompactSpan, compact_spans_of
from lambda_latency.trace.model.problem import Problem
from lambda_latency.trace.model.request import DEFAULT_VIEW, View, function_of, is_error, route_of, status_code_of
from lambda_latency.trace.model.span import Span, SpanKind
from lambda_latency.trace.paths.consistency import CUT
from lambda_latency.trace.paths.tree import Tree


@dataclass(frozen=True, slots=True, init=False)
class Trace:
    """The spans of one trace id, one for each span id, in the order of their start.

    `local_roots` are the spans without a recorded parent: `roots` (without any parent), `orphans` (a local parent that
    was never recorded), `cut_off` (orphans of a killed invocation, whose open spans were never exported, the handler's
    among them), those whose parent is or may be in another process, and one span of each cycle of parents. `tree` has
    the rows, and which row waits for which.

    Raises `ValueError` without spans, and for spans of several trace ids.
    """

    trace_id: str
    spans: tuple[Span, ...]
    problems: tuple[Problem, ...]
    roots: tuple[Span, ...] = field(repr=False, compare=False)
    orphans: tuple[Span, ...] = field(repr=False, compare=False)
    cut_off: tuple[Span, ...] = field(repr=False, compare=False)
    local_roots: tuple[Span, ...] = field(repr=False, compare=False)
    tree: Tree = field(repr=False, compare=False)
    _by_id: Mapping[str, Span] = field(repr=False, compare=False)
    _absent: Mapping[str, Span] = field(repr=False, compare=False)
    _children: Mapping[str, tuple[Span, ...]] = field(repr=False, compare=False)

    def __init__(self, spans: Iterable[Span], view: View = DEFAULT_VIEW) -> None:
        recorded = _checked(spans)
        compact_spans = compact_spans_of(recorded)
        by_compact = {id(compact): span for compact, span in zip(compact_spans, recorded, strict=True)}
        tree = Tree(list(compact_spans), view)
        trace_id = recorded[0].trace_id
        absent = {compact.span_id: _absent_span(trace_id, compact) for compact in tree.added}
        retained = [compact for compact in tree.spans.values() if compact.span_id not in absent]
        retained.sort(key=lambda compact: (compact.start_ns, compact.span_id))
        by_id = {compact.span_id: _with_ids(by_compact[id(compact)], compact) for compact in retained}
        members: dict[str, object] = {
            "trace_id": trace_id,
            "spans": tuple(by_id.values()),
            "problems": tuple(Problem(trace_id, None, reason, "counted") for reason in tree.problems),
            "tree": tree,
            "_by_id": by_id,
            "_absent": absent,
            "_children": _children_of(retained, by_id),
            **_kinds_of_roots([compact for compact in retained if compact.parent_id not in by_id], by_id),
        }
        for name, member in members.items():
            object.__setattr__(self, name, member)

    def get(self, span_id: str) -> Span | None:
        """The span with an id; None if there is none."""
        return self._by_id.get(span_id)

    def span(self, compact: CompactSpan) -> Span:
        """The span of a row of the tree, also of one that represents a parent that was not recorded."""
        span = self._by_id.get(compact.span_id)
        return self._absent[compact.span_id] if span is None else span

    def children(self, span: Span) -> tuple[Span, ...]:
        """The children of a span in the order of their start."""
        return self._children.get(span.span_id, ())

    def parent(self, span: Span) -> Span | None:
        """The recorded parent of a span; None if it was not recorded."""
        return self._by_id.get(self.tree.spans[span.span_id].parent_id)

    @property
    def request_root(self) -> Span:
        """The span whose duration is the request's.

        The search takes the least deep span of API Gateway, Lambda or a handler, at equal depth in this order; without
        them a root. Depth decides, because a function may call an API behind API Gateway. The result is the root above
        that span, where a caller is recorded, or the span itself if the view has `from_lambda`.
        """
        return self.span(self.tree.request_root)

    @property
    def handler(self) -> Span | None:
        """The function's own SERVER or CONSUMER span; None if it was lost, never created, or is not the request's."""
        compact = self.tree.handler
        return self.span(compact) if compact is not None else None

    @property
    def route(self) -> str:
        """The route, such as `POST /orders`; else the name of a span. `route_of` has the details."""
        return route_of(self.tree.request_root, self.tree.router(self.tree.handler), self.function)

    @property
    def function(self) -> str:
        """The function that answered: from Lambda's segment, else from the handler's resource, else empty."""
        return function_of(self.tree.segment, self.tree.handler)

    @property
    def status_code(self) -> int | None:
        """The HTTP status of the request's root span, which the caller saw, else of the handler's span, else None."""
        return status_code_of(self.tree.request_root, self.tree.handler)

    @property
    def cold_start(self) -> bool:
        """Whether an environment started for this request, as far as the spans show."""
        return self.tree.is_cold

    @property
    def timed_out(self) -> bool:
        """Whether the function reached its deadline. Any span may show it, for example Lambda's."""
        return self.tree.timed_out

    @property
    def error(self) -> bool:
        """Whether the request failed: an HTTP status of 5xx, or status ERROR on the root or the handler's span."""
        return is_error(self.tree.request_root, self.tree.handler)


def _checked(spans: Iterable[Span]) -> list[Span]:
    """The spans of one trace as a list. Raises `ValueError` if they are not of one trace."""
    listed = list(spans)
    if not listed:
        raise ValueError("a trace has at least one span, got none")
    trace_id = listed[0].trace_id
    foreign = next((span for span in listed if span.trace_id != trace_id), None)
    if foreign is not None:
        raise ValueError(f"the spans of a trace share one trace id, got {trace_id} and {foreign.trace_id}")
    if len({span.span_id for span in listed}) < len(listed):
        # Makes the choice between equal rows independent of the order of files
        listed.sort(key=repr)
    return listed


def _children_of(compact_spans: Iterable[CompactSpan], by_id: Mapping[str, Span]) -> dict[str, tuple[Span, ...]]:
    children: dict[str, list[Span]] = {}
    for compact in compact_spans:
        if compact.parent_id in by_id:
            children.setdefault(compact.parent_id, []).append(by_id[compact.span_id])
    return {span_id: tuple(spans) for span_id, spans in children.items()}


def _kinds_of_roots(local_roots: Sequence[CompactSpan], by_id: Mapping[str, Span]) -> dict[str, tuple[Span, ...]]:
    """The spans without a recorded parent, by the name of the member of `Trace` that has them."""
    kinds: dict[str, list[Span]] = {"roots": [], "orphans": [], "cut_off": [], "local_roots": []}
    answered = _answered(by_id.values())
    for compact in local_roots:
        span = by_id[compact.span_id]
        kinds["local_roots"].append(span)
        if not compact.parent_id:
            kinds["roots"].append(span)
        elif compact.parent_id != CUT and compact.signature.remote is False:
            kinds["orphans" if span.resource.get("faas.name") in answered else "cut_off"].append(span)
    return {name: tuple(spans) for name, spans in kinds.items()}


def _answered(spans: Iterable[Span]) -> set[object]:
    """The functions with a recorded handler span, which ends last: without it the invocation was killed.

    None is one of them: a span whose resource names no function is not of Lambda.
    """
    handlers = (SpanKind.SERVER, SpanKind.CONSUMER)
    return {None, *(span.resource.get("faas.name") for span in spans if span.kind in handlers)}


def _with_ids(span: Span, compact: CompactSpan) -> Span:
    """The span with the ids that its row has since a client and a server of one id were separated."""
    if span.span_id == compact.span_id and compact.parent_id in (span.parent_id or "", CUT):
        return span
    return replace(span, span_id=compact.span_id, parent_id=compact.parent_id)


def _absent_span(trace_id: str, compact: CompactSpan) -> Span:
    return Span(
        trace_id=trace_id, span_id=compact.span_id, name=compact.name, start_ns=compact.start_ns, end_ns=compact.end_ns
    )
