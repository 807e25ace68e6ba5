"""What upstream's instrumentation of botocore works out anew in each call, though it is the same: kept.

It imports its extension for a service by name and takes the endpoint's address apart, and a request with two calls
waits up to 0.1 ms for that. A version of it that does so no more is left alone.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["remember"]

MODULE = "opentelemetry.instrumentation.botocore"
ENDPOINTS = 64  # a function calls few, again and again


def remember(instrumentor: Any) -> Callable[[], None]:
    """To be called after it has instrumented, which it does with a registry of its own; returns the undoing."""
    registry = instrumentor.extension_registry
    loaders = getattr(registry, "_extensions", None)
    if loaders is not None:
        registry._extensions = {service: functools.cache(load) for service, load in loaders.items()}
    module: Any = sys.modules[MODULE]
    original = getattr(module, "get_server_attributes", None)
    if original is None:
        return lambda: None
    known = functools.lru_cache(ENDPOINTS)(original)

    def get_server_attributes(endpoint_url: str) -> dict[str, Any]:
        return dict(known(endpoint_url))  # whoever gets it may add to it

    def undo() -> None:
        if module.get_server_attributes is get_server_attributes:
            module.get_server_attributes = original

    module.get_server_attributes = get_server_attributes
    return undo
