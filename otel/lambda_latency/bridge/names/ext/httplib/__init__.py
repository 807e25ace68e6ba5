"""Connections of the standard library."""

__all__ = ["add_ignored", "reset_ignored"]


def add_ignored(*_: object, **__: object) -> None:
    """Does nothing: the kit creates no spans for http.client."""


def reset_ignored() -> None:
    """Does nothing."""
