"""Who takes spans, for the type checker alone: classes of `Protocol` take a cold start longer than a module does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Sink", "Urgent"]


class Sink(Protocol):
    """Where ended spans go. The SDK's exporters, the in-memory one among them, are sinks as they are."""

    def export(self, spans: Sequence[ReadableSpan], /) -> object:
        """Take spans; the result is not looked at. None at all: the time to deliver what still waits."""

    def shutdown(self) -> None:
        """Let go of connections."""


class Urgent(Protocol):
    """Delivers in the seconds that are left; False if the spans were not taken."""

    def __call__(self, spans: Sequence[ReadableSpan], seconds: float, /) -> bool: ...
