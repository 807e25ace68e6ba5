"""Whether tracing is on: the kit's wrapper has loaded OpenTelemetry, and the SDK is not disabled."""

from __future__ import annotations

import os
import sys

__all__ = ["SDKConfig", "is_on"]

ENABLED = "AWS_XRAY_SDK_ENABLED"
NO = ("n", "no", "f", "false", "off", "0")


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
