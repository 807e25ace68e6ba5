"""Whether tracing is on, the X-Ray SDK's context (the store of the current entity, on OpenTelemetry's context), and its
context managers: a block or a function as a subsegment, and a block whose segment is discarded.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from lambda_latency.bridge.entity import DummySegment, Entity, Segment, Subsegment

log = logging.getLogger("aws_xray_sdk.core.context")
ENABLED = "AWS_XRAY_SDK_ENABLED"
NO = ("n", "no", "f", "false", "off", "0")
MISSING = "AWS_XRAY_CONTEXT_MISSING"
STRATEGIES = ("RUNTIME_ERROR", "LOG_ERROR", "IGNORE_ERROR")
NOTHING = "cannot find the current segment/subsegment, please make sure you have a segment open"


class SDKConfig:
    """The X-Ray SDK's own switch. The environment variable overrides calls."""

    XRAY_ENABLED_KEY = ENABLED
    DISABLED_ENTITY_NAME = "dummy"
    enabled = os.environ.get(ENABLED, "true").lower() not in NO

    @classmethod
    def sdk_enabled(cls) -> bool:
        """Whether the SDK is enabled."""
        return cls.enabled

    @classmethod
    def set_sdk_enabled(cls, value: bool) -> None:
        """Enables or disables the SDK, unless the variable is set."""
        cls.enabled = os.environ.get(ENABLED, str(value)).lower() not in NO


def is_on() -> bool:
    """Whether calls create spans. Imports nothing: if the wrapper has not loaded OpenTelemetry, tracing is off."""
    return SDKConfig.enabled and "opentelemetry.sdk.trace" in sys.modules


class Context:
    """One class for all of the SDK's contexts: tasks and threads inherit the current entity."""

    def __init__(self, context_missing: str = "LOG_ERROR", **_: Any) -> None:
        self._context_missing = os.environ.get(MISSING, context_missing)

    @property
    def context_missing(self) -> str:
        """The strategy outside Lambda if no segment is current: one of `STRATEGIES`. In Lambda it has no effect."""
        return self._context_missing

    @context_missing.setter
    def context_missing(self, value: str) -> None:
        if value in STRATEGIES:
            self._context_missing = value
        else:
            log.warning("specified context_missing not supported, using default.")

    def get_trace_entity(self) -> Entity | None:
        """The innermost open subsegment, or the segment."""
        if not is_on():
            return DummySegment()
        from lambda_latency.bridge.spans import current

        entity = current()
        if entity is None:
            self.handle_context_missing()
            return DummySegment() if "LAMBDA_TASK_ROOT" in os.environ else None
        return entity

    def set_trace_entity(self, trace_entity: Entity | None) -> None:
        """Makes an entity current."""
        if is_on():
            from lambda_latency.bridge.spans import put

            put(trace_entity)

    def clear_trace_entities(self) -> None:
        """Clears the current entity; OpenTelemetry's current span remains."""
        self.set_trace_entity(None)

    def handle_context_missing(self) -> None:
        """Applies the strategy; in Lambda it does nothing, as in the SDK."""
        if "LAMBDA_TASK_ROOT" in os.environ:
            return
        if self._context_missing == "RUNTIME_ERROR":
            from lambda_latency.bridge.exceptions import SegmentNotFoundException

            raise SegmentNotFoundException(NOTHING)
        if self._context_missing == "LOG_ERROR":
            log.error(NOTHING)


AsyncContext = LambdaContext = Context


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
