"""What could not be read, or does not hold together: named with its place, counted, never raised."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (file and line, or a trace id), why, and whether something was left out for it."""

    source: str
    line: int | None
    reason: str
    effect: str = "skipped"  # or "counted": it was read all the same

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.reason}"
