"""The SDK's switch."""

from lambda_latency.bridge.context import SDKConfig

__all__ = ["SDKConfig"]
