"""The X-Ray SDK's store of the current entity, as far as code asks it: OpenTelemetry's context is what it stands on."""

from __future__ import annotations

import logging
import os
from typing import Any

from lambda_latency.bridge.entity import DummySegment, Entity
from lambda_latency.bridge.switch import is_on

__all__ = ["AsyncContext", "Context", "LambdaContext"]

log = logging.getLogger("aws_xray_sdk.core.context")
MISSING = "AWS_XRAY_CONTEXT_MISSING"
STRATEGIES = ("RUNTIME_ERROR", "LOG_ERROR", "IGNORE_ERROR")
NOTHING = "cannot find the current segment/subsegment, please make sure you have a segment open"


class Context:
    """Every form of it is the same: a task and a thread have what was current where they were started."""

    def __init__(self, context_missing: str = "LOG_ERROR", **_: Any) -> None:
        self._context_missing = os.environ.get(MISSING, context_missing)

    @property
    def context_missing(self) -> str:
        """What happens outside of Lambda where no segment is current: one of `STRATEGIES`. In Lambda nothing does."""
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

        found = current()
        if found is None:
            self.handle_context_missing()
            return DummySegment() if "LAMBDA_TASK_ROOT" in os.environ else None
        return found

    def set_trace_entity(self, trace_entity: Entity | None) -> None:
        """Make it current."""
        if is_on():
            from lambda_latency.bridge.spans import put

            put(trace_entity)

    def clear_trace_entities(self) -> None:
        """Make none current but what OpenTelemetry's own current span is."""
        self.set_trace_entity(None)

    def handle_context_missing(self) -> None:
        """What the strategy says; Lambda's own context says nothing."""
        if "LAMBDA_TASK_ROOT" in os.environ:
            return
        if self._context_missing == "RUNTIME_ERROR":
            from lambda_latency.bridge.exceptions import SegmentNotFoundException

            raise SegmentNotFoundException(NOTHING)
        if self._context_missing == "LOG_ERROR":
            log.error(NOTHING)


AsyncContext = LambdaContext = Context
