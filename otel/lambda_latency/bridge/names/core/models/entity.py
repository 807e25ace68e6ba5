"""The base of segments and subsegments."""

from lambda_latency.bridge.entity import Entity

__all__ = ["Entity"]
