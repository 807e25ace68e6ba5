"""The recorder."""

from lambda_latency.bridge.recorder import AWSXRayRecorder

__all__ = ["AWSXRayRecorder"]
