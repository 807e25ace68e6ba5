"""Recorder and patching."""

from lambda_latency.bridge.patching import patch, patch_all
from lambda_latency.bridge.recorder import AWSXRayRecorder, xray_recorder

__all__ = ["AWSXRayRecorder", "patch", "patch_all", "xray_recorder"]
