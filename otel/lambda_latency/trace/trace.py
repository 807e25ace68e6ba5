"""A trace: the spans of one trace id as a tree, with what does not fit into the tree named.

The same value stands for a trace of a unit test, of the laptop and of X-Ray: a view of the rows that reports are made
of, with the whole spans beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.trace.consistency import CUT
from lambda_latency.trace.problem import Problem
from lambda_latency.trace.request import function_of, is_error, route_of, status_code_of
from lambda_latency.trace.row import row_of
from lambda_latency.trace.shape import TIMED_OUT
from lambda_latency.trace.span import Span, SpanKind
from lambda_latency.trace.tree import Tree
from lambda_latency.trace.view import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambda_latency.trace.row import Row
    from lambda_latency.trace.view import View

__all__ = ["Trace"]


@dataclass(frozen=True, slots=True, init=False)
class Trace:
    """The spans of one trace id, one for each span id, in the order of their start.

    `tops` are the spans without a recorded parent: `roots` (no parent at all), those whose parent lies in another
    process (`remote_parents`) or somewhere unknown (`unknown_parents`), the `orphans` (a local parent that was never
    recorded), what is `cut_off` (the same in an invocation that was killed: its open spans never left, the handler's
    among them), and one span of each cycle, where it was cut. `tree` is who waits for whom, as rows.
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
            read.sort(key=repr)  # of equal rows it does not depend on the order of files which one is kept
        rows = [row_of(span) for span in read]
        whole = {id(row): span for row, span in zip(rows, read, strict=True)}
        tree = Tree(list(rows), view)
        absent = {row.span_id: _stand_in(trace_id, row) for row in tree.absent}
        recorded = [row for row in tree.rows.values() if row.span_id not in absent]
        kept = sorted(recorded, key=lambda row: (row.start_ns, row.span_id))
        by_id = {row.span_id: whole[id(row)] for row in kept}
        children: dict[str, list[Span]] = {}
        tops: list[Row] = []
        for row in kept:
            if row.parent_id in by_id:
                children.setdefault(row.parent_id, []).append(by_id[row.span_id])
            else:
                tops.append(row)
        lost = [row for row in tops if row.parent_id not in ("", CUT)]
        local = [by_id[row.span_id] for row in lost if row.shape.remote is False]
        is_killed = _killed(by_id.values())
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
        """The span of an id."""
        return self._by_id.get(span_id)

    def span(self, row: Row) -> Span:
        """The span of a row of the tree; for a parent that was not recorded one that stands for it."""
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
        """The span whose duration is the request's: API Gateway's, else Lambda's, else the handler's, else a top.

        The highest in its tree comes first: a function may itself call an API behind an API Gateway.
        """
        return self.span(self.tree.outermost)

    @property
    def handler(self) -> Span | None:
        """The function's own SERVER or CONSUMER span; None where it was lost or never made."""
        row = self.tree.handler
        return self.span(row) if row is not None else None

    @property
    def route(self) -> str:
        """`POST /orders`: method and resource path of the handler's span, else of the outermost one, else a name."""
        return route_of(self.tree.outermost, self.tree.handler, self.function)

    @property
    def function(self) -> str:
        """The function that answered: as Lambda names it, else as its own spans do; empty where nothing says it."""
        return function_of(self.tree.segment, self.tree.handler)

    @property
    def status_code(self) -> int | None:
        """The HTTP status that the caller saw."""
        return status_code_of(self.tree.outermost, self.tree.handler)

    @property
    def cold_start(self) -> bool:
        """Whether an environment started for this request, as far as the spans tell."""
        return self.tree.is_cold

    @property
    def timed_out(self) -> bool:
        """Whether the function reached its deadline. Any span may say it: Lambda's, if the handler's was lost."""
        return bool(self.tree.roles & TIMED_OUT)

    @property
    def error(self) -> bool:
        """Whether the request failed: a 5xx answer, or an ERROR on its outermost or its handler's span."""
        return is_error(self.tree.outermost, self.tree.handler)


def _killed(spans: Iterable[Span]) -> Callable[[Span], bool]:
    """Whether a span is of a function of Lambda whose handler's span, which ends last, was never recorded."""
    handlers = (SpanKind.SERVER, SpanKind.CONSUMER)
    answered = {span.resource.get("faas.name") for span in spans if span.kind in handlers}

    def is_killed(span: Span) -> bool:
        function = span.resource.get("faas.name")
        return function is not None and function not in answered

    return is_killed


def _stand_in(trace_id: str, row: Row) -> Span:
    return Span(trace_id=trace_id, span_id=row.span_id, name=row.name, start_ns=row.start_ns, end_ns=row.end_ns)
