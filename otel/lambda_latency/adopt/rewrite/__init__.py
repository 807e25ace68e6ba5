"""Rewrites code from the X-Ray SDK to OpenTelemetry's API, where that certainly records the same spans."""

from lambda_latency.adopt.rewrite.rewriting import Rewritten, rewrite

__all__ = ["Rewritten", "rewrite"]
