"""What one request shows about a cause: what filled the time of an edge, failed attempts, a timeout, the log lines.

Cause groups are found among breakdowns, which have no spans: an example is read again to tell more than the component.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from lambda_latency.latency.analysis.analyzer import PathSegment, path_segments
from lambda_latency.latency.analysis.attribution import Attributions, ById, ancestors, span_name
from lambda_latency.latency.analysis.log_lines import LogLines, log_lines_of
from lambda_latency.latency.analysis.services import Place, place_of
from lambda_latency.latency.analysis.thresholds import DOMINANT_PERCENT, EVEN_NS
from lambda_latency.latency.breakdowns.breakdown import http_status, is_failed, is_throttled
from lambda_latency.latency.breakdowns.component import Component, Edge
from lambda_latency.latency.breakdowns.owners import NOBODY, Owners
from lambda_latency.latency.waterfall import sampled_between, waterfall_of
from lambda_latency.trace import (
    GAVE_UP,
    SERVES,
    CompactSpan,
    Span,
    SpanKind,
    Trace,
    service_of,
    service_of_resource,
    walk,
)

# Names of spans that wait for a connection, as instrumentations and people call them.
POOL = re.compile(
    r"(?<!s)pool|acquire.*(conn|session)|(conn|session)\w*[ ._-]*acquire|get_?connection|checkout.*conn",
    re.IGNORECASE,
)
BESIDE_PERCENT = 80  # of a wait that another span ran for
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# The words of a span's name that looks a host up, or opens a connection.
CONNECTION = re.compile(
    r"^(tls|ssl|tcp|dial|handshake)\b|^connect( to |$)|\b(tls|ssl|handshake|connect|dial|(open|new|create) connection)$"
)
LOOKUP = re.compile(r"^(dns|getaddrinfo)\b|\b(dns|getaddrinfo|(lookup|resolve) host|host(name)? (lookup|resolution))$")
# A span with one of these attributes is a request or a statement, whatever its name is
REQUEST_KEYS = ("http.request.method", "http.method", "rpc.method", "db.query.text", "db.statement", "messaging.system")
SLOW_TIMES = 2  # the slow one of parallel calls takes so many times as long as the next
MOST_ATTRIBUTES, LONGEST_VALUE = 2, 40
# Identifiers, which differ between all calls
IDENTIFIER = re.compile(r"[0-9a-fA-F-]{16,}|\d{7,}")


class Attempts(NamedTuple):
    """The calls to one callee in one request: all, and the statuses or errors of those that failed, in their order.

    `callee` is set if the edge is the own code that waited between them. `was_retried`: whether a call of the same name
    began after one had failed.
    """

    calls: int
    failed: tuple[str, ...]
    callee: str = ""
    was_retried: bool = False


class Concurrent(NamedTuple):
    """A span that ran for `ns` while the code of an edge waited. `service` is set if it is of another service."""

    span: str
    ns: int
    service: str = ""


class SlowCall(NamedTuple):
    """The slow one of parallel calls: their number, its time, the longest time of the others (nanoseconds).

    `attributes` are those (`db.shard = 2`) whose values the other calls do not have.
    """

    calls: int
    ns: int
    others_ns: int
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a request shows about an edge.

    `span` has most of the edge's own code, for `span_ns`; empty without such a span. `connects`: it looks a host up
    (`dns`) or opens a `connection`, also inside a call. `concurrent` ran while `waiting` (a span or a service) waited.
    `cold_start` is the service whose environment started first, and for how long (ns). `attempts` are set if calls
    failed. `gave_up` is the error with which a client ended a call after `gave_up_ns`. `place` is where the code that
    waits ran, if a span tells; `line` is its line that waits for a call, if it was sampled.
    """

    trace_id: str
    place: Place | None = None
    span: str = ""
    span_ns: int = 0
    connects: str = ""
    waiting: str = ""
    concurrent: Concurrent | None = None
    cold_start: tuple[str, int] | None = None
    slow_call: SlowCall | None = None
    attempts: Attempts | None = None
    gave_up: str = ""
    gave_up_ns: int = 0
    line: str = ""
    log: LogLines | None = None

    @property
    def waits_between_attempts(self) -> bool:
        """Whether own code waited between attempts of a call."""
        return self.attempts is not None and bool(self.attempts.callee)

    @property
    def waits_for_a_pool(self) -> bool:
        """Whether the span with most of the time waits for a connection of a pool."""
        return POOL.search(self.span) is not None


