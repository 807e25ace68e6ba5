"""Streaming, without effect: each span is exported separately."""

from lambda_latency.bridge.streaming import Streaming as DefaultStreaming

__all__ = ["DefaultStreaming"]
