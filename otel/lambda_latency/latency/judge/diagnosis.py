"""What one request shows about a cause: the span with most of own code, failed attempts, a timeout, the log lines.

Classes are found among accounts, which have no spans: an example is read again to tell more than the part.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.calls import is_failed, is_throttled
from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.judge.accounting import spent
from lambda_latency.latency.judge.charge import Charges
from lambda_latency.latency.judge.log_lines import LogLines, log_lines_of
from lambda_latency.latency.judge.services import Place, place_of
from lambda_latency.latency.judge.span_names import span_name
from lambda_latency.latency.judge.thresholds import DOMINANT_PERCENT, EVEN_NS
from lambda_latency.trace import GAVE_UP, SpanKind, service_of, walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.judge.accounting import Spent
    from lambda_latency.latency.judge.charge import Charge
    from lambda_latency.trace import Row, Span, Trace

# Names of spans that wait for a connection, as instrumentations and people call them.
POOL = re.compile(
    r"(?<!s)pool|acquire.*(conn|session)|(conn|session)\w*[ ._-]*acquire|get_?connection|checkout.*conn",
    re.IGNORECASE,
)
BESIDE_PERCENT = 80  # of a wait that another span ran for


class Attempts(NamedTuple):
    """The calls to one callee in one request: all, and the statuses or errors of those that failed, in their order.

    `callee` is set if the cell is the own code that waited between them. `again`: whether a call of the same name began
    after one had failed.
    """

    calls: int
    failed: tuple[str, ...]
    callee: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a request shows about a cell.

    `span` has most of the cell's own code, for `span_ns`; empty without such a span. `beside` is a span that ran while
    `span` waited, and for how long. `attempts` are set if calls failed. `gave_up` is the error with which a client
    ended a call after `gave_up_ns`. `place` is where the code that waits ran, if a span tells.
    """

    trace_id: str
    place: Place | None = None
    span: str = ""
    span_ns: int = 0
    beside: tuple[str, int] | None = None
    attempts: Attempts | None = None
    gave_up: str = ""
    gave_up_ns: int = 0
    log: LogLines | None = None

    @property
    def waits_for_a_pool(self) -> bool:
        """Whether the span with most of the time waits for a connection of a pool."""
        return is_pool(self.span)


def is_pool(name: str) -> bool:
    """Whether a span with this name waits for a connection of a pool."""
    return POOL.search(name) is not None


def diagnose(trace: Trace, cell: Cell, owners: Owners = NOBODY) -> Diagnosis:
    """What a request shows about one of its cells."""
    tree = trace.tree
    stretches, parents = walk(tree)
    charged = Charges(owners).of(tree, parents)
    path = list(spent(tree, stretches, charged))
    # The cell of a class of several callers has none.
    several = cell.part.bucket == "network" and not cell.caller
    callers = {one.caller for one in charged.values()} if several else {cell.caller}
    its = [one for one in path if one.part == cell.part and charged[one.row.span_id].caller in callers]
    name, ns, row = _most(trace, charged, its) if cell.is_own else ("", 0, None)
    if name == cell.part.bucket:  # the span of a cold start, which says no more than the part
        name, ns, row = "", 0, None
    calls = [
        tree.rows[span_id]
        for span_id, one in charged.items()
        if one.call is not None and one.part == cell.part and one.caller in callers
    ]
    gave_up = _gave_up(trace, calls or [one.row for one in its])
    service = cell.caller or trace.function
    waiting = [trace.span(one.row) for one in its] + [span for span in trace.spans if _service(span) == cell.caller]
    return Diagnosis(
        trace_id=trace.trace_id,
        place=place_of(waiting if cell.is_own else chain(_making(trace, calls), waiting)),
        span=name,
        span_ns=ns,
        beside=_beside(trace, charged, row, its) if row is not None else None,
        attempts=_between(trace, charged, its, callers) if cell.is_own else _attempts(trace, calls),
        gave_up=gave_up[0],
        gave_up_ns=gave_up[1],
        log=log_lines_of(trace, service),
    )


def _most(trace: Trace, charged: Mapping[str, Charge], its: Sequence[Spent]) -> tuple[str, int, Row | None]:
    """The INTERNAL span, or spans of one name, that has most of a cell's time on the critical path."""
    sums: defaultdict[str, int] = defaultdict(int)
    rows: dict[str, Row] = {}
    for one in its:
        if _is_inside(trace, one.row):
            name = span_name(trace, one.row, charged[one.row.span_id])
            sums[name] += one.end_ns - one.start_ns
            rows.setdefault(name, one.row)
    name = max(sums, key=lambda one: (sums[one], one), default="")
    whole_ns = sum(one.end_ns - one.start_ns for one in its)
    if not name or 100 * sums[name] < DOMINANT_PERCENT * whole_ns:
        return "", 0, None
    return name, sums[name], rows[name]


