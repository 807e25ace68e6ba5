"""Connections of the standard library."""

__all__ = ["add_ignored", "reset_ignored"]


def add_ignored(*_: object, **__: object) -> None:
    """Without effect: the kit makes no span of http.client."""


def reset_ignored() -> None:
    """Without effect."""
