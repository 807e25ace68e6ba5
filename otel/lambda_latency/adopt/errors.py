"""Why an app is not adopted."""

from __future__ import annotations

__all__ = ["AdoptError"]


class AdoptError(Exception):
    """Nothing was written; the message says why, and what to do."""

    exit_status = 1

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}\n  {todo}")
