"""The context of coroutines, the same class."""

from lambda_latency.bridge.context import AsyncContext

__all__ = ["AsyncContext"]
