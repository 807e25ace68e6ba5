"""Whether anything is traced: the kit's wrapper has loaded OpenTelemetry by now, and nobody has switched this off."""

from __future__ import annotations

import os
import sys

__all__ = ["SDKConfig", "is_on"]

ENABLED = "AWS_XRAY_SDK_ENABLED"
NO = ("n", "no", "f", "false", "off", "0")


class SDKConfig:
    """The X-Ray SDK's own switch. The variable has the last word."""

    XRAY_ENABLED_KEY = ENABLED
    DISABLED_ENTITY_NAME = "dummy"
    enabled = os.environ.get(ENABLED, "true").lower() not in NO

    @classmethod
    def sdk_enabled(cls) -> bool:
        """Whether it is on."""
        return cls.enabled

    @classmethod
    def set_sdk_enabled(cls, value: bool) -> None:
        """Switch it."""
        cls.enabled = os.environ.get(ENABLED, str(value)).lower() not in NO


def is_on() -> bool:
    """Whether calls make spans. Never imports anything: what is not there by now is not wanted."""
    return SDKConfig.enabled and "opentelemetry.sdk.trace" in sys.modules
