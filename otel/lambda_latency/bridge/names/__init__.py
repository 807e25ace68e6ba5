"""The X-Ray SDK by its name; its subsegments are OpenTelemetry's spans."""

from lambda_latency.bridge.switch import SDKConfig

__all__ = ["SDKConfig", "global_sdk_config"]

global_sdk_config = SDKConfig
