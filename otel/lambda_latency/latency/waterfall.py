"""The spans of one request as bars, each with the time that the request waited for it, for text and page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.calls import is_failed, is_throttled
from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.judge.accounting import spent
from lambda_latency.latency.judge.charge import Charges
from lambda_latency.latency.judge.span_names import span_name
from lambda_latency.latency.judge.timeouts import is_running
from lambda_latency.latency.samples import runs_of
from lambda_latency.trace import FUNCTION, SERVICE, walk

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.part import Part
    from lambda_latency.latency.judge.accounting import Spent
    from lambda_latency.latency.samples import Run
    from lambda_latency.trace import Row, Span, Trace, Tree


@dataclass(slots=True, eq=False)
class Bar:
    """A span, the bar `above` it, and the stretches of the critical path that it owns, in the order of time.

    `end_ns` of an open span is that of the bar above. `part` is what the span's self time is charged to. `mark` is its
    failure: `running` (open at the deadline), `throttled`, a status such as `503`, `error`, or empty. `inside` are
    segments without a bar of their own: AWS nests them, but they describe the same thing. `waited_below_ns` is the time
    that the request waited for spans below. `runs` are the samples of a handler's own code.
    """

    row: Row
    span: Span
    name: str
    part: Part
    mark: str
    depth: int
    end_ns: int
    above: Bar | None
    owned: list[tuple[int, int]] = field(default_factory=list)
    inside: list[Span] = field(default_factory=list)
    waited_below_ns: int = 0
    runs: list[Run] = field(default_factory=list)

    @property
    def start_ns(self) -> int:
        """The start of the span."""
        return self.row.start_ns

    @property
    def waited_ns(self) -> int:
        """The time that the request waited for the span itself."""
        return sum(end - start for start, end in self.owned)

    @property
    def on_path(self) -> bool:
        """Whether the request waited for the span, or for a span below it."""
        return bool(self.owned or self.waited_below_ns)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars of a request from `start_ns` to `end_ns`, in the order of the tree, and its critical path by time.

    `bar_of` has, by span id, the bar that shows a span. `orphans` and `others` belong to the trace, but not to the tree
    of its request: spans whose parent was not recorded, and the roots of other trees. No request waited for the spans
    in `aside`.
    """

    start_ns: int
    end_ns: int
    bars: list[Bar]
    bar_of: dict[str, Bar]
    path: list[Spent]
    orphans: tuple[Span, ...]
    others: tuple[Span, ...]
    aside: tuple[Span, ...] = ()

    @property
    def wall_ns(self) -> int:
        """The wall clock of the request."""
        return self.end_ns - self.start_ns


def waterfall_of(trace: Trace, owners: Owners = NOBODY) -> Waterfall:
    """The waterfall of a trace's request."""
    tree = trace.tree
    stretches, parents = walk(tree)
    charged = Charges(owners).of(tree, parents)
    stretches.sort(key=lambda one: one[1])
    waits_for = tree.waits_for()
    bars: list[Bar] = []
    bar_of: dict[str, Bar] = {}
    for row, _ in tree.by_depth():
        waiting = waits_for.get(row.span_id)
        above = bar_of[waiting.span_id] if waiting is not None else None
        span, charge = trace.span(row), charged[row.span_id]
        if waiting is not None and above is not None and _is_inside(tree, row, waiting):
            above.inside.append(span)
            bar_of[row.span_id] = above
            continue
        bar = bar_of[row.span_id] = Bar(
            row=row,
            span=span,
            name=span_name(trace, row, charge),
            part=charge.part,
            mark=_mark(trace, row, span),
            depth=above.depth + 1 if above is not None else 0,
            end_ns=max(row.end_ns or (above.end_ns if above is not None else tree.end_ns), row.start_ns),
            above=above,
            runs=runs_of(span),
        )
        bars.append(bar)
    for row, start, end in stretches:
        bar_of[row.span_id].owned.append((start, end))
    for bar in reversed(bars):
        if bar.above is not None:
            bar.above.waited_below_ns += bar.waited_ns + bar.waited_below_ns
    path = list(spent(tree, stretches, charged))
    outside = [trace.orphans, _others(trace)]
    orphans, others = (tuple(span for span in spans if span.span_id not in bar_of) for spans in outside)
    aside = tuple(trace.span(row) for row in tree.aside)
    return Waterfall(tree.start_ns, tree.end_ns, bars, bar_of, path, orphans, others, aside)


def _mark(trace: Trace, row: Row, span: Span) -> str:
    if is_running(trace, span):
        return "running"
    if span.origin is not None:
        return ""
    if is_throttled(row.shape):
        return "throttled"
    if is_failed(row.shape):
        code = row.shape["http.response.status_code"] or row.shape["http.status_code"]
        return str(code) if isinstance(code, int) and code >= 400 else "error"
    return ""


def _others(trace: Trace) -> tuple[Span, ...]:
    tree = trace.tree
    top = tree.outermost
    above = tree.parent(top)
    while above is not None:
        top, above = above, tree.parent(above)
    return tuple(span for span in trace.tops if span is not trace.span(top) and span not in trace.orphans)


def _is_inside(tree: Tree, row: Row, waiting: Row) -> bool:
    """Whether the segment has no bar: a function inside its service, or the Invocation inside its function."""
    if row.shape.phase == "Invocation" and tree.is_phase(row):
        return True
    if row.shape.origin != FUNCTION or waiting.shape.origin != SERVICE:
        return False
    return sum(one.shape.origin == FUNCTION for one in tree.children[waiting.span_id]) == 1
