"""Spans of a trace that contradict each other: ends before starts, ids of several spans, and cycles of parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.ids import server_id
from lambda_latency.trace.model.span import SpanKind

# The parent id of a span at which a cycle of parents was cut
CUT = "cut"

_start = attrgetter("start_ns", "span_id")


def backwards(span: CompactSpan) -> str:
    """The message about a span that ends before it starts."""
    ms = (span.start_ns - span.end_ns) / 1_000_000
    return f"span {span.span_id} ({span.name}) ends {ms:,.3f} ms before it starts: it counts as one of no length"


def separate_shared_ids(spans: Sequence[CompactSpan]) -> None:
    """Give each server that shares the id of another service's call an id of its own, and put it below the call.

    Zipkin's tracers share the id. Of the spans that name it as their parent, those of other services than the client's
    are the server's.
    """
    clients = _services_of_clients(spans)
    shared = {span.span_id for span in spans if _shares(span, clients)}
    for span in spans if shared else ():
        if _shares(span, clients):
            span.span_id, span.parent_id = server_id(span.span_id), span.span_id
        elif span.parent_id in shared and _service(span) != clients[span.parent_id]:
            span.parent_id = server_id(span.parent_id)


def one_of_each(spans: Iterable[CompactSpan], problems: list[str]) -> list[CompactSpan]:
    """One span for each span id: of the complete spans, else of all, the one that ends last.

    A complete span has an end and is not provisional. `problems` gets a message for each span that is left out although
    it is as complete as the chosen one, unless both are provisional.
    """
    by_id: dict[str, list[CompactSpan]] = {}
    for span in spans:
        by_id.setdefault(span.span_id, []).append(span)
    chosen: list[CompactSpan] = []
    for span_id, candidates in by_id.items():
        candidates.sort(key=_completeness)
        best = candidates[-1]
        chosen.append(best)
        problems += [
            f"span {span_id} ({best.name}) was recorded twice: the one that ends later counts"
            for span in candidates[:-1]
            if _is_complete(span) == _is_complete(best)
            and not best.signature.is_anchor
            and not (span.signature.is_provisional and best.signature.is_provisional)
        ]
    return chosen


def cut_cycles(spans: Mapping[str, CompactSpan], problems: list[str]) -> None:
    """Cut each cycle of parents at its first span, whose parent becomes `CUT`; `problems` gets a message."""
    visited = set[str]()
    for start_id in spans:
        path: dict[str, None] = {}
        span_id = start_id
        while span_id in spans and span_id not in visited and span_id not in path:
            path[span_id] = None
            span_id = spans[span_id].parent_id
        if span_id in path:
            ring = [*path][[*path].index(span_id) :]
            earliest = min((spans[member] for member in ring), key=_start)
            earliest.parent_id = CUT
            problems.append(f"span {earliest.span_id} ({earliest.name}) is its own ancestor: cut there")
        visited.update(path)
    problems.sort()


def _services_of_clients(spans: Iterable[CompactSpan]) -> dict[str, object]:
    return {span.span_id: _service(span) for span in spans if span.signature.kind is SpanKind.CLIENT and _service(span)}


def _shares(span: CompactSpan, clients: Mapping[str, object]) -> bool:
    """Whether the span is a server that has the id of the call of another service."""
    service = _service(span)
    return span.signature.kind is SpanKind.SERVER and bool(service) and clients.get(span.span_id, service) != service


def _service(span: CompactSpan) -> object:
    return span.signature.resource.get("service.name")


def _is_complete(span: CompactSpan) -> bool:
    return bool(span.end_ns) and not span.signature.is_provisional


def _completeness(span: CompactSpan) -> tuple[bool, int, int, str, str, str]:
    # The parts behind the first two make the choice independent of the order of the files.
    return _is_complete(span), span.end_ns, -span.start_ns, span.parent_id, span.name, repr(span.signature.facts())
