"""The errors of answers."""

from __future__ import annotations


class RefusedError(Exception):
    """What was refused or is wrong, and what to do; an assistant reads both."""

    exit_status = 2

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}\n  {todo}")


class Cancelled(Exception):  # noqa: N818 - no error: the client no longer wants the answer
    """The client has cancelled the call."""
