"""`capture` and `in_subsegment`: a block or a function as a subsegment."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from lambda_latency.bridge.context import is_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.bridge.entity import Subsegment

__all__ = ["AsyncSubsegmentContextManager", "RecordedCall", "SubsegmentContextManager"]


class SubsegmentContextManager:
    """A block (`with`) or a function (as its decorator) in a subsegment of this name."""

    def __init__(self, recorder: Any, name: str | None = None, **subsegment_kwargs: Any) -> None:
        self.recorder = recorder
        self.name = name
        self.subsegment_kwargs = subsegment_kwargs
        self.subsegment: Subsegment | None = None

    def __call__(self, wrapped: Any) -> Any:
        """The function wrapped in a subsegment."""
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


class RecordedCall:
    """A call in a subsegment; afterwards `meta_processor` receives its result or exception."""

    def __init__(
        self,
        recorder: Any,
        call: tuple[Any, Any, Any, Any],
        name: str,
        namespace: str,
        meta_processor: Callable[..., Any] | None,
    ) -> None:
        self.result: Any = None
        self._recorder = recorder
        self._call = call
        self._meta_processor = meta_processor
        self._subsegment: Subsegment | None = recorder.begin_subsegment(name, namespace)

    def __enter__(self) -> RecordedCall:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._subsegment is None:
            return
        end_time = time.time()
        failure = error if isinstance(error, Exception) else None
        wrapped, instance, args, kwargs = self._call
        if callable(self._meta_processor):
            self._meta_processor(
                wrapped=wrapped,
                instance=instance,
                args=args,
                kwargs=kwargs,
                return_value=self.result,
                exception=failure,
                subsegment=self._subsegment,
                stack=None,
            )
        elif failure is not None:
            self._subsegment.add_exception(failure, None)
        self._recorder.end_subsegment(end_time)
