"""Spans that the runtime does not record because they began a trace of their own: nobody would ever see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["NotingSampler"]


class NotingSampler(Sampler):
    """Decides as the runtime's own does, and remembers which spans without a parent it left out."""

    def __init__(self, own: Sampler) -> None:
        self._own = own
        self._left_out: list[str] = []

    def left_out(self, name: str) -> None:
        """A span without a parent was left out."""
        self._left_out.append(name)

    def forget(self) -> None:
        """Another invocation begins."""
        self._left_out.clear()

    def notes(self) -> list[str]:
        """A line for each."""
        return [
            f"{name} began a second trace of one invocation, which is not recorded: its context was lost on the way"
            for name in self._left_out
        ]

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, *args: Any, **kwargs: Any
    ) -> SamplingResult:
        """As the SDK calls it."""
        result = self._own.should_sample(parent_context, trace_id, name, *args, **kwargs)
        if result.decision is Decision.DROP and not get_current_span(parent_context).get_span_context().is_valid:
            self.left_out(name)
        return result

    def get_description(self) -> str:
        """How it is called in debug output."""
        return self._own.get_description()
