"""aiohttp's client."""

from lambda_latency.bridge.http import aws_xray_trace_config

__all__ = ["aws_xray_trace_config"]
