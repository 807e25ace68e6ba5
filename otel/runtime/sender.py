"""Spans to an OTLP/HTTP receiver, in bounded time. What is not taken is dropped, and the log says so once."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING, Protocol

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from otel.runtime.harmless import warn
from otel.runtime.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from otel.runtime.settings import Settings

__all__ = ["Sender", "Sink"]


class Sink(Protocol):
    """Where ended spans go. The SDK's exporters, the in-memory one among them, are sinks as they are."""

    def export(self, spans: Sequence[ReadableSpan], /) -> object:
        """Take spans; the result is not looked at."""

    def shutdown(self) -> None:
        """Let go of connections."""


class Sender:
    """The sink that runs in Lambda."""

    def __init__(self, settings: Settings) -> None:
        self._transport = Transport(settings.endpoint)
        # The first delivery finds a collector that may be starting itself.
        self._seconds = settings.first_flush_ms / 1000
        self._later_seconds = settings.flush_ms / 1000
        self._failing = False
        self._dropped = 0

    def export(self, spans: Sequence[ReadableSpan]) -> None:
        """Deliver one batch within the bound, or drop it."""
        body = encode_spans(spans).SerializeToString()
        try:
            status = self._transport.post(body, self._seconds)
            why = "" if 200 <= status < 300 else f"it answered {status}"
        except (OSError, HTTPException) as error:
            why = f"{type(error).__name__}: {error}"
        self._seconds = self._later_seconds
        self._dropped += len(spans) if why else 0
        if why and not self._failing:
            warn(f"no spans are delivered to {self._transport.address} ({why}); they are dropped until it takes them")
        elif self._failing and not why:
            warn(f"spans are delivered to {self._transport.address} again; {self._dropped} were dropped")
            self._dropped = 0
        self._failing = bool(why)

    def shutdown(self) -> None:
        """Close the connection."""
        self._transport.close()
