"""Who takes spans and who sends them, for the type checker alone: a `Protocol` costs more than importing a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Helper", "Sink", "Urgent"]


class Sink(Protocol):
    """Where ended spans go. The SDK's exporters, the in-memory one among them, are sinks as they are."""

    def export(self, spans: Sequence[ReadableSpan], /) -> object:
        """Take spans; False says that some still wait for delivery. No spans: the time to deliver those."""

    def shutdown(self) -> None:
        """Let go of connections."""


class Urgent(Protocol):
    """Delivers in the seconds that are left; False if the spans were not taken."""

    def __call__(self, spans: Sequence[ReadableSpan], seconds: float, /) -> bool: ...


class Helper(Protocol):
    """A thread that delivers after each release."""

    @property
    def alive(self) -> bool:
        """Whether it will act on a release."""

    def release(self) -> None:
        """A response is out."""
