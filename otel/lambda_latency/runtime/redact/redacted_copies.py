"""Copies of spans as the encoder would send them, for the testing kit, which keeps spans instead of bytes.

Not imported on Lambda. A test holds the copies against the encoder's bytes, so no part is redacted in one of them only.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status

from lambda_latency.runtime.copies import attributes_of, bounded, completed, copied
from lambda_latency.runtime.redact.spans import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.settings import Settings

    class Exporter(Protocol):
        """What keeps the spans; the SDK's in-memory exporter is one."""

        def export(self, spans: Sequence[ReadableSpan], /) -> object:
            """Keep the spans."""

        def shutdown(self) -> None:
            """Nothing follows."""


class RedactedSpans:
    """A sink of the runtime that gives an exporter the copies of spans."""

    def __init__(self, exporter: Exporter, settings: Settings) -> None:
        self._exporter = exporter
        self._redaction = Redaction.of(settings)

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = inf, /) -> object:
        """Export copies of the spans."""
        return self._exporter.export(redacted(self._redaction, spans))

    def urgent(self, spans: Sequence[ReadableSpan], /) -> Callable[[float], bool]:
        """Copy the spans; returns the function that exports the copies."""
        copies = redacted(self._redaction, spans)
        return lambda _seconds: self._exporter.export(copies) is not False

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


def redacted(redaction: Redaction, spans: Iterable[ReadableSpan]) -> list[ReadableSpan]:
    """Copies of the spans with what the runtime's encoder writes: without credentials, with the derived attributes."""
    redaction.renewed()
    return [_span(redaction, span) for span in spans]


def _span(redaction: Redaction, span: ReadableSpan) -> ReadableSpan:
    status, scope, resource = span.status, span.instrumentation_scope, span.resource
    if status.description:
        status = Status(status.status_code, redaction.message(status.description) or None)
    if scope is not None:
        scope = InstrumentationScope(scope.name, scope.version, scope.schema_url, _values(redaction, scope.attributes))
    return copied(
        span, _values(redaction, completed(span, attributes_of(span))),
        name=redaction.text(span.name), status=status, instrumentation_scope=scope,
        resource=Resource(_values(redaction, resource.attributes), resource.schema_url),
        events=[Event(redaction.text(one.name), _kept(redaction, one), one.timestamp) for one in span.events],
        links=[Link(one.context, _kept(redaction, one)) for one in span.links],
    )  # fmt: skip


def _kept(redaction: Redaction, holder: Event | Link) -> Mapping[str, Any]:
    return bounded(_values(redaction, holder.attributes), holder.dropped_attributes)


def _values(redaction: Redaction, values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: redaction.value(key, value) for key, value in (values or {}).items()}
