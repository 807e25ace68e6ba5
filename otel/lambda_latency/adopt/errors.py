"""The error of adopting an app."""

from __future__ import annotations


class AdoptError(Exception):
    """The app cannot be adopted, and nothing was written; the message has the reason and the remedy."""

    exit_status = 1

    def __init__(self, problem: str, todo: str) -> None:
        super().__init__(f"{problem}\n  {todo}")
