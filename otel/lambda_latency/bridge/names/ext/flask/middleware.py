"""Flask."""

from lambda_latency.bridge.web import FlaskMiddleware as XRayMiddleware

__all__ = ["XRayMiddleware"]
