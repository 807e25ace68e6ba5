"""Databases."""

from lambda_latency.bridge.database import XRayTracedConn, XRayTracedCursor

__all__ = ["XRayTracedConn", "XRayTracedCursor"]
