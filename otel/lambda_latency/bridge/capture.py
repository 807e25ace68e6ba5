"""`capture` and `in_subsegment`: a block or a function as a subsegment."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from lambda_latency.bridge.switch import is_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.bridge.entity import Segment, Subsegment

__all__ = [
    "AsyncSegmentContextManager",
    "AsyncSubsegmentContextManager",
    "SegmentContextManager",
    "SubsegmentContextManager",
]


class SubsegmentContextManager:
    """A block (`with`) or a function (as its decorator) in a subsegment of this name."""

    def __init__(self, recorder: Any, name: str | None = None, **subsegment_kwargs: Any) -> None:
        self.recorder = recorder
        self.name = name
        self.subsegment_kwargs = subsegment_kwargs
        self.subsegment: Subsegment | None = None

    def __call__(self, wrapped: Any) -> Any:
        """The function, recorded."""
        if isinstance(wrapped, staticmethod | classmethod):
            return type(wrapped)(self(wrapped.__func__))
        return self._captured(wrapped)

    def __enter__(self) -> Any:
        self.subsegment = self.recorder.begin_subsegment(str(self.name), **self.subsegment_kwargs)
        return self.subsegment

    def __exit__(self, *error: object) -> None:
        if self.subsegment is None:
            return
        if isinstance(error[1], BaseException):
            self.subsegment.add_exception(error[1], None)
        self.recorder.end_subsegment()

    def _captured(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        name, recorder = self.name or wrapped.__name__, self.recorder

        @functools.wraps(wrapped)
        def captured(*args: Any, **kwargs: Any) -> Any:
            if not is_on():
                return wrapped(*args, **kwargs)
            return recorder.record_subsegment(wrapped, None, args, kwargs, name, "local", None)

        return captured


class AsyncSubsegmentContextManager(SubsegmentContextManager):
    """The same for `async with` and coroutine functions."""

    async def __aenter__(self) -> Any:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

    def _captured(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        name, recorder = self.name or wrapped.__name__, self.recorder

        @functools.wraps(wrapped)
        async def captured(*args: Any, **kwargs: Any) -> Any:
            if not is_on():
                return await wrapped(*args, **kwargs)
            return await recorder.record_subsegment_async(wrapped, None, args, kwargs, name, "local", None)

        return captured


class SegmentContextManager:
    """A block whose segment Lambda discards; subsegments in it are children of the handler's span."""

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
