"""Whether tracing is on, and the X-Ray SDK's context: the store of the current entity, on OpenTelemetry's context."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from lambda_latency.bridge.entity import DummySegment, Entity

__all__ = ["AsyncContext", "Context", "LambdaContext", "SDKConfig", "is_on"]

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
