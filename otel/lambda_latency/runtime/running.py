"""An invocation that runs, as far as its deadline is concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.runtime.value import Value

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

__all__ = ["MARGIN_SHARE", "Running"]

MARGIN_S, MARGIN_SHARE = 0.2, 0.1  # the share where it is less: of a timeout below two seconds


class Running(Value):
    """Its span, the thread that it runs on, and when it will be killed (seconds since 1970)."""

    span: Span
    thread: int
    deadline: float

    @property
    def span_id(self) -> int:
        """The id of its span."""
        return self.span.get_span_context().span_id

    @property
    def begun(self) -> float:
        """When its span began."""
        return (self.span.start_time or 0) / 1e9

    @property
    def alarm(self) -> float:
        """When there is just time enough to tell."""
        return self.deadline - min(MARGIN_S, MARGIN_SHARE * (self.deadline - self.begun))