class _Evidence(NamedTuple):
    """What a request shows of an edge: its segments of the critical path, its calls, and the calling services."""

    trace: Trace
    attributions: ById
    segments: Sequence[PathSegment]
    calls: Sequence[CompactSpan]
    callers: Collection[str]


def diagnose(trace: Trace, edge: Edge, owners: Owners = NOBODY) -> Diagnosis:
    """What a request shows about one of its edges."""
    evidence = _evidence(trace, edge, owners)
    compact_spans = [segment.span for segment in evidence.segments]
    name, ns, compact = _longest(evidence, edge)
    connection, connection_ns, connects = _connection(evidence, edge)
    gave_up, gave_up_ns = _gave_up(trace, evidence.calls or compact_spans)
    attempts = _between(evidence) if edge.is_own else _attempts(trace, evidence.calls)
    return Diagnosis(
        trace_id=trace.trace_id,
        place=place_of(_waiting(evidence, edge)),
        span=connection or name,
        span_ns=connection_ns or ns,
        connects=connects,
        waiting=name or edge.caller or trace.function,
        concurrent=_concurrent(evidence, edge, compact),
        cold_start=_cold_start(evidence),
        slow_call=_slow_call(evidence, edge) if attempts is None else None,
        attempts=attempts,
        gave_up=gave_up,
        gave_up_ns=gave_up_ns,
        line=_waiting_line(evidence, owners),
        log=log_lines_of(trace, edge.caller or trace.function),
    )


def _waiting(evidence: _Evidence, edge: Edge) -> Iterator[Span]:
    """Yield spans that tell where the code ran that waited: for a call, those of it come first."""
    trace = evidence.trace
    if not edge.is_own:
        yield from _making(trace, evidence.calls)
    yield from (trace.span(segment.span) for segment in evidence.segments)
    yield from (span for span in trace.spans if service_of_resource(span.resource) == edge.caller)


def _evidence(trace: Trace, edge: Edge, owners: Owners) -> _Evidence:
    path, parents = walk(trace.tree)
    attributions = Attributions(owners).by_span_id(trace.tree, parents)
    # The edge of a cause group of several callers has none.
    is_merged = edge.component.category == "network" and not edge.caller
    callers = {attribution.caller for attribution in attributions.values()} if is_merged else {edge.caller}
    edges = {Edge(caller, edge.component) for caller in callers}
    segments = path_segments(trace.tree, path, attributions)
    own_segments = [s for s in segments if Edge(attributions[s.span.span_id].caller, s.component) in edges]
    of_calls = (span_id for span_id, a in attributions.items() if a.call is not None and a.edge in edges)
    return _Evidence(trace, attributions, own_segments, list(map(trace.tree.spans.__getitem__, of_calls)), callers)


def _longest(evidence: _Evidence, edge: Edge) -> tuple[str, int, CompactSpan | None]:
    """Return the INTERNAL span, or spans of one name, that has most of an own edge's time on the critical path."""
    sums: defaultdict[str, int] = defaultdict(int)
    spans: dict[str, CompactSpan] = {}
    for segment in evidence.segments if edge.is_own else ():
        if _is_inside(evidence.trace, segment.span):
            name = span_name(evidence.trace, segment.span, evidence.attributions[segment.span.span_id])
            sums[name] += segment.end_ns - segment.start_ns
            spans.setdefault(name, segment.span)
    name = max(sums, key=lambda name: (sums[name], name), default="")
    # The span of a cold start says no more than the component.
    if name in ("", edge.component.category) or 100 * sums[name] < DOMINANT_PERCENT * _sum_ns(evidence.segments):
        return "", 0, None
    return name, sums[name], spans[name]


