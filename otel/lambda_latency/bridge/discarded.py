"""`in_segment`: a block whose segment is discarded in Lambda, as with the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_latency.bridge.entity import Segment


class SegmentContextManager:
    """A block whose segment is discarded; subsegments in it are children of the handler's span."""

    def __init__(self, recorder: Any, name: str | None = None, **segment_kwargs: Any) -> None:
        self.recorder = recorder
        self.name = name
        self.segment_kwargs = segment_kwargs

    def __enter__(self) -> Segment:
        segment: Segment = self.recorder.begin_segment(self.name, **self.segment_kwargs)
        return segment

    def __exit__(self, *error: object) -> None:
        self.recorder.end_segment()


class AsyncSegmentContextManager(SegmentContextManager):
    """The same for `async with`."""

    async def __aenter__(self) -> Segment:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)
