"""Converts the SDK's spans to the kit's values. Only attributes are read, so that fakes work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace import Attributes, Event, Link, Scope, Span, SpanKind, Status

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


def span_of(raw: ReadableSpan) -> Span:
    """The current state of a span of the SDK, ended or not."""
    context, parent, scope = raw.get_span_context(), raw.parent, raw.instrumentation_scope
    assert context is not None
    return Span(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{parent.span_id:016x}" if parent is not None else None,
        parent_remote=parent.is_remote if parent is not None else None,
        name=raw.name,
        kind=SpanKind[raw.kind.name],
        start_ns=raw.start_time or 0,
        end_ns=raw.end_time,
        status=Status[raw.status.status_code.name],
        status_message=raw.status.description or "",
        attributes=Attributes(dict(raw.attributes or {})),
        events=[Event(one.name, one.timestamp, dict(one.attributes or {})) for one in raw.events],
        links=[
            Link(f"{one.context.trace_id:032x}", f"{one.context.span_id:016x}", dict(one.attributes or {}))
            for one in raw.links
        ],
        resource=Attributes(dict(raw.resource.attributes)),
        scope=Scope() if scope is None else Scope(scope.name, scope.version or "", dict(scope.attributes or {})),
    )
