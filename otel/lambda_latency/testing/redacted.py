"""Copies of spans as the runtime's encoder would send them: tests keep spans instead of bytes.

A test of the kit holds the copies against the encoder's bytes, so no part is redacted in one of them only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status

from lambda_latency.redaction import Redaction
from lambda_latency.runtime.copies import attributes_of, bounded, completed, copied
from lambda_latency.runtime.delivery.encoding import redaction_of
from lambda_latency.runtime.settings import Settings


class RedactedSpans:
    """A sink of the runtime that gives an exporter the copies of spans."""

    def __init__(self, exporter: SpanExporter, settings: Settings) -> None:
        self._exporter = exporter
        self._redaction = redaction_of(settings)

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = inf, /) -> object:
        """Export copies of the spans."""
        return self._exporter.export(redacted(self._redaction, spans))

    def urgent(self, spans: Iterable[ReadableSpan], _seconds: float = inf, /) -> Callable[[float], str]:
        """Copy the spans; returns the function that exports the copies."""
        copies = redacted(self._redaction, spans)
        return lambda _seconds: "" if self._exporter.export(copies) is not SpanExportResult.FAILURE else "its exporter"

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


def redacted(redaction: Redaction, spans: Iterable[ReadableSpan]) -> list[ReadableSpan]:
    """Copy spans as the runtime's encoder writes them: without credentials, with the derived attributes."""
    redaction.renewed()
    return [_span(redaction, span) for span in spans]


def _span(redaction: Redaction, span: ReadableSpan) -> ReadableSpan:
    status, scope, resource = span.status, span.instrumentation_scope, span.resource
    if status.description:
        status = Status(status.status_code, redaction.message(status.description) or None)
    if scope is not None:
        scope = InstrumentationScope(scope.name, scope.version, scope.schema_url, _values(redaction, scope.attributes))
    return copied(
        span,
        _values(redaction, completed(span, attributes_of(span))),
        name=redaction.text(span.name),
        status=status,
        instrumentation_scope=scope,
        resource=Resource(_values(redaction, resource.attributes), resource.schema_url),
        events=[Event(redaction.text(e.name), _attributes(redaction, e), e.timestamp) for e in span.events],
        links=[Link(link.context, _attributes(redaction, link)) for link in span.links],
    )


def _attributes(redaction: Redaction, holder: Event | Link) -> Mapping[str, Any]:
    return bounded(_values(redaction, holder.attributes), holder.dropped_attributes)


def _values(redaction: Redaction, values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: redaction.value(key, value) for key, value in (values or {}).items()}
