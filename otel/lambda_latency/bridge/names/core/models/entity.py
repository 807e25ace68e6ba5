"""What segments and subsegments have in common."""

from lambda_latency.bridge.entity import Entity

__all__ = ["Entity"]
