"""Errors of the local system. Each message says what, where, and what to do."""

__all__ = ["LocalError", "UsageError"]


class LocalError(Exception):
    """The system cannot start or go on. The command prints the message as it is and ends with status 1.

    LocalError
    └── UsageError   what was asked for cannot be done as asked: status 2
    """

    exit_status = 1

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what}\n  {todo}" if todo else what)
        self.what = what
        self.todo = todo


class UsageError(LocalError):
    """The command line, the template or the fault plan asks for something that does not exist."""

    exit_status = 2
