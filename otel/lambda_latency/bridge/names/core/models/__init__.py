"""Segments, subsegments and headers."""

from contextlib import suppress
from importlib import import_module


def __getattr__(name: str) -> object:
    """A module of this package, imported on access: the SDK imports all of them, and code relies on it."""
    if not name.startswith("_"):
        with suppress(ModuleNotFoundError):
            return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
