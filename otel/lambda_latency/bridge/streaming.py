"""The SDK's streaming of long segments, which spans do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Streaming"]


class Streaming:
    """Each span leaves by itself: nothing has to be split."""

    def __init__(self, streaming_threshold: int = 30) -> None:
        self.streaming_threshold = streaming_threshold

    def is_eligible(self, segment: Any) -> bool:  # noqa: ARG002 - the SDK's
        """Never."""
        return False

    def stream(self, entity: Any, callback: Callable[..., Any]) -> None:
        """Nothing to do."""