def _is_inside(trace: Trace, span: CompactSpan) -> bool:
    """Return whether the span is INTERNAL, and neither the request's nor the first of its service."""
    parent = trace.tree.parent(span)
    return (
        span.signature.kind is SpanKind.INTERNAL
        and not span.signature.origin
        and parent is not None
        and service_of(parent) == service_of(span)
    )


def _connection(evidence: _Evidence, edge: Edge) -> tuple[str, int, str]:
    """Return the longest of the spans that open connections, the time of all, and what it does, if they have most."""
    times: Counter[tuple[str, str]] = Counter()
    for segment in evidence.segments:
        span = evidence.trace.span(segment.span)
        times[_connects(span), span.name] += segment.end_ns - segment.start_ns
    connecting = {step: ns for step, ns in times.items() if step[0]}
    total_ns = sum(connecting.values())
    if not total_ns or 100 * total_ns < DOMINANT_PERCENT * times.total():
        return "", 0, ""
    connects, name = max(connecting, key=lambda step: (connecting[step], step))
    says_more = connects == "dns" or edge.component.category != "connect"
    return (name, total_ns, connects) if says_more else ("", 0, "")


def _connects(span: Span) -> str:
    """Return `dns` if a span says, by its name or attributes, that it looks a host up, or `connection`, or nothing."""
    is_request = not span.attributes.keys().isdisjoint(REQUEST_KEYS)
    if is_request or span.kind in (SpanKind.SERVER, SpanKind.CONSUMER) or POOL.search(span.name):
        return ""
    words = " ".join(WORD.findall(span.name)).lower()
    if LOOKUP.search(words) or any(key.startswith("dns.") for key in span.attributes):
        return "dns"
    is_connection = CONNECTION.search(words) or any(key.startswith("tls.") for key in span.attributes)
    return "connection" if is_connection else ""


def _concurrent(evidence: _Evidence, edge: Edge, compact: CompactSpan | None) -> Concurrent | None:
    """Return the highest span that ran for most of the path's time that `compact`, or without it own code, owns.

    Nothing runs while an operation of a durable execution waits for its next attempt.
    """
    if compact is not None and compact.signature.operation_type and not compact.signature.is_attempt:
        return None
    owned = [segment for segment in evidence.segments if compact is None or segment.span is compact]
    owned_ns, percent = _sum_ns(owned), DOMINANT_PERCENT if compact is None else BESIDE_PERCENT
    if owned_ns < EVEN_NS or (compact is None and edge.component.category != "own code"):
        return None
    unrelated = _unrelated(evidence, owned, with_own=compact is not None)
    overlaps = [(-depth, _overlap_ns(owned, span.start_ns, span.end_ns), span) for span, depth in unrelated]
    concurrent = [overlap for overlap in overlaps if 100 * overlap[1] >= percent * owned_ns]
    if not concurrent:
        return None
    _, ns, highest = max(concurrent, key=lambda overlap: overlap[:2])
    if _is_of_other_service(highest, owned):
        return Concurrent(highest.name, ns, service_of(highest))
    return Concurrent(span_name(evidence.trace, highest, evidence.attributions[highest.span_id]), ns)


def _unrelated(
    evidence: _Evidence, owned: Sequence[PathSegment], *, with_own: bool
) -> Iterator[tuple[CompactSpan, int]]:
    """Yield the spans, with their depth, that the owners of these segments may have waited for, and are not below.

    Work of another service ends before the wait for it does. A span of the own service, `with_own`, may be what another
    one is the frame of.
    """
    tree = evidence.trace.tree
    related = {span.span_id for segment in owned for span in (segment.span, *ancestors(tree, segment.span))}
    longest = max(owned, key=lambda segment: segment.end_ns - segment.start_ns)
    latest_ns = longest.end_ns + (longest.end_ns - longest.start_ns) // 20  # clocks differ
    for span in tree.spans.values():
        if _is_of_other_service(span, owned):
            may_be_awaited = span.end_ns <= latest_ns
        else:
            may_be_awaited = with_own and span.span_id in evidence.attributions
        if may_be_awaited and span.span_id not in related:
            yield span, len([*ancestors(tree, span)])


