"""Names of requests by their hosts."""

from lambda_latency.bridge.naming import DefaultDynamicNaming

__all__ = ["DefaultDynamicNaming"]
