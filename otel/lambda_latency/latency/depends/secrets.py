"""Removes secrets from values before they are counted: by the name of their attribute, and inside of texts."""

from __future__ import annotations

from lambda_latency.runtime.redact import REDACTED, SECRET, clean, secrecy

__all__ = ["without_secrets"]


def without_secrets(attribute: str, text: str) -> str:
    """The text of a value as it may be told."""
    name = attribute.rpartition(".")[2] if attribute.startswith("http.re") else attribute.lstrip("?{").rstrip("}")
    return REDACTED if secrecy(name) == SECRET else clean(text, ())
