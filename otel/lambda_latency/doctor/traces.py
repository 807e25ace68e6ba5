"""Rules about broken or missing traces, of any source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, rule
from lambda_latency.trace import FUNCTION, SERVICE, Span, SpanKind, Trace

HANDLES = (SpanKind.SERVER, SpanKind.CONSUMER)
INSTANCE = "faas.name"


@dataclass(frozen=True, slots=True)
class Broken:
    """The problem of one trace, and the remedy."""

    what: str
    todo: str


def diagnose_traces(source: str, traces: Sequence[Trace]) -> tuple[Finding, ...]:
    """One finding per rule that traces of a source violate, with the first trace and the number of traces."""
    if not traces:
        todo = "check its time and sampling: unsampled requests, and traces older than 30 days, are not stored"
        return (missing.finding(source, 1, "no trace was found", todo),)
    found = []
    for each in TRACE_RULES:
        wrong = [(trace, one) for trace in traces for one in list(each.check(trace))[:1]]
        if wrong:
            trace, first = wrong[0]
            how_many = (
                f"{len(wrong)} of {len(traces)} traces, such as {trace.trace_id}" if len(traces) > 1 else "the trace"
            )
            found.append(each.finding(source, 1, f"{how_many}: {first.what}", first.todo))
    return tuple(found)


@rule("trace-missing", ERROR, "There is no trace to check.")
def missing(_: Trace) -> Iterator[Broken]:
    """An unsampled request has no trace. X-Ray keeps traces for 30 days; with Transaction Search on, its API returns
    only indexed traces, by default 1 %.
    """
    yield from ()  # without a trace no check runs: `diagnose_traces` reports it


@rule("trace-orphans", ERROR, "These spans have no parent in the trace: their time is not attributed.")
def orphans(trace: Trace) -> Iterator[Broken]:
    """A parent in the same process was started and never exported: it never ended, or the environment was frozen
    before the export.
    """
    if trace.orphans:
        names = ", ".join(dict.fromkeys(span.name for span in trace.orphans[:3]))
        what = f"{len(trace.orphans)} spans have a parent in their own process that was never recorded ({names})"
        yield Broken(what, "end every span before the handler returns, and flush before the freeze")


@rule("trace-second-root", WARNING, "The request is split into several trees.")
def second_root(trace: Trace) -> Iterator[Broken]:
    """A span was started without its parent's context, in a thread or from a message, but with the trace's id."""
    if len(trace.roots) > 1:
        names = ", ".join(span.name for span in trace.roots[:3])
        todo = "take the parent from the event or the context: check queue messages, threads, propagators without xray"
        yield Broken(f"it has {len(trace.roots)} roots ({names})", todo)


@rule("trace-without-function", ERROR, "The time inside the function is not explained.")
def without_ours(trace: Trace) -> Iterator[Broken]:
    """Lambda's segments exist, so the request was sampled: the function's own tracing did not start, or its spans did
    not arrive.
    """
    own = [span for span in trace.spans if span.origin is None and span.resource.get(INSTANCE)]
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if segments and trace.handler is None and not own and not _has_inner(trace, segments):
        what = f"Lambda recorded {segments[0].name}, but the function recorded nothing"
        todo = "run lambda-latency doctor on the template: a wrapper, a collector or a permission is missing"
        yield Broken(what, todo)


def _has_inner(trace: Trace, segments: Sequence[Span]) -> bool:
    """Whether Lambda's segments have descendants other than Lambda's phases."""
    phases = ("Initialization", "Invocation", "Overhead", "Restore")
    below = [child for segment in segments for child in trace.children(segment)]
    inner = [*below, *(child for span in below for child in trace.children(span))]
    return any(span.name not in phases for span in inner)


@rule("trace-without-lambda", NOTE, "The trace has neither Lambda's own time nor the gateway's.")
def without_lambda(trace: Trace) -> Iterator[Broken]:
    """Lambda records its segments only with Tracing: Active, and sends them directly to X-Ray: a file of the
    function's spans has none.
    """
    handler = trace.handler
    lambdas = [span for span in trace.spans if span.origin in (FUNCTION, SERVICE)]
    if handler is not None and handler.resource.get(INSTANCE) and not lambdas:
        what = f"the function recorded {handler.name}, but Lambda recorded nothing"
        yield Broken(what, "set Tracing: Active; files of a collector or a test never have Lambda's segments")


@rule("trace-hijacked", WARNING, "The function's spans are not children of Lambda's segments.")
def hijacked(trace: Trace) -> Iterator[Broken]:
    """A caller's traceparent was used instead of Lambda's X-Ray header. Any caller can send one, and can hide the
    request with it.
    """
    handler = trace.handler
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if handler is None or not segments or handler.parent_id is None or trace.parent(handler) is not None:
        return
    if handler.parent_remote is not False:
        what = f"{handler.name} has a parent {handler.parent_id} that is not Lambda's segment"
        yield Broken(
            what, "leave tracecontext out of OTEL_PROPAGATORS: a caller's traceparent overrides Lambda's header"
        )


@rule("trace-timeout", NOTE, "Spans that were running at the timeout have no end.")
def at_timeout(trace: Trace) -> Iterator[Broken]:
    """Lambda stops the function at its timeout. The kit exports open spans before that."""
    if trace.timed_out:
        yield Broken(
            "Lambda stopped the function at its timeout", "see the running spans with lambda-latency report --trace"
        )


@rule("trace-freeze", ERROR, "Spans are lost, or arrive with the next request of the environment.")
def at_freeze(trace: Trace) -> Iterator[Broken]:
    """Lambda freezes the environment after the response. Spans that are not exported by then are delayed or lost."""
    waiting = [span for span in trace.spans if span.provisional or span.end_ns is None]
    if not trace.timed_out and (trace.cut_off or waiting):
        lost = len(trace.cut_off)
        what = (
            f"the handler's span, the parent of {lost} spans, is missing"
            if lost
            else f"{waiting[0].name} was never ended"
        )
        yield Broken(what, "export before the freeze: the kit's extension does, a batch processor does not")


@rule("trace-two-tracers", WARNING, "Calls count twice.")
def two_tracers(trace: Trace) -> Iterator[Broken]:
    """Two instrumentations recorded the same call at the same time under the same name."""
    by_name: dict[tuple[str, SpanKind, object], list[Span]] = {}
    for span in trace.spans:
        if span.kind in (SpanKind.CLIENT, *HANDLES) and span.end_ns is not None and span.scope.name:
            by_name.setdefault((span.name, span.kind, span.resource.get(INSTANCE)), []).append(span)
    for same in by_name.values():
        for one, other in combinations(sorted(same, key=lambda span: span.start_ns)[:50], 2):
            if one.scope.name != other.scope.name and _is_same_time(one, other):
                what = f"{one.name} was recorded by {one.scope.name} and by {other.scope.name}"
                yield Broken(what, "keep one: remove the X-Ray SDK, the Tracer or the second instrumentation")


def _is_same_time(one: Span, other: Span) -> bool:
    """Whether the overlap of two spans is at least 90 % of the longer one."""
    assert one.end_ns is not None
    assert other.end_ns is not None
    both = min(one.end_ns, other.end_ns) - max(one.start_ns, other.start_ns)
    return both > 0 and both * 10 >= max(one.end_ns - one.start_ns, other.end_ns - other.start_ns) * 9


TRACE_RULES = (
    missing,
    orphans,
    second_root,
    without_ours,
    without_lambda,
    hijacked,
    at_timeout,
    at_freeze,
    two_tracers,
)
