"""The package `aws_xray_sdk`, whose subsegments are OpenTelemetry spans."""

from lambda_latency.bridge.context import SDKConfig

__all__ = ["SDKConfig", "global_sdk_config"]

global_sdk_config = SDKConfig
