"""`xray_recorder`: the X-Ray SDK's face, whose subsegments are OpenTelemetry's spans."""

from __future__ import annotations

import logging
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lambda_latency.bridge.capture import AsyncSubsegmentContextManager, RecordedCall, SubsegmentContextManager
from lambda_latency.bridge.context import Context
from lambda_latency.bridge.entity import DummySegment, Entity, Segment, Subsegment
from lambda_latency.bridge.switch import is_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambda_latency.bridge.discarded import AsyncSegmentContextManager, SegmentContextManager
    from lambda_latency.bridge.streaming import Streaming

__all__ = ["AWSXRayRecorder", "AsyncAWSXRayRecorder", "patch", "patch_all", "xray_recorder"]

log = logging.getLogger("aws_xray_sdk.core.recorder")
NAME = "AWS_XRAY_TRACING_NAME"
# What Lambda or the kit decides: taken, and without effect.
WITHOUT_EFFECT = ("sampling_rules", "daemon_address", "emitter", "sampler", "plugins")
OFF = Subsegment("dummy")


class AWSXRayRecorder:
    """Subsegments, annotations and metadata by the SDK's names. It is a provider of Powertools' Tracer, too."""

    def __init__(self) -> None:
        self.context: Context = Context()
        self.service: str | None = os.environ.get(NAME)
        self.enabled = True
        self.sampling = True
        self.max_trace_back = 10
        self.streaming_threshold = 30
        self.stream_sql = True
        self.dynamic_naming: Any = None
        self.emitter: Any = None
        self.sampler: Any = None

    @cached_property
    def streaming(self) -> Streaming:
        """Without effect."""
        from lambda_latency.bridge.streaming import Streaming

        return Streaming(self.streaming_threshold)

    def configure(self, **options: Any) -> None:
        """Take the SDK's options. Those that Lambda or the kit decides have no effect, and are logged."""
        for name, value in options.items():
            if value is None:
                continue
            if name == "service":
                self.service = os.environ.get(NAME, value)
            elif name == "context_missing":
                self.context.context_missing = os.environ.get("AWS_XRAY_CONTEXT_MISSING", value)
            elif name in WITHOUT_EFFECT:
                if value:
                    log.warning("%s has no effect: Lambda samples, and the kit sends", name)
            elif hasattr(self, name):
                setattr(self, name, value)
            else:
                raise TypeError(f"configure() got an unexpected keyword argument {name!r}")

    # ---- Segments: Lambda has its own ------------------------------------------------------------------------------

    def begin_segment(
        self,
        name: str | None = None,
        traceid: str | None = None,  # noqa: ARG002 - the SDK's
        parent_id: str | None = None,  # noqa: ARG002
        sampling: Any = None,  # noqa: ARG002
    ) -> Segment:
        """A segment that Lambda discards."""
        if not (name or self.service):
            from lambda_latency.bridge.exceptions import SegmentNameMissingException

            raise SegmentNameMissingException("Segment name is required.")
        if is_on():
            log.warning("Cannot create segments inside Lambda function. Discarded.")
        return DummySegment(str(name or self.service))

    def end_segment(self, end_time: float | None = None) -> None:  # noqa: ARG002 - the SDK's
        """Nothing: Lambda ends its own."""
        if is_on():
            log.warning("Cannot end segment inside Lambda function. Ignored.")

    def current_segment(self) -> Entity | None:
        """The handler's span."""
        entity = self.get_trace_entity()
        return entity.parent_segment if isinstance(entity, Subsegment) else entity

    def in_segment(self, name: str | None = None, **segment_kwargs: Any) -> SegmentContextManager:
        """A block whose segment Lambda discards."""
        from lambda_latency.bridge.discarded import SegmentContextManager

        return SegmentContextManager(self, name, **segment_kwargs)

    def in_segment_async(self, name: str | None = None, **segment_kwargs: Any) -> AsyncSegmentContextManager:
        """The same for `async with`."""
        from lambda_latency.bridge.discarded import AsyncSegmentContextManager

        return AsyncSegmentContextManager(self, name, **segment_kwargs)

    # ---- Subsegments -----------------------------------------------------------------------------------------------

    def begin_subsegment(self, name: str, namespace: str = "local") -> Subsegment | None:
        """Start one below the current one."""
        return self._begin(name, namespace, sampled=True)

    def begin_subsegment_without_sampling(self, name: str) -> Subsegment | None:
        """Start one that is not recorded, and neither is what is below it."""
        return self._begin(name, "local", sampled=False)

    def current_subsegment(self) -> Subsegment | None:
        """The innermost open one."""
        if not is_on():
            return OFF
        entity = self.get_trace_entity()
        return entity if isinstance(entity, Subsegment) else None

    def end_subsegment(self, end_time: float | None = None) -> None:
        """End the innermost open one, at a time in seconds since 1970."""
        if not is_on():
            return
        entity = self.get_trace_entity()
        if not isinstance(entity, Subsegment):
            log.warning("No subsegment to end.")
            return
        from lambda_latency.bridge.spans import end

        end(entity, end_time)

    def in_subsegment(self, name: str | None = None, **subsegment_kwargs: Any) -> SubsegmentContextManager:
        """A block, or a function, as a subsegment."""
        return SubsegmentContextManager(self, name, **subsegment_kwargs)

    def in_subsegment_async(self, name: str | None = None, **subsegment_kwargs: Any) -> AsyncSubsegmentContextManager:
        """The same for `async with` and coroutine functions."""
        return AsyncSubsegmentContextManager(self, name, **subsegment_kwargs)

    def capture(self, name: str | None = None) -> SubsegmentContextManager:
        """A decorator: the function as a subsegment, of its own name without another."""
        return self.in_subsegment(name)

    def capture_async(self, name: str | None = None) -> AsyncSubsegmentContextManager:
        """The same for a coroutine function."""
        return self.in_subsegment_async(name)

    def record_subsegment(
        self,
        wrapped: Callable[..., Any],
        instance: Any,
        args: Any,
        kwargs: Any,
        name: str,
        namespace: str,
        meta_processor: Callable[..., Any] | None,
    ) -> Any:
        """Call a function in a subsegment; `meta_processor` puts on it what it likes."""
        with RecordedCall(self, (wrapped, instance, args, kwargs), name, namespace, meta_processor) as call:
            call.result = wrapped(*args, **kwargs)
        return call.result

    async def record_subsegment_async(
        self,
        wrapped: Callable[..., Any],
        instance: Any,
        args: Any,
        kwargs: Any,
        name: str,
        namespace: str,
        meta_processor: Callable[..., Any] | None,
    ) -> Any:
        """Await a coroutine in a subsegment."""
        with RecordedCall(self, (wrapped, instance, args, kwargs), name, namespace, meta_processor) as call:
            call.result = await wrapped(*args, **kwargs)
        return call.result

    # ---- What is put on the current one ----------------------------------------------------------------------------

    def put_annotation(self, key: str, value: Any) -> None:
        """A text, a number or a boolean that traces can be searched for."""
        if is_on():
            entity = self.get_trace_entity()
            if entity is not None:
                entity.put_annotation(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        """Anything that JSON can hold."""
        if is_on():
            entity = self.get_trace_entity()
            if entity is not None:
                entity.put_metadata(key, value, namespace)

    def is_sampled(self) -> bool:
        """Whether the current one is recorded."""
        entity = self.get_trace_entity() if is_on() else None
        return entity is not None and entity.sampled

    def get_trace_entity(self) -> Entity | None:
        """The current subsegment or segment."""
        return self.context.get_trace_entity()

    def set_trace_entity(self, trace_entity: Entity | None) -> None:
        """Make one current, such as in a thread."""
        self.context.set_trace_entity(trace_entity)

    def clear_trace_entities(self) -> None:
        """Make none current."""
        self.context.clear_trace_entities()

    def stream_subsegments(self) -> None:
        """Nothing to do."""

    # ---- What Powertools asks of a provider ------------------------------------------------------------------------

    def patch(self, modules: Any) -> None:
        """As the function of the same name."""
        patch(modules)

    def patch_all(self) -> None:
        """As the function of the same name."""

    def _begin(self, name: str, namespace: str, *, sampled: bool) -> Subsegment | None:
        if not is_on():
            return OFF
        if self.get_trace_entity() is None:
            log.warning("No segment found, cannot begin subsegment %s.", name)
            return None
        from lambda_latency.bridge.spans import begin

        return begin(name, namespace, sampled=sampled)


AsyncAWSXRayRecorder = AWSXRayRecorder
xray_recorder = AWSXRayRecorder()


def patch_all(double_patch: bool = False) -> None:
    """Nothing to do: the kit traces libraries from their first import on."""


def patch(
    modules_to_patch: Iterable[str], raise_errors: bool = True, ignore_module_patterns: Iterable[str] | None = None
) -> None:
    """Record every function and method of the function's own modules; libraries need nothing."""
    from lambda_latency.bridge import patching

    patching.patch(xray_recorder.capture, modules_to_patch, raise_errors, ignore_module_patterns)
