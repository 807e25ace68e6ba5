"""The SDK's streaming of large segments, which is not needed for spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Streaming:
    """Streaming without effect: each span is exported separately."""

    def __init__(self, streaming_threshold: int = 30) -> None:
        self.streaming_threshold = streaming_threshold

    def is_eligible(self, segment: Any) -> bool:  # noqa: ARG002 - the SDK's
        """Always False."""
        return False

    def stream(self, entity: Any, callback: Callable[..., Any]) -> None:
        """Does nothing."""
