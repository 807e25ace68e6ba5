"""The errors of a fetch. Each message has the problem and the remedy."""

from __future__ import annotations


class FetchError(Exception):
    """AWS, the network or the disk refused; ends the command with status 1 if nothing was fetched before.

    FetchError
    ├── SelectionError     an invalid selection: status 2
    └── NothingFoundError   AWS answered, and there is no such trace

    `passing`: the same call may succeed later, so that one such error does not end the fetch.
    """

    exit_status = 1

    def __init__(self, message: str, todo: str = "", *, passing: bool = False) -> None:
        super().__init__(f"{message}\n  {todo}" if todo else message)
        self.what, self.todo, self.passing = message, todo, passing


class SelectionError(FetchError):
    """The command line selects something that does not exist."""

    exit_status = 2


class NothingFoundError(FetchError):
    """No trace matches the selection."""
