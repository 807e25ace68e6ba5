"""A trace: the spans of one trace id as a tree, with the contradictions between them as problems.

The same value represents a trace of a unit test, of a laptop and of X-Ray. It combines the rows that reports are
computed from with the whole spans.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lambda_latency.trace.model.problem import Problem
from lambda_latency.trace.model.request import PLAIN, function_of, is_error, route_of, status_code_of
from lambda_latency.trace.model.row import rows_of
from lambda_latency.trace.model.shape import TIMED_OUT
from lambda_latency.trace.model.span import Span, SpanKind
from lambda_latency.trace.paths.consistency import CUT
from lambda_latency.trace.paths.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambda_latency.trace.model.request import View
    from lambda_latency.trace.model.row import Row


@dataclass(frozen=True, slots=True, init=False)
class Trace:
    """The spans of one trace id, one for each span id, in the order of their start.

    `tops` are the spans without a recorded parent: `roots` (without any parent), `remote_parents` (the parent is in
    another process), `unknown_parents` (the source does not say where the parent is), `orphans` (a local parent that
    was never recorded), `cut_off` (orphans of a killed invocation, whose open spans were never exported, the handler's
    among them), and one span of each cycle of parents. `tree` has the rows, and which row waits for which.

    Raises `ValueError` without spans, and for spans of several trace ids.
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
    tree: Tree = field(repr=False, compare=False)
    _by_id: Mapping[str, Span] = field(repr=False, compare=False)
    _absent: Mapping[str, Span] = field(repr=False, compare=False)
    _children: Mapping[str, tuple[Span, ...]] = field(repr=False, compare=False)

    def __init__(self, spans: Iterable[Span], view: View = PLAIN) -> None:
        read = list(spans)
        if not read:
            raise ValueError("a trace has at least one span, got none")
        trace_id = read[0].trace_id
        foreign = next((span for span in read if span.trace_id != trace_id), None)
        if foreign is not None:
            raise ValueError(f"the spans of a trace share one trace id, got {trace_id} and {foreign.trace_id}")
        if len({span.span_id for span in read}) < len(read):
            read.sort(key=repr)  # makes the choice between equal rows independent of the order of files
        rows = rows_of(read)
        whole = {id(row): span for row, span in zip(rows, read, strict=True)}
        tree = Tree(list(rows), view)
        absent = {row.span_id: _stand_in(trace_id, row) for row in tree.absent}
        recorded = [row for row in tree.rows.values() if row.span_id not in absent]
        kept = sorted(recorded, key=lambda row: (row.start_ns, row.span_id))
        by_id = {row.span_id: _with_ids(whole[id(row)], row) for row in kept}
        children: dict[str, list[Span]] = {}
        tops: list[Row] = []
        for row in kept:
            if row.parent_id in by_id:
                children.setdefault(row.parent_id, []).append(by_id[row.span_id])
            else:
                tops.append(row)
        lost = [row for row in tops if row.parent_id not in ("", CUT)]
        local = [by_id[row.span_id] for row in lost if row.shape.remote is False]
        is_killed = _killed_in(by_id.values())
        values: dict[str, object] = {
            "trace_id": trace_id,
            "spans": tuple(by_id.values()),
            "problems": tuple(Problem(trace_id, None, reason, "counted") for reason in tree.problems),
            "roots": tuple(by_id[row.span_id] for row in tops if not row.parent_id),
            "orphans": tuple(span for span in local if not is_killed(span)),
            "cut_off": tuple(span for span in local if is_killed(span)),
            "remote_parents": tuple(by_id[row.span_id] for row in lost if row.shape.remote is True),
            "unknown_parents": tuple(by_id[row.span_id] for row in lost if row.shape.remote is None),
            "tops": tuple(by_id[row.span_id] for row in tops),
            "tree": tree,
            "_by_id": by_id,
            "_absent": absent,
            "_children": {span_id: tuple(spans) for span_id, spans in children.items()},
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def get(self, span_id: str) -> Span | None:
        """The span with an id; None if there is none."""
        return self._by_id.get(span_id)

    def span(self, row: Row) -> Span:
        """The span of a row of the tree; a stand-in for a parent that was not recorded."""
        found = self._by_id.get(row.span_id)
        return self._absent[row.span_id] if found is None else found

    def children(self, span: Span) -> tuple[Span, ...]:
        """The children of a span in the order of their start."""
        return self._children.get(span.span_id, ())

    def parent(self, span: Span) -> Span | None:
        """The recorded parent of a span; None for a top."""
        return self._by_id.get(self.tree.rows[span.span_id].parent_id)

    @property
    def outermost(self) -> Span:
        """The span whose duration is the request's.

        The search takes the least deep span of API Gateway, Lambda or a handler, at equal depth in this order; without
        them a top. Depth decides, because a function may call an API behind API Gateway. The result is the top above
        that span, where a caller is recorded, or the span itself if the view has `from_lambda`.
        """
        return self.span(self.tree.outermost)

    @property
    def handler(self) -> Span | None:
        """The function's own SERVER or CONSUMER span; None if it was lost, never created, or is not the request's."""
        row = self.tree.handler
        return self.span(row) if row is not None else None

    @property
    def route(self) -> str:
        """The route, such as `POST /orders`; else the name of a span. `route_of` has the details."""
        return route_of(self.tree.outermost, self.tree.router(self.tree.handler), self.function)

    @property
    def function(self) -> str:
        """The function that answered: from Lambda's segment, else from the handler's resource, else empty."""
        return function_of(self.tree.segment, self.tree.handler)

    @property
    def status_code(self) -> int | None:
        """The HTTP status of the outermost span, which the caller saw, else of the handler's span, else None."""
        return status_code_of(self.tree.outermost, self.tree.handler)

    @property
    def cold_start(self) -> bool:
        """Whether an environment started for this request, as far as the spans show."""
        return self.tree.is_cold

    @property
    def timed_out(self) -> bool:
        """Whether the function reached its deadline. Any span may show it, for example Lambda's."""
        return bool(self.tree.roles & TIMED_OUT)

    @property
    def error(self) -> bool:
        """Whether the request failed: an HTTP status of 5xx, or status ERROR on the outermost or the handler's span."""
        return is_error(self.tree.outermost, self.tree.handler)


def _killed_in(spans: Iterable[Span]) -> Callable[[Span], bool]:
    """A predicate: whether a span is of a Lambda function without a recorded handler span.

    The handler's span ends last, so without it the invocation was killed.
    """
    handlers = (SpanKind.SERVER, SpanKind.CONSUMER)
    answered = {span.resource.get("faas.name") for span in spans if span.kind in handlers}

    def is_killed(span: Span) -> bool:
        function = span.resource.get("faas.name")
        return function is not None and function not in answered

    return is_killed


def _with_ids(span: Span, row: Row) -> Span:
    """The span with the ids that its row has since the two sides of a call were parted."""
    if span.span_id == row.span_id and row.parent_id in (span.parent_id or "", CUT):
        return span
    return replace(span, span_id=row.span_id, parent_id=row.parent_id)


def _stand_in(trace_id: str, row: Row) -> Span:
    return Span(trace_id=trace_id, span_id=row.span_id, name=row.name, start_ns=row.start_ns, end_ns=row.end_ns)
