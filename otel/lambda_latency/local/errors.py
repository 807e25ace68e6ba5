"""Errors of the local system. Each message says what, where, and what to do."""


class LocalError(Exception):
    """The system cannot start or continue. The command prints the message unchanged and exits with status 1.

    LocalError
    └── UsageError   the request is invalid: status 2
    """

    exit_status = 1

    def __init__(self, message: str, todo: str = "") -> None:
        super().__init__(f"{message}\n  {todo}" if todo else message)
        self.message = message
        self.todo = todo


class UsageError(LocalError):
    """The command line, the template or the fault plan names something that does not exist or is not allowed."""

    exit_status = 2
