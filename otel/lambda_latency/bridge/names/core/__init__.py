"""Recorder and patching."""

from lambda_latency.bridge.recorder import AWSXRayRecorder, patch, patch_all, xray_recorder

__all__ = ["AWSXRayRecorder", "patch", "patch_all", "xray_recorder"]
