"""Streaming: each span leaves by itself."""

from lambda_latency.bridge.streaming import Streaming as DefaultStreaming

__all__ = ["DefaultStreaming"]
