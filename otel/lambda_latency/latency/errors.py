"""The error of a report that cannot be made."""

from __future__ import annotations

__all__ = ["ReportError"]


class ReportError(Exception):
    """A report cannot be made: `what` is wrong, `todo` the remedy. The command ends with status 1."""

    exit_status = 1

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what}\n  {todo}" if todo else what)
        self.what, self.todo = what, todo