def _is_inside(trace: Trace, row: Row) -> bool:
    """Whether the span is INTERNAL, and neither the request's nor the first of its service."""
    parent = trace.tree.parent(row)
    return (
        row.shape.kind is SpanKind.INTERNAL
        and not row.shape.origin
        and parent is not None
        and service_of(parent) == service_of(row)
    )


def _beside(trace: Trace, charged: Mapping[str, Charge], row: Row, its: Sequence[Spent]) -> tuple[str, int] | None:
    """The span, neither above nor below `row`, that ran for most of the time that `row` owns on the critical path."""
    tree = trace.tree
    owned = [(one.start_ns, one.end_ns) for one in its if one.row is row]
    whole_ns = sum(end - start for start, end in owned)
    if whole_ns < EVEN_NS:
        return None
    below, above = {row.span_id}, _above_of(trace, row)
    found: tuple[int, int, str] | None = None
    for other, depth in tree.by_depth():  # parents before children
        if other.parent_id in below:
            below.add(other.span_id)
        if other.span_id in below or not other.end_ns or other.span_id in above:
            continue
        ns = sum(max(0, min(end, other.end_ns) - max(start, other.start_ns)) for start, end in owned)
        if 100 * ns >= BESIDE_PERCENT * whole_ns and (found is None or (-depth, ns) > found[:2]):
            found = (-depth, ns, span_name(trace, other, charged[other.span_id]))
    return (found[2], found[1]) if found is not None else None


def _above_of(trace: Trace, row: Row) -> set[str]:
    """The ids of the spans above a row."""
    found = set()
    at = trace.tree.parent(row)
    while at is not None and at.span_id not in found:
        found.add(at.span_id)
        at = trace.tree.parent(at)
    return found


def _making(trace: Trace, calls: Sequence[Row]) -> Iterator[Span]:
    """The spans of these calls, for a proxy's CLIENT span is of the proxy itself; then those above the first one up to
    that of its service: X-Ray's subsegments do not tell where they ran, their segment does."""
    yield from map(trace.span, calls)
    at, seen = trace.tree.parent(calls[0]) if calls else None, set[str]()
    while at is not None and at.span_id not in seen:
        seen.add(at.span_id)
        yield trace.span(at)
        at = trace.tree.parent(at) if at.shape.kind is not SpanKind.SERVER else None


def _attempts(trace: Trace, calls: Sequence[Row]) -> Attempts | None:
    ordered = sorted(calls, key=lambda row: row.start_ns)
    failed = [row for row in ordered if _failed(row)]
    last = {row.name: row.start_ns for row in ordered}
    again = any(last[row.name] >= max(row.end_ns, row.start_ns + 1) for row in failed)
    return Attempts(len(calls), tuple(_status(trace, row) for row in failed), again=again) if failed else None


def _between(
    trace: Trace, charged: Mapping[str, Charge], its: Sequence[Spent], callers: Collection[str]
) -> Attempts | None:
    """The attempts between which most of own code waited: from a failed call to the next one of the same callee."""
    calls: defaultdict[str, list[Row]] = defaultdict(list)
    for span_id, one in charged.items():
        if one.call is not None and one.caller in callers:
            calls[one.part.name].append(trace.tree.rows[span_id])
    whole_ns = sum(one.end_ns - one.start_ns for one in its)
    for callee, rows in sorted(calls.items()):
        rows.sort(key=lambda row: row.start_ns)
        waits = [(row.end_ns or row.start_ns, later.start_ns) for row, later in pairwise(rows) if _failed(row)]
        ns = sum(max(0, min(one.end_ns, end) - max(one.start_ns, start)) for one in its for start, end in waits)
        if callee and waits and 100 * ns >= DOMINANT_PERCENT * whole_ns:
            found = _attempts(trace, rows)
            return found._replace(callee=callee) if found is not None else None
    return None


def _failed(row: Row) -> bool:
    code = row.shape["http.response.status_code"] or row.shape["http.status_code"]
    return is_failed(row.shape) or is_throttled(row.shape) or (isinstance(code, int) and code >= 500)


def _status(trace: Trace, row: Row) -> str:
    code = row.shape["http.response.status_code"] or row.shape["http.status_code"]
    if isinstance(code, int) and code >= 400:
        return str(code)
    return _error(trace.span(row)) or "error"


def _error(span: Span) -> str:
    """The type of the exception or error, without its package."""
    types = [event.attributes.get("exception.type") for event in span.events if event.name == "exception"]
    texts = [str(one) for one in (*types, span.attributes.get("error.type")) if one]
    return texts[0].rpartition(".")[2][:40] if texts else ""


def _gave_up(trace: Trace, calls: Sequence[Row]) -> tuple[str, int]:
    """The error of the longest call that its client ended, and how long the call was."""
    found = ("", 0)
    for row in calls:
        span = trace.span(row)
        ns = max(0, (row.end_ns or row.start_ns) - row.start_ns)
        if row.shape.roles & GAVE_UP and ns > found[1]:
            found = (_error(span) or "a timeout", ns)
    return found


def _service(span: Span) -> str:
    return str(span.resource.get("service.name") or span.resource.get("faas.name") or "")
