"""The recorder for coroutines, the same class."""

from lambda_latency.bridge.context import AsyncSubsegmentContextManager
from lambda_latency.bridge.discarded import AsyncSegmentContextManager
from lambda_latency.bridge.recorder import AsyncAWSXRayRecorder

__all__ = ["AsyncAWSXRayRecorder", "AsyncSegmentContextManager", "AsyncSubsegmentContextManager"]
