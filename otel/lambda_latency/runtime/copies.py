"""Spans that have to say something else than they were made with: an ended span takes no attribute any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, TraceFlags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Status

__all__ = ["attributes_of", "bounded", "copied", "ended_at", "identity", "moved"]


def identity(span: ReadableSpan) -> int:
    """The span's own id."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def ended_at(span: ReadableSpan, end_ns: int, more: Mapping[str, Any], status: Status) -> ReadableSpan:
    """An open span as ended then, with this status; what has ended meanwhile keeps its own end and status."""
    values = {**attributes_of(span), **more}
    if span.end_time is not None:
        return copied(span, values)
    return copied(span, values, status=status, end_time=max(end_ns, span.start_time or 0))


def moved(span: ReadableSpan, trace_id: int, top: SpanContext) -> ReadableSpan:
    """The span in another trace; where it has no parent, `top` becomes its parent."""
    parent = top if span.parent is None else in_trace(span.parent, trace_id)
    context = span.get_span_context()
    assert context is not None
    return copied(span, attributes_of(span), context=in_trace(context, trace_id), parent=parent)


def in_trace(context: SpanContext, trace_id: int) -> SpanContext:
    """The same span id there, as recorded."""
    return SpanContext(trace_id, context.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """The attributes, in a dictionary of its own. The SDK's mapping takes a lock for each loop over it."""
    given: Any = span.attributes
    return given.copy() if given else {}


FIELDS = ("name", "context", "parent", "resource", "events", "links", "kind", "status", "start_time", "end_time",
          "instrumentation_scope")  # fmt: skip


def copied(span: ReadableSpan, attributes: Mapping[str, Any], **instead: Any) -> ReadableSpan:
    """A copy with these attributes, in which some fields are other ones; what was dropped stays counted."""
    for name in FIELDS:
        if name not in instead:
            instead[name] = getattr(span, name)
    for name, dropped in (("events", span.dropped_events), ("links", span.dropped_links)):
        if dropped:
            instead[name] = BoundedList.from_seq(len(instead[name]) or 1, instead[name])
            instead[name].dropped = dropped
    return ReadableSpan(attributes=bounded(attributes, span.dropped_attributes), **instead)


def bounded(values: Mapping[str, Any], dropped: int) -> Mapping[str, Any]:
    """The attributes; where some were dropped, a mapping that says how many."""
    if not dropped:
        return values
    found = BoundedAttributes(attributes=values)
    found.dropped = dropped
    return found
