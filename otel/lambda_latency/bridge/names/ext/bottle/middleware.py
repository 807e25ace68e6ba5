"""Bottle."""

from lambda_latency.bridge.web import BottlePlugin as XRayMiddleware

__all__ = ["XRayMiddleware"]
