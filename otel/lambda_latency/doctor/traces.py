"""Rules about broken or missing traces, of any source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Issue, rule, rules_in
from lambda_latency.trace import FUNCTION, SERVICE, Span, SpanKind, Trace

HANDLES = (SpanKind.SERVER, SpanKind.CONSUMER)
INSTANCE = "faas.name"


def diagnose_traces(source: str, traces: Sequence[Trace]) -> tuple[Finding, ...]:
    """One finding per rule that traces of a source violate, with the first trace and the number of traces."""
    if not traces:
        todo = "check its time and sampling: unsampled requests, and traces older than 30 days, are not stored"
        return (missing.finding(source, Issue("no trace was found", todo)),)
    findings = []
    for trace_rule in TRACE_RULES:
        broken = [(trace.trace_id, issue) for trace in traces for issue in islice(trace_rule.check(trace), 1)]
        if broken:
            trace_id, issue = broken[0]
            share = f"{len(broken)} of {len(traces)} traces, such as {trace_id}" if len(traces) > 1 else "the trace"
            findings.append(trace_rule.finding(source, Issue(f"{share}: {issue.problem}", issue.todo)))
    return tuple(findings)


@rule("trace-missing", ERROR, "There is no trace to check.")
def missing(_: Trace) -> Iterator[Issue]:
    """An unsampled request has no trace. X-Ray keeps traces for 30 days; with Transaction Search on, its API returns
    only indexed traces, by default 1 %.
    """
    # Without a trace no check runs: `diagnose_traces` reports it
    yield from ()


@rule("trace-orphans", ERROR, "These spans have no parent in the trace: their time is not attributed.")
def orphans(trace: Trace) -> Iterator[Issue]:
    """A parent in the same process was started and never exported: it never ended, or the environment was frozen
    before the export.
    """
    if trace.orphans:
        names = ", ".join(dict.fromkeys(span.name for span in trace.orphans[:3]))
        problem = f"{len(trace.orphans)} spans have a parent in their own process that was never recorded ({names})"
        yield Issue(problem, "end every span before the handler returns, and flush before the freeze")


@rule("trace-second-root", WARNING, "The request is split into several trees.")
def second_root(trace: Trace) -> Iterator[Issue]:
    """A span was started without its parent's context, in a thread or from a message, but with the trace's id."""
    if len(trace.roots) > 1:
        names = ", ".join(span.name for span in trace.roots[:3])
        todo = "take the parent from the event or the context: check queue messages, threads, propagators without xray"
        yield Issue(f"it has {len(trace.roots)} roots ({names})", todo)


@rule("trace-without-function", ERROR, "The time inside the function is not explained.")
def without_ours(trace: Trace) -> Iterator[Issue]:
    """Lambda's segments exist, so the request was sampled: the function's own tracing did not start, or its spans did
    not arrive.
    """
    function_spans = [span for span in trace.spans if span.origin is None and span.resource.get(INSTANCE)]
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if segments and trace.handler is None and not function_spans and not _has_inner(trace, segments):
        problem = f"Lambda recorded {segments[0].name}, but the function recorded nothing"
        todo = "run lambda-latency doctor on the template: a wrapper, a collector or a permission is missing"
        yield Issue(problem, todo)


def _has_inner(trace: Trace, segments: Sequence[Span]) -> bool:
    """Whether Lambda's segments have descendants other than Lambda's phases."""
    phases = ("Initialization", "Invocation", "Overhead", "Restore")
    below = [child for segment in segments for child in trace.children(segment)]
    inner = [*below, *(child for span in below for child in trace.children(span))]
    return any(span.name not in phases for span in inner)


@rule("trace-without-lambda", NOTE, "The trace has neither Lambda's own time nor the gateway's.")
def without_lambda(trace: Trace) -> Iterator[Issue]:
    """Lambda records its segments only with Tracing: Active, and sends them directly to X-Ray: a file of the
    function's spans has none.
    """
    handler = trace.handler
    lambdas = [span for span in trace.spans if span.origin in (FUNCTION, SERVICE)]
    if handler is not None and handler.resource.get(INSTANCE) and not lambdas:
        problem = f"the function recorded {handler.name}, but Lambda recorded nothing"
        yield Issue(problem, "set Tracing: Active; files of a collector or a test never have Lambda's segments")


@rule("trace-hijacked", WARNING, "The function's spans are not children of Lambda's segments.")
def hijacked(trace: Trace) -> Iterator[Issue]:
    """A caller's traceparent was used instead of Lambda's X-Ray header. Any caller can send one, and can hide the
    request with it.
    """
    handler = trace.handler
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if handler is None or not segments or handler.parent_id is None or trace.parent(handler) is not None:
        return
    if handler.parent_remote is not False:
        problem = f"{handler.name} has a parent {handler.parent_id} that is not Lambda's segment"
        todo = "leave tracecontext out of OTEL_PROPAGATORS: a caller's traceparent overrides Lambda's header"
        yield Issue(problem, todo)


@rule("trace-timeout", NOTE, "Spans that were running at the timeout have no end.")
def at_timeout(trace: Trace) -> Iterator[Issue]:
    """Lambda stops the function at its timeout. The kit exports open spans before that."""
    if trace.timed_out:
        todo = "see the running spans with lambda-latency report --trace ID"
        yield Issue("Lambda stopped the function at its timeout", todo)


@rule("trace-freeze", ERROR, "Spans are lost, or arrive with the next request of the environment.")
def at_freeze(trace: Trace) -> Iterator[Issue]:
    """Lambda freezes the environment after the response. Spans that are not exported by then are delayed or lost."""
    waiting = [span for span in trace.spans if span.provisional or span.end_ns is None]
    if not trace.timed_out and (trace.cut_off or waiting):
        lost = len(trace.cut_off)
        if lost:
            problem = f"the handler's span, the parent of {lost} spans, is missing"
        else:
            problem = f"{waiting[0].name} was never ended"
        yield Issue(problem, "export before the freeze: the kit's extension does, a batch processor does not")


@rule("trace-two-tracers", WARNING, "Calls count twice.")
def two_tracers(trace: Trace) -> Iterator[Issue]:
    """Two instrumentations recorded the same call at the same time under the same name."""
    by_name: dict[tuple[str, SpanKind, object], list[Span]] = {}
    for span in trace.spans:
        if span.kind in (SpanKind.CLIENT, *HANDLES) and span.end_ns is not None and span.scope.name:
            by_name.setdefault((span.name, span.kind, span.resource.get(INSTANCE)), []).append(span)
    for spans in by_name.values():
        for span, twin in combinations(sorted(spans, key=lambda span: span.start_ns)[:50], 2):
            if span.scope.name != twin.scope.name and _is_same_time(span, twin):
                problem = f"{span.name} was recorded by {span.scope.name} and by {twin.scope.name}"
                yield Issue(problem, "keep one: remove the X-Ray SDK, the Tracer or the second instrumentation")


def _is_same_time(span: Span, twin: Span) -> bool:
    """Whether the overlap of two spans is at least 90 % of the longer one."""
    assert span.end_ns is not None
    assert twin.end_ns is not None
    both = min(span.end_ns, twin.end_ns) - max(span.start_ns, twin.start_ns)
    return both > 0 and both * 10 >= max(span.end_ns - span.start_ns, twin.end_ns - twin.start_ns) * 9


TRACE_RULES = rules_in(globals())
