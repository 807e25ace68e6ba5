"""The size of an answer: lines in the order of their importance, as many as fit, and the number of those left out."""

from __future__ import annotations

MOST = 2_000  # tokens of an answer
LAST = 100  # tokens of the last lines


def tokens(text: str) -> float:
    """Return at least as many tokens as a tokenizer counts: half of the ASCII letters, and 3 for any other letter.

    Four characters per token would be wrong here: ids and Chinese text have fewer than two.
    """
    wide = sum([not letter.isascii() for letter in text]) if not text.isascii() else 0
    return (len(text) - wide) / 2 + 3 * wide


class BoundedAnswer:
    """The lines of an answer that fit. `add` takes a line if there is room; `text` says how many were left out."""

    def __init__(self, limit: float = MOST) -> None:
        self._room = limit - LAST
        self._lines: list[str] = []
        self._omitted = 0

    def add(self, line: str) -> bool:
        """Add a line and return whether it fits. After a line that does not fit, all others are left out."""
        size = tokens(line) + 0.5
        if self._omitted or size > self._room:
            self._omitted += 1
            return False
        self._lines.append(line)
        self._room -= size
        return True

    @property
    def room(self) -> float:
        """Return the number of tokens that still fit."""
        return self._room

    def text(self, *footer: str, more: str = "") -> str:
        """Return the answer. `footer` has short lines that are always there; `more` says where omitted lines are."""
        where = f"; {more}" if more else ""
        notes = [f"left out: {self._omitted} more lines{where}"] if self._omitted else []
        return "\n".join([*self._lines, *notes, *footer])
