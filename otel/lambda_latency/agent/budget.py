"""The size of an answer: lines in the order of their worth, as many as fit; what is left out is said."""

from __future__ import annotations

MOST = 2_000  # tokens of an answer
LAST = 100  # tokens that the last lines may take


def tokens(text: str) -> float:
    """At least as many tokens as a tokenizer counts: half of the ASCII letters, and 3 for any other letter.

    Four characters a token would be wrong here: ids and Chinese have fewer than two.
    """
    wide = sum([not one.isascii() for one in text]) if not text.isascii() else 0
    return (len(text) - wide) / 2 + 3 * wide


class Answer:
    """Lines of an answer. `add` takes a line if there is room; `text` says how many had none."""

    def __init__(self, most: float = MOST) -> None:
        self._room = most - LAST
        self._lines: list[str] = []
        self._left = 0

    def add(self, line: str) -> bool:
        """Add a line; returns whether it fits. No line follows one that does not."""
        size = tokens(line) + 0.5
        if self._left or size > self._room:
            self._left += 1
            return False
        self._lines.append(line)
        self._room -= size
        return True

    @property
    def room(self) -> float:
        """The tokens that are left."""
        return self._room

    def text(self, *last: str, more: str = "") -> str:
        """The answer. `last` are short lines that are always there; `more` says where those that are left out are."""
        rest = [f"left out: {self._left} more lines{f'; {more}' if more else ''}"] if self._left else []
        return "\n".join([*self._lines, *rest, *last])
