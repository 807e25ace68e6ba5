"""Ids of traces."""

from lambda_latency.bridge.naming import TraceId

__all__ = ["TraceId"]
