"""Redaction: removes secrets from what leaves a function, by names, by values, and by their place in a text.

Other rooms import the names below from here. Each is imported at its first use, because a cold start pays for modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_latency.runtime.redact.additions import Chosen, chosen
    from lambda_latency.runtime.redact.credentials import REDACTED, clean
    from lambda_latency.runtime.redact.names import SECRET, secrecy
    from lambda_latency.runtime.redact.redacted_copies import RedactedSpans
    from lambda_latency.runtime.redact.spans import Redaction

__all__ = ["REDACTED", "SECRET", "Chosen", "RedactedSpans", "Redaction", "chosen", "clean", "secrecy"]

FROM = ["credentials", "names", "additions", "redacted_copies", "spans", "additions", "credentials", "names"]
MODULES = dict(zip(__all__, FROM, strict=True))


def __getattr__(name: str) -> Any:
    """The name, from its module."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
