"""The X-Ray SDK's context, the store of the current entity, implemented on OpenTelemetry's context."""

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

        found = current()
        if found is None:
            self.handle_context_missing()
            return DummySegment() if "LAMBDA_TASK_ROOT" in os.environ else None
        return found

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
