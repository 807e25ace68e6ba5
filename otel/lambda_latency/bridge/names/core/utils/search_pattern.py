"""Patterns with `*` and `?`."""

from lambda_latency.bridge.naming import wildcard_match

__all__ = ["wildcard_match"]
