"""What upstream's instrumentation of botocore works out anew in each call, though it is the same: kept.

It imports its extension for a service by name and takes the endpoint's address apart, for DynamoDB twice, and a
request with two calls waits up to 0.1 ms for that. A version of it that does so no more is left alone.
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
    undo: list[Callable[[], None]] = []
    registry = instrumentor.extension_registry
    loaders = getattr(registry, "_extensions", None) or {}
    registry._extensions = {
        service: functools.cache(functools.partial(loaded, load, undo)) for service, load in loaders.items()
    }
    keep(sys.modules[MODULE], "get_server_attributes", undo)

    def undone() -> None:
        while undo:
            undo.pop()()

    return undone


def loaded(load: Callable[[], Any], undo: list[Callable[[], None]]) -> Any:
    """An extension, whose module may take the endpoint's address apart too."""
    extension = load()
    keep(sys.modules.get(getattr(extension, "__module__", "")), "urlparse", undo)
    return extension


def keep(module: Any, name: str, undo: list[Callable[[], None]]) -> None:
    """What a function of a module's has answered."""
    original = getattr(module, name, None)
    if original is None:
        return
    known = functools.lru_cache(ENDPOINTS)(original)

    @functools.wraps(original)
    def answer(address: str) -> Any:
        found = known(address)
        return dict(found) if isinstance(found, dict) else found  # whoever gets it may add to it

    def undone() -> None:
        if getattr(module, name) is answer:
            setattr(module, name, original)

    setattr(module, name, answer)
    undo.append(undone)
