"""aiohttp's server."""

from lambda_latency.bridge.web import middleware

__all__ = ["middleware"]
