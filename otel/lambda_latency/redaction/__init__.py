"""Redaction: removes secrets from texts and attributes, by names, by values and by their place in a text.

A leaf of the standard library alone: it ships beside the runtime, and every subpackage may import it. Each public name
is imported at its first use, because a cold start pays for modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_latency.redaction.additions import Chosen, parse_chosen
    from lambda_latency.redaction.attributes import SPARE, Redaction
    from lambda_latency.redaction.credentials import clean
    from lambda_latency.redaction.names import REDACTED, SECRET, UNREAD, secrecy

__all__ = ["REDACTED", "SECRET", "SPARE", "UNREAD", "Chosen", "Redaction", "clean", "parse_chosen", "secrecy"]

MODULES = dict.fromkeys(__all__, "names") | {
    "SPARE": "attributes",
    "Chosen": "additions",
    "Redaction": "attributes",
    "clean": "credentials",
    "parse_chosen": "additions",
}


def __getattr__(name: str) -> Any:
    """Return a public name from its module."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
