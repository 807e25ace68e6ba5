"""What a report cannot do, and what would help."""

from __future__ import annotations

__all__ = ["ReportError"]


class ReportError(Exception):
    """What was wrong, and what to do; ends the command with status 1."""

    exit_status = 1

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what}\n  {todo}" if todo else what)
        self.what, self.todo = what, todo
