"""The tracing header."""

from lambda_latency.bridge.http import TraceHeader

__all__ = ["TraceHeader"]
