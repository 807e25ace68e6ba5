"""The progress of a report."""

from __future__ import annotations

__all__ = ["SILENT", "Progress"]


class Progress:
    """Receives the progress of a report, in bytes of its files. This class discards it."""

    def stage(self, name: str, size: int) -> None:
        """A stage of `size` bytes begins."""

    def step(self, size: int) -> None:
        """`size` more bytes are done."""

    def close(self) -> None:
        """All stages are done."""


SILENT = Progress()
