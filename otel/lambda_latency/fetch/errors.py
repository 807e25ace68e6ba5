"""What keeps traces from being fetched, said so that a person can act: what, and what to do."""

from __future__ import annotations

__all__ = ["FetchError", "UsageError"]


class FetchError(Exception):
    """AWS, the network or the disk says no; ends the command with status 1 where nothing was fetched before.

    FetchError
    └── UsageError   what was asked for cannot be: status 2

    `passing`: the same call may succeed later, so one such call does not end the fetch.
    """

    exit_status = 1

    def __init__(self, what: str, todo: str = "", *, passing: bool = False) -> None:
        super().__init__(f"{what}\n  {todo}" if todo else what)
        self.what, self.todo, self.passing = what, todo, passing


class UsageError(FetchError):
    """The command line asks for what does not exist."""

    exit_status = 2
