"""Rules about broken or missing traces, of any source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Rule
from lambda_latency.trace import FUNCTION, SERVICE, Span, SpanKind, Trace

if TYPE_CHECKING:
    from lambda_latency.doctor.app import App
    from lambda_latency.doctor.finding import Found

__all__ = ["TRACE_RULES", "diagnose_traces"]

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
        return (_finding(source, "trace-missing", "no trace was found", todo),)
    found = []
    for rule in TRACE_RULES:
        check = CHECKS.get(rule.name)
        wrong = [(trace, one) for trace in traces if check is not None for one in list(check(trace))[:1]]
        if wrong:
            trace, first = wrong[0]
            how_many = (
                f"{len(wrong)} of {len(traces)} traces, such as {trace.trace_id}" if len(traces) > 1 else "the trace"
            )
            found.append(_finding(source, rule.name, f"{how_many}: {first.what}", first.todo))
    return tuple(found)


def _finding(source: str, name: str, what: str, todo: str) -> Finding:
    rule = next(rule for rule in TRACE_RULES if rule.name == name)
    return Finding(source, 1, rule.name, rule.severity, what, rule.effect, todo)


def orphans(trace: Trace) -> Iterator[Broken]:
    if trace.orphans:
        names = ", ".join(dict.fromkeys(span.name for span in trace.orphans[:3]))
        what = f"{len(trace.orphans)} spans have a parent in their own process that was never recorded ({names})"
        yield Broken(what, "end every span before the handler returns, and flush before the freeze")


def second_root(trace: Trace) -> Iterator[Broken]:
    if len(trace.roots) > 1:
        names = ", ".join(span.name for span in trace.roots[:3])
        todo = "take the parent from the event or the context: check queue messages, threads, propagators without xray"
        yield Broken(f"it has {len(trace.roots)} roots ({names})", todo)


def without_ours(trace: Trace) -> Iterator[Broken]:
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


def without_lambda(trace: Trace) -> Iterator[Broken]:
    handler = trace.handler
    lambdas = [span for span in trace.spans if span.origin in (FUNCTION, SERVICE)]
    if handler is not None and handler.resource.get(INSTANCE) and not lambdas:
        what = f"the function recorded {handler.name}, but Lambda recorded nothing"
        yield Broken(what, "set Tracing: Active; files of a collector or a test never have Lambda's segments")


def hijacked(trace: Trace) -> Iterator[Broken]:
    handler = trace.handler
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if handler is None or not segments or handler.parent_id is None or trace.parent(handler) is not None:
        return
    if handler.parent_remote is not False:
        what = f"{handler.name} has a parent {handler.parent_id} that is not Lambda's segment"
        yield Broken(
            what, "leave tracecontext out of OTEL_PROPAGATORS: a caller's traceparent overrides Lambda's header"
        )


def at_timeout(trace: Trace) -> Iterator[Broken]:
    if trace.timed_out:
        yield Broken(
            "Lambda stopped the function at its timeout", "see the running spans with lambda-latency report --trace"
        )


def at_freeze(trace: Trace) -> Iterator[Broken]:
    waiting = [span for span in trace.spans if span.provisional or span.end_ns is None]
    if not trace.timed_out and (trace.cut_off or waiting):
        lost = len(trace.cut_off)
        what = (
            f"the handler's span, the parent of {lost} spans, is missing"
            if lost
            else f"{waiting[0].name} was never ended"
        )
        yield Broken(what, "export before the freeze: the kit's extension does, a batch processor does not")


def two_tracers(trace: Trace) -> Iterator[Broken]:
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


def _never(_: App) -> Iterator[Found]:
    """Finds nothing: a template is not enough, the check is in `CHECKS`."""
    yield from ()


CHECKS: Mapping[str, Callable[[Trace], Iterator[Broken]]] = {
    "trace-orphans": orphans,
    "trace-second-root": second_root,
    "trace-without-function": without_ours,
    "trace-without-lambda": without_lambda,
    "trace-hijacked": hijacked,
    "trace-timeout": at_timeout,
    "trace-freeze": at_freeze,
    "trace-two-tracers": two_tracers,
}
TRACE_RULES = (
    Rule(
        "trace-missing",
        ERROR,
        "There is no trace to check.",
        "An unsampled request has no trace. X-Ray keeps traces for 30 days; with Transaction Search on, its "
        "API returns only indexed traces, by default 1 %.",
        _never,
    ),
    Rule(
        "trace-orphans",
        ERROR,
        "These spans have no parent in the trace: their time is not attributed.",
        "A parent in the same process was started and never exported: it never ended, or the environment was "
        "frozen before the export.",
        _never,
    ),
    Rule(
        "trace-second-root",
        WARNING,
        "The request is split into several trees.",
        "A span was started without its parent's context, in a thread or from a message, but with the trace's id.",
        _never,
    ),
    Rule(
        "trace-without-function",
        ERROR,
        "The time inside the function is not explained.",
        "Lambda's segments exist, so the request was sampled: the function's own tracing did not start, "
        "or its spans did not arrive.",
        _never,
    ),
    Rule(
        "trace-without-lambda",
        NOTE,
        "The trace has neither Lambda's own time nor the gateway's.",
        "Lambda records its segments only with Tracing: Active, and sends them directly to X-Ray: a file of "
        "the function's spans has none.",
        _never,
    ),
    Rule(
        "trace-hijacked",
        WARNING,
        "The function's spans are not children of Lambda's segments.",
        "A caller's traceparent was used instead of Lambda's X-Ray header. Any caller can send one, and can "
        "hide the request with it.",
        _never,
    ),
    Rule(
        "trace-timeout",
        NOTE,
        "Spans that were running at the timeout have no end.",
        "Lambda stops the function at its timeout. The kit exports open spans before that.",
        _never,
    ),
    Rule(
        "trace-freeze",
        ERROR,
        "Spans are lost, or arrive with the next request of the environment.",
        "Lambda freezes the environment after the response. Spans that are not exported by then are delayed or lost.",
        _never,
    ),
    Rule(
        "trace-two-tracers",
        WARNING,
        "Calls count twice.",
        "Two instrumentations recorded the same call at the same time under the same name.",
        _never,
    ),
)
