"""Spans of the function's own, and which of them is current. Imported only where OpenTelemetry is."""

from __future__ import annotations

from opentelemetry.context import Context, attach, create_key, get_current, get_value, set_value
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    get_current_span,
    get_tracer,
    set_span_in_context,
)

from lambda_latency.bridge.entity import ANNOTATIONS, Entity, Segment, Subsegment, without

__all__ = ["begin", "current", "end", "put"]

ENTITY = create_key("lambda-latency-xray-entity")
MOST = 64
_known: dict[int, Entity] = {}  # by their spans' ids: what was put on one before is known when more is put


def current() -> Entity | None:
    """The innermost open subsegment, or span of other code; the handler's span as a segment; None outside of any."""
    found, span = get_value(ENTITY), get_current_span()
    if isinstance(found, Entity) and found.in_progress and found._span in (None, span):
        return found
    if not span.get_span_context().is_valid:
        return None
    if not span.is_recording():
        return Segment("dummy")
    known = _known.get(span.get_span_context().span_id)
    if known is None:
        if len(_known) >= MOST:
            _known.clear()
        known = _known[span.get_span_context().span_id] = _seen(span)
    return known


def _seen(span: Span) -> Entity:
    """A span that other code has begun, with the annotations and metadata that it has."""
    name = getattr(span, "name", "segment")
    is_handlers = getattr(span, "kind", SpanKind.SERVER) == SpanKind.SERVER
    entity = Segment(name, span) if is_handlers else Subsegment(name, "local", None, span, get_current())
    attributes = getattr(span, "attributes", None) or {}
    if any(key.startswith("aws.xray.") for key in attributes):
        from lambda_latency.bridge.metadata import documents

        entity.annotations = dict.fromkeys(attributes.get(ANNOTATIONS, ()))
        entity.metadata = documents(attributes)
    return entity


def begin(name: str, namespace: str, *, sampled: bool) -> Subsegment:
    """Start a span below the current one, and make it current."""
    above = current()
    segment = above.parent_segment if isinstance(above, Subsegment) else above
    before, name = get_current(), without(name)
    if sampled:
        span: Span = get_tracer("aws_xray_sdk").start_span(
            name, before, SpanKind.CLIENT if namespace == "remote" else SpanKind.INTERNAL
        )
    else:
        span = unsampled(get_current_span().get_span_context())
    entity = Subsegment(name, namespace, segment, span if span.is_recording() else None, before)
    if namespace == "aws":
        span.set_attribute("aws.service", name)
    if above is not None:
        above.add_subsegment(entity)
    attach(set_value(ENTITY, entity, set_span_in_context(span, before)))
    return entity


def end(entity: Subsegment, end_time: float | None) -> None:
    """End it; current is what was so before it. Not by a token: what began in one context may end in another."""
    entity.close(end_time)
    attach(entity.before if entity.before is not None else Context())


def put(entity: Entity | None) -> None:
    """Make an entity current that was begun elsewhere, such as in the thread that started this one."""
    context = set_value(ENTITY, entity)
    span = entity._span if entity is not None else None
    attach(set_span_in_context(span, context) if span is not None else context)


def unsampled(above: SpanContext) -> Span:
    """A span that is not recorded, and neither is what is below it, here or elsewhere."""
    flags = TraceFlags(TraceFlags.DEFAULT)
    return NonRecordingSpan(SpanContext(above.trace_id, above.span_id, above.is_remote, flags, above.trace_state))
