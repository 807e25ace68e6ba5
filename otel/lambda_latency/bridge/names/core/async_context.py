"""Context of coroutines: the same."""

from lambda_latency.bridge.context import AsyncContext

__all__ = ["AsyncContext"]