def _is_of_other_service(span: CompactSpan, owned: Sequence[PathSegment]) -> bool:
    return service_of(span) not in ("", service_of(owned[0].span))


def _cold_start(evidence: _Evidence) -> tuple[str, int] | None:
    """Return the service that started cold when the edge's time ended, and how long it was awaited, if most of it."""
    trace, segments = evidence.trace, evidence.segments
    for segment in segments:
        ns = segment.end_ns - segment.start_ns
        if 100 * ns < DOMINANT_PERCENT * _sum_ns(segments):
            continue
        for child in trace.tree.children.get(segment.span.span_id, ()):
            starts_cold = trace.span(child).attributes.get("faas.coldstart") is True
            if starts_cold and child.start_ns == segment.end_ns and service_of(child) != service_of(segment.span):
                return service_of(child), ns
    return None


def _slow_call(evidence: _Evidence, edge: Edge) -> SlowCall | None:
    """Return the slow one of parallel calls of the edge; for own code, of those to its service."""
    calls = _calls_to(evidence, edge.caller) if edge.is_own else evidence.calls
    ordered = sorted([span for span in calls if span.end_ns], key=lambda span: span.start_ns - span.end_ns)
    if len(ordered) < 2:
        return None
    slow, *fast_calls = ordered
    slow_ns, others_ns = (max(span.end_ns - span.start_ns, 0) for span in ordered[:2])
    is_parallel = all(span.start_ns < slow.end_ns and slow.start_ns < span.end_ns for span in fast_calls)
    if not is_parallel or slow_ns < max(SLOW_TIMES * others_ns, EVEN_NS):
        return None
    return SlowCall(len(ordered), slow_ns, others_ns, _attributes_apart(evidence.trace, slow, fast_calls))


def _calls_to(evidence: _Evidence, service: str) -> list[CompactSpan]:
    spans = evidence.trace.tree.spans
    of_calls = ((spans[span_id], a.component) for span_id, a in evidence.attributions.items() if a.call is not None)
    return [span for span, component in of_calls if component[:2] == ("network", service)]


def _attributes_apart(trace: Trace, slow: CompactSpan, fast_calls: Sequence[CompactSpan]) -> tuple[str, ...]:
    """Return the attributes (`db.shard = 2`) of a call whose values no other call has, the shortest first."""
    from lambda_latency.latency.correlation.attribute_sets import is_candidate, without_secrets  # a slow import

    of_slow, of_fast_calls = _attributes_of(trace, slow), [_attributes_of(trace, span) for span in fast_calls]
    texts: list[str] = []
    for key, value in of_slow.items():
        text = without_secrets(key, str(value))
        is_apart = all(key in attributes and attributes[key] != value for attributes in of_fast_calls)
        if is_apart and is_candidate(key) and len(text) <= LONGEST_VALUE and not IDENTIFIER.search(text):
            texts.append(f"{key} = {text}")
    return tuple(sorted(texts, key=lambda text: (len(text), text))[:MOST_ATTRIBUTES])


def _attributes_of(trace: Trace, call: CompactSpan) -> Mapping[str, object]:
    """Return the attributes of a call, and of the span at its other end."""
    ends = [call, *(child for child in trace.tree.children.get(call.span_id, ()) if child.signature.roles & SERVES)]
    return {key: value for span in ends for key, value in trace.span(span).attributes.items()}


def _waiting_line(evidence: _Evidence, owners: Owners) -> str:
    """Return the line of the caller's code that most samples during its calls show; empty without samples."""
    bar_of = waterfall_of(evidence.trace, owners).bar_of if evidence.calls else {}
    times: Counter[str] = Counter()
    for call in evidence.calls:
        for ns, run in sampled_between(bar_of[call.span_id], call.start_ns, call.end_ns):
            if run.place.file:
                times[run.place.label] += ns
    return max(times, key=lambda line: (times[line], line), default="")


def _sum_ns(segments: Iterable[PathSegment]) -> int:
    return sum(segment.end_ns - segment.start_ns for segment in segments)


