"""Traces in a few readable lines: a tree of names and times, with ids in the order of writing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lambda_latency.trace import Event, Scope, Span, SpanKind, Status, Trace

TRACE_ID = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
T0 = 1_795_560_000_000_000_000
MS = 1_000_000
EMPTY: Mapping[str, object] = {}


@dataclass(frozen=True)
class Node:
    """The description of a span and its children; times are relative to the start of the trace."""

    name: str
    start: float
    end: float | None
    children: tuple[Node, ...]
    kind: SpanKind = SpanKind.INTERNAL
    attributes: Mapping[str, object] = field(default_factory=dict)
    resource: Mapping[str, object] = field(default_factory=dict)
    scope: str = ""
    status: Status = Status.UNSET
    message: str = ""
    events: tuple[Event, ...] = ()


def node(
    name: str,
    start: float,
    end: float | None,
    *children: Node,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, object] = EMPTY,
    resource: Mapping[str, object] = EMPTY,
    scope: str = "",
    status: Status = Status.UNSET,
    message: str = "",
    events: tuple[Event, ...] = (),
) -> Node:
    """The description of a span: its name, times and children."""
    return Node(name, start, end, children, kind, attributes, resource, scope, status, message, events)


def tree(*roots: Node, unit: int = 1, trace_id: str = TRACE_ID, first: int = 1) -> Trace:
    """A trace of these trees; times are in `unit` nanoseconds."""
    return Trace(spans_of(roots, unit=unit, trace_id=trace_id, first=first))


def spans_of(roots: Iterable[Node], *, unit: int = 1, trace_id: str = TRACE_ID, first: int = 1) -> list[Span]:
    """The spans of trees: ids count up from `first` in the order of writing, parents before children."""
    spans: list[Span] = []

    def add(member: Node, parent_id: str | None) -> None:
        span_id = f"{first + len(spans):016x}"
        spans.append(
            Span(
                trace_id=trace_id,
                span_id=span_id,
                parent_id=parent_id,
                parent_remote=None if parent_id is None else member.kind is SpanKind.SERVER,
                name=member.name,
                kind=member.kind,
                start_ns=T0 + round(member.start * unit),
                end_ns=None if member.end is None else T0 + round(member.end * unit),
                status=member.status,
                status_message=member.message,
                attributes=member.attributes,
                events=member.events,
                resource=member.resource,
                scope=Scope(member.scope),
            )
        )
        for child in member.children:
            add(child, span_id)

    for root in roots:
        add(root, None)
    return spans


def later(trace: Trace, by_ms: int) -> Trace:
    """The trace, this many milliseconds later."""
    by = by_ms * MS
    return Trace(
        [
            replace(
                span,
                start_ns=span.start_ns + by,
                end_ns=None if span.end_ns is None else span.end_ns + by,
                events=tuple(replace(event, time_ns=event.time_ns + by) for event in span.events),
            )
            for span in trace.spans
        ]
    )
