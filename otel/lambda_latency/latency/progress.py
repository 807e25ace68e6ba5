"""How far a report has come, for whoever waits for it."""

from __future__ import annotations

__all__ = ["SILENT", "Progress"]


class Progress:
    """Hears of the work as it is done, in bytes of the files; this one tells nobody."""

    def stage(self, name: str, size: int) -> None:
        """What comes next, `size` bytes of it."""

    def step(self, size: int) -> None:
        """So many bytes more are done."""


SILENT = Progress()
