"""Context."""

from lambda_latency.bridge.context import Context

__all__ = ["Context"]
