"""Code that uses the X-Ray SDK, rewritten for OpenTelemetry's API where that is sure to record the same spans."""

from lambda_latency.adopt.rewrite.rewriting import Rewritten, rewrite

__all__ = ["Rewritten", "rewrite"]
