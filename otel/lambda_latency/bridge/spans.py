"""Starts, ends and finds the current span. Imported only if OpenTelemetry is loaded."""

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

ENTITY = create_key("lambda-latency-xray-entity")
MOST = 64
# Entities by span id, which keep earlier annotations and metadata
_known: dict[int, Entity] = {}


def current() -> Entity | None:
    """The innermost open subsegment or other span; the handler's span as a segment; None without a span."""
    context = _open()
    inner, span = get_value(ENTITY, context), get_current_span(context)
    if isinstance(inner, Entity) and inner.in_progress and inner._span in (None, span):
        return inner
    if not span.get_span_context().is_valid:
        return None
    if not span.is_recording():
        return Segment("dummy")
    entity = _known.get(span.get_span_context().span_id)
    if entity is None:
        if len(_known) >= MOST:
            _known.clear()
        entity = _known[span.get_span_context().span_id] = _seen(span)
    return entity


def _open() -> Context:
    """The current context, or the nearest one before it whose subsegment has not ended.

    Tasks, threads and generators end subsegments in any order: one that ended out of its turn may still be current.
    """
    context = get_current()
    while (
        isinstance(entity := get_value(ENTITY, context), Entity)
        and not entity.in_progress
        and entity.outer is not None
        and entity._span in (None, get_current_span(context))
    ):
        context = entity.outer
    return context


def _seen(span: Span) -> Entity:
    """The entity of a span that other code started, with its annotations and metadata."""
    name = getattr(span, "name", "segment")
    is_handlers = getattr(span, "kind", SpanKind.SERVER) == SpanKind.SERVER
    entity = Segment(name, span) if is_handlers else Subsegment(name, "local", None, span, get_current())
    attributes = getattr(span, "attributes", None) or {}
    if any(key.startswith("aws.xray.") for key in attributes):
        from lambda_latency.bridge.fields import documents

        entity.annotations = dict.fromkeys(attributes.get(ANNOTATIONS, ()))
        entity.metadata = documents(attributes)
    return entity


def begin(name: str, namespace: str, *, sampled: bool) -> Subsegment:
    """Starts a span below the current one, and makes it current."""
    above = current()
    segment = above.parent_segment if isinstance(above, Subsegment) else above
    outer, name = _open(), without(name)
    if sampled:
        span: Span = get_tracer("aws_xray_sdk").start_span(
            name, outer, SpanKind.CLIENT if namespace == "remote" else SpanKind.INTERNAL
        )
    else:
        span = unsampled(get_current_span(outer).get_span_context())
    entity = Subsegment(name, namespace, segment, span if span.is_recording() else None, outer)
    if namespace == "aws":
        span.set_attribute("aws.service", name)
    if above is not None:
        above.add_subsegment(entity)
    attach(set_value(ENTITY, entity, set_span_in_context(span, outer)))
    return entity


def end(entity: Subsegment, end_time: float | None) -> None:
    """Ends an entity; if it is the current one, the context before it is restored.

    Without a token: it may end in another context. One that ends out of its turn leaves the current entity as it is.
    """
    is_current = current() is entity
    entity.close(end_time)
    if is_current:
        attach(entity.outer if entity.outer is not None else Context())


def put(entity: Entity | None) -> None:
    """Makes an entity current that was started elsewhere, for example in the parent thread."""
    context = set_value(ENTITY, entity)
    span = entity._span if entity is not None else None
    attach(set_span_in_context(span, context) if span is not None else context)


def unsampled(above: SpanContext) -> Span:
    """A span that is not recorded, like all of its descendants in this and other processes."""
    flags = TraceFlags(TraceFlags.DEFAULT)
    return NonRecordingSpan(SpanContext(above.trace_id, above.span_id, above.is_remote, flags, above.trace_state))