def _overlap_ns(segments: Iterable[PathSegment], start_ns: int, end_ns: int) -> int:
    return sum(max(0, min(segment.end_ns, end_ns) - max(segment.start_ns, start_ns)) for segment in segments)


def _making(trace: Trace, calls: Sequence[CompactSpan]) -> Iterator[Span]:
    """Yield the spans of these calls, because a proxy's CLIENT span is its own; then those above the first call up to
    that of its service, because X-Ray's segments tell where they ran, and subsegments do not."""
    yield from map(trace.span, calls)
    for above in ancestors(trace.tree, calls[0]) if calls else ():
        yield trace.span(above)
        if above.signature.kind is SpanKind.SERVER:
            break


def _attempts(trace: Trace, calls: Sequence[CompactSpan]) -> Attempts | None:
    ordered = sorted(calls, key=lambda span: span.start_ns)
    failed = [span for span in ordered if _failed(span)]
    latest_start = {_repeated_name(span): span.start_ns for span in ordered}
    was_retried = any(latest_start[_repeated_name(span)] >= max(span.end_ns, span.start_ns + 1) for span in failed)
    statuses = tuple(_status(trace, span) for span in failed)
    return Attempts(len(calls), statuses, was_retried=was_retried) if failed else None


def _repeated_name(span: CompactSpan) -> str:
    """Return the name that all attempts have; those of a durable step are numbered."""
    return span.signature.operation_name if span.signature.is_attempt else span.name


def _between(evidence: _Evidence) -> Attempts | None:
    """Return the attempts between which own code waited most: after failed calls, until the callee was called again."""
    by_callee: defaultdict[str, list[CompactSpan]] = defaultdict(list)
    for span_id, attribution in evidence.attributions.items():
        if attribution.call is not None and attribution.caller in evidence.callers:
            span = evidence.trace.tree.spans[span_id]
            by_callee[_callee(span, attribution.component)].append(span)
    waited_ns = _sum_ns(evidence.segments)
    for callee, calls in sorted(by_callee.items()):
        attempts = _attempts(evidence.trace, calls)
        if callee and attempts is not None:
            after_failures_ns = _after_failures_ns(evidence.segments, calls)
            if after_failures_ns is not None and 100 * after_failures_ns >= DOMINANT_PERCENT * waited_ns:
                return attempts._replace(callee=callee)
    return None


def _callee(span: CompactSpan, component: Component) -> str:
    """Return the name that all attempts have: a call that failed may lack the spans of its callee, which names it."""
    host = span.signature.host if component.category in ("external", "network") else ""
    return host or component.name


def _after_failures_ns(segments: Sequence[PathSegment], calls: Iterable[CompactSpan]) -> int | None:
    """Return the segments' time from a failed call to the next call; None if no call follows one that failed."""
    ordered = sorted(calls, key=lambda span: span.start_ns)
    retried = [(span, following) for span, following in pairwise(ordered) if _failed(span)]
    waits = [_overlap_ns(segments, span.end_ns or span.start_ns, following.start_ns) for span, following in retried]
    return sum(waits) if waits else None


def _failed(span: CompactSpan) -> bool:
    return is_failed(span.signature) or is_throttled(span.signature) or http_status(span.signature) >= 500


def _status(trace: Trace, span: CompactSpan) -> str:
    code = http_status(span.signature)
    return str(code) if code >= 400 else _error(trace.span(span)) or "error"


def _error(span: Span) -> str:
    """Return the type of the exception or error, without its package."""
    types = [event.attributes.get("exception.type") for event in span.events if event.name == "exception"]
    texts = [str(error_type) for error_type in (*types, span.attributes.get("error.type")) if error_type]
    return texts[0].rpartition(".")[2][:40] if texts else ""


def _gave_up(trace: Trace, calls: Sequence[CompactSpan]) -> tuple[str, int]:
    """Return the error of the longest call that its client ended, and how long the call was."""
    error, error_ns = "", 0
    for span in calls:
        ns = max(0, (span.end_ns or span.start_ns) - span.start_ns)
        if span.signature.roles & GAVE_UP and ns > error_ns:
            error, error_ns = _error(trace.span(span)) or "a timeout", ns
    return error, error_ns
