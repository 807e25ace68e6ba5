"""Why traces are broken or missing: a rule for each way, on traces of any source."""

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
    """What is wrong with one trace, and what to do about it."""

    what: str
    todo: str


def diagnose_traces(source: str, traces: Sequence[Trace]) -> tuple[Finding, ...]:
    """One finding for each way in which traces of a source are broken, with the first trace and how many there are."""
    if not traces:
        todo = "look for its time and sampling: an id that was never sampled, or is older than 30 days, is nowhere"
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
        todo = "take the parent from the event or the context: a queue's message, a thread, a propagator without xray"
        yield Broken(f"it has {len(trace.roots)} roots ({names})", todo)


def without_ours(trace: Trace) -> Iterator[Broken]:
    own = [span for span in trace.spans if span.origin is None and span.resource.get(INSTANCE)]
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if segments and trace.handler is None and not own and not _has_inner(trace, segments):
        what = f"Lambda recorded {segments[0].name}, and the function nothing"
        todo = "run lambda-latency doctor on the template: a wrapper, a collector or a right is missing"
        yield Broken(what, todo)


def _has_inner(trace: Trace, segments: Sequence[Span]) -> bool:
    """Whether something below Lambda's segments is not Lambda's own phase."""
    phases = ("Initialization", "Invocation", "Overhead", "Restore")
    below = [child for segment in segments for child in trace.children(segment)]
    inner = [*below, *(child for span in below for child in trace.children(span))]
    return any(span.name not in phases for span in inner)


def without_lambda(trace: Trace) -> Iterator[Broken]:
    handler = trace.handler
    lambdas = [span for span in trace.spans if span.origin in (FUNCTION, SERVICE)]
    if handler is not None and handler.resource.get(INSTANCE) and not lambdas:
        what = f"the function recorded {handler.name}, and Lambda nothing"
        yield Broken(what, "set Tracing: Active; a file of the collector's or of a test has none of Lambda's segments")


def hijacked(trace: Trace) -> Iterator[Broken]:
    handler = trace.handler
    segments = [span for span in trace.spans if span.origin == FUNCTION]
    if handler is None or not segments or handler.parent_id is None or trace.parent(handler) is not None:
        return
    if handler.parent_remote is not False:
        what = f"{handler.name} has a parent {handler.parent_id} that is not Lambda's segment"
        yield Broken(what, "leave tracecontext out of OTEL_PROPAGATORS: a caller's traceparent beats Lambda's header")


def at_timeout(trace: Trace) -> Iterator[Broken]:
    if trace.timed_out:
        yield Broken("the function was killed at its timeout", "see lambda-latency report --trace for what was running")


def at_freeze(trace: Trace) -> Iterator[Broken]:
    waiting = [span for span in trace.spans if span.provisional or span.end_ns is None]
    if not trace.timed_out and (trace.cut_off or waiting):
        lost = len(trace.cut_off)
        what = f"the span of {lost} others' handler is missing" if lost else f"{waiting[0].name} was never ended"
        yield Broken(what, "deliver before the freeze: the kit's extension does, a batch processor does not")


def two_tracers(trace: Trace) -> Iterator[Broken]:
    by_name: dict[tuple[str, SpanKind, object], list[Span]] = {}
    for span in trace.spans:
        if span.kind in (SpanKind.CLIENT, *HANDLES) and span.end_ns is not None and span.scope.name:
            by_name.setdefault((span.name, span.kind, span.resource.get(INSTANCE)), []).append(span)
    for same in by_name.values():
        for one, other in combinations(sorted(same, key=lambda span: span.start_ns)[:50], 2):
            if one.scope.name != other.scope.name and _is_same_time(one, other):
                what = f"{one.name} was recorded by {one.scope.name} and by {other.scope.name}"
                yield Broken(what, "keep one: take the X-Ray SDK, the Tracer or the second instrumentation out")


def _is_same_time(one: Span, other: Span) -> bool:
    """Whether one of two spans covers nine tenths of the other, and they are as long."""
    assert one.end_ns is not None
    assert other.end_ns is not None
    both = min(one.end_ns, other.end_ns) - max(one.start_ns, other.start_ns)
    return both > 0 and both * 10 >= max(one.end_ns - one.start_ns, other.end_ns - other.start_ns) * 9


def _never(_: App) -> Iterator[Found]:
    """No template tells it: `CHECKS` has what does."""
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
        "There is nothing to look at.",
        "A request that was not sampled has no trace. X-Ray keeps traces for 30 days; where Transaction "
        "Search is on, its API knows only those that are indexed, one in a hundred by default.",
        _never,
    ),
    Rule(
        "trace-orphans",
        ERROR,
        "These spans hang below nothing: their time is charged to nobody.",
        "A parent in the same process was started and never exported: it never ended, or the environment was "
        "frozen before it was sent.",
        _never,
    ),
    Rule(
        "trace-second-root",
        WARNING,
        "The request falls into pieces.",
        "A span was started without its parent's context, in a thread or from a message, and kept the trace's id.",
        _never,
    ),
    Rule(
        "trace-without-function",
        ERROR,
        "The function is a black box.",
        "Lambda's segments are there, so the request was sampled: the function's own tracing did not start, "
        "or its spans did not arrive.",
        _never,
    ),
    Rule(
        "trace-without-lambda",
        NOTE,
        "Neither Lambda's own time nor the gateway's is in the trace.",
        "Lambda records its segments only with Tracing: Active, and sends them to X-Ray by itself: a file of "
        "the function's spans has none.",
        _never,
    ),
    Rule(
        "trace-hijacked",
        WARNING,
        "The function's spans are beside Lambda's segments, not below them.",
        "A caller's traceparent was taken in place of Lambda's X-Ray header. Any caller can do that, and can "
        "hide the request with it.",
        _never,
    ),
    Rule(
        "trace-timeout",
        NOTE,
        "What was running then has no end.",
        "Lambda kills the function at its timeout. The kit sends what is open before that.",
        _never,
    ),
    Rule(
        "trace-freeze",
        ERROR,
        "Spans are lost, or arrive with the next request of the environment.",
        "Lambda freezes the environment when the response is out. What is not exported then waits, or is gone.",
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
