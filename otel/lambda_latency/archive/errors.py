"""The error of an archive: the problem and the remedy."""

from __future__ import annotations


class ArchiveError(Exception):
    """An archive cannot be read or written; ends the command with status 1, or 2 for a usage error."""

    def __init__(self, what: str, todo: str = "", *, exit_status: int = 1) -> None:
        super().__init__(f"{what}\n  {todo}" if todo else what)
        self.what, self.exit_status = what, exit_status
