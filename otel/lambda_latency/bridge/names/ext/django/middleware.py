"""Django."""

from lambda_latency.bridge.web import DjangoMiddleware as XRayMiddleware

__all__ = ["XRayMiddleware"]
