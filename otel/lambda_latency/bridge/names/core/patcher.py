"""Patching."""

from lambda_latency.bridge.patching import SUPPORTED_MODULES
from lambda_latency.bridge.recorder import patch, patch_all

__all__ = ["SUPPORTED_MODULES", "patch", "patch_all"]
