"""`xray_recorder`: the X-Ray SDK's interface, whose subsegments are OpenTelemetry spans."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lambda_latency.bridge.context import (
    AsyncSegmentContextManager,
    AsyncSubsegmentContextManager,
    Context,
    RecordedCall,
    SegmentContextManager,
    SubsegmentContextManager,
    is_on,
)
from lambda_latency.bridge.entity import DummySegment, Entity, Segment, Subsegment

if TYPE_CHECKING:
    from lambda_latency.bridge.sampling import Streaming

log = logging.getLogger("aws_xray_sdk.core.recorder")
NAME = "AWS_XRAY_TRACING_NAME"
# Options that are accepted without effect: Lambda or the kit decides them.
WITHOUT_EFFECT = ("sampling_rules", "daemon_address", "emitter", "sampler", "plugins")
OFF = Subsegment("dummy")


class AWSXRayRecorder:
    """Subsegments, annotations and metadata with the SDK's names; also a provider of Powertools' Tracer."""

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
        """The SDK's streaming, without effect."""
        from lambda_latency.bridge.sampling import Streaming

        return Streaming(self.streaming_threshold)

    def configure(self, **options: Any) -> None:
        """Sets the SDK's options; those without effect are logged. Raises TypeError for an unknown one."""
        for name, value in options.items():
            if value is None:
                continue
            if name == "service":
                self.service = os.environ.get(NAME, value)
            elif name == "context_missing":
                self.context.context_missing = os.environ.get("AWS_XRAY_CONTEXT_MISSING", value)
            elif name in WITHOUT_EFFECT:
                if value:
                    log.warning("%s has no effect: Lambda samples, and the kit exports", name)
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
        """A segment that is discarded. Raises SegmentNameMissingException without a name."""
        if not (name or self.service):
            from lambda_latency.bridge.exceptions import SegmentNameMissingException

            raise SegmentNameMissingException("Segment name is required.")
        if is_on():
            log.warning("Cannot create segments inside Lambda function. Discarded.")
        return DummySegment(str(name or self.service))

    def end_segment(self, end_time: float | None = None) -> None:  # noqa: ARG002 - the SDK's
        """Does nothing: Lambda ends its segment."""
        if is_on():
            log.warning("Cannot end segment inside Lambda function. Ignored.")

    def current_segment(self) -> Entity | None:
        """The handler's span."""
        entity = self.get_trace_entity()
        return entity.parent_segment if isinstance(entity, Subsegment) else entity

    def in_segment(self, name: str | None = None, **segment_kwargs: Any) -> SegmentContextManager:
        """A block whose segment is discarded."""
        return SegmentContextManager(self, name, **segment_kwargs)

    def in_segment_async(self, name: str | None = None, **segment_kwargs: Any) -> AsyncSegmentContextManager:
        """The same for `async with`."""
        return AsyncSegmentContextManager(self, name, **segment_kwargs)

    # ---- Subsegments -----------------------------------------------------------------------------------------------

    def begin_subsegment(self, name: str, namespace: str = "local") -> Subsegment | None:
        """Starts a subsegment below the current entity; None without one."""
        return self._begin(name, namespace, sampled=True)

    def begin_subsegment_without_sampling(self, name: str) -> Subsegment | None:
        """Starts a subsegment that is not recorded, like all of its descendants."""
        return self._begin(name, "local", sampled=False)

    def current_subsegment(self) -> Subsegment | None:
        """The innermost open subsegment."""
        if not is_on():
            return OFF
        entity = self.get_trace_entity()
        return entity if isinstance(entity, Subsegment) else None

    def end_subsegment(self, end_time: float | None = None) -> None:
        """Ends the innermost open subsegment, at a time in seconds since 1970."""
        if not is_on():
            return
        entity = self.get_trace_entity()
        if not isinstance(entity, Subsegment):
            log.warning("No subsegment to end.")
            return
        self.end_own(entity, end_time)

    def end_own(self, subsegment: Subsegment, end_time: float | None = None) -> None:
        """Ends a subsegment, also if another one has become the current one; not a method of the SDK."""
        if is_on() and subsegment is not OFF:
            from lambda_latency.bridge.spans import end

            end(subsegment, end_time)

    def in_subsegment(self, name: str | None = None, **subsegment_kwargs: Any) -> SubsegmentContextManager:
        """A block, or a function, as a subsegment."""
        return SubsegmentContextManager(self, name, **subsegment_kwargs)

    def in_subsegment_async(self, name: str | None = None, **subsegment_kwargs: Any) -> AsyncSubsegmentContextManager:
        """The same for `async with` and coroutine functions."""
        return AsyncSubsegmentContextManager(self, name, **subsegment_kwargs)

    def capture(self, name: str | None = None) -> SubsegmentContextManager:
        """A decorator that records the function as a subsegment, by default with the function's name."""
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
        """Calls a function in a subsegment, to which `meta_processor` may add data."""
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
        """Awaits a coroutine in a subsegment."""
        with RecordedCall(self, (wrapped, instance, args, kwargs), name, namespace, meta_processor) as call:
            call.result = await wrapped(*args, **kwargs)
        return call.result

    # ---- Data of the current entity --------------------------------------------------------------------------------

    def put_annotation(self, key: str, value: Any) -> None:
        """Sets an annotation: text, number or boolean, by which X-Ray can search."""
        if is_on():
            entity = self.get_trace_entity()
            if entity is not None:
                entity.put_annotation(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        """Sets metadata: any JSON value."""
        if is_on():
            entity = self.get_trace_entity()
            if entity is not None:
                entity.put_metadata(key, value, namespace)

    def is_sampled(self) -> bool:
        """Whether the current entity is recorded."""
        entity = self.get_trace_entity() if is_on() else None
        return entity is not None and entity.sampled

    def get_trace_entity(self) -> Entity | None:
        """The current subsegment or segment."""
        return self.context.get_trace_entity()

    def set_trace_entity(self, trace_entity: Entity | None) -> None:
        """Makes an entity current, for example in a thread."""
        self.context.set_trace_entity(trace_entity)

    def clear_trace_entities(self) -> None:
        """Clears the current entity."""
        self.context.clear_trace_entities()

    def stream_subsegments(self) -> None:
        """Does nothing."""

    # ---- Powertools' provider interface ----------------------------------------------------------------------------

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
    """Does nothing: the kit traces libraries from their first import."""


def patch(
    modules_to_patch: Iterable[str], raise_errors: bool = True, ignore_module_patterns: Iterable[str] | None = None
) -> None:
    """Records all functions and methods of modules of the function; libraries are traced anyway."""
    from lambda_latency.bridge import patching

    patching.patch(xray_recorder.capture, modules_to_patch, raise_errors, ignore_module_patterns)
