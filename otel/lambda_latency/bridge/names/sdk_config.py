"""The SDK's switch."""

from lambda_latency.bridge.switch import SDKConfig

__all__ = ["SDKConfig"]
