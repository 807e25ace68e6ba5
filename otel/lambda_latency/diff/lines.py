"""Finds the line that gained or lost work between two versions of the code, from counts by lines on the stack."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lambda_latency.diff.counts import Lines

PART = 0.2  # of all that was gained: a changed line that so much passes through is its cause


class Hunk(NamedTuple):
    """A changed piece of a file, by its number."""

    file: str
    number: int


Key: TypeAlias = "tuple[str, int] | Hunk"  # an unchanged line, as the head numbers it, or a hunk


class Gains(NamedTuple):
    """What lines gained themselves and with all that they call, and how they are shown."""

    innermost: Counter[Key]
    through: Counter[Key]
    shown: dict[Key, str]


class ChangedPlace(NamedTuple):
    """The line of own code that gained most, and the changed line on the way there: `file.py:12`, or empty."""

    line: str = ""
    cause: str = ""

    def __str__(self) -> str:
        if not self.line or self.cause in ("", self.line):
            return self.line or self.cause
        return f"{self.line}, from the changed {self.cause}"


NOWHERE = ChangedPlace()


class ChangedLines:
    """The lines of both sides, matched as text. `base` and `head` are the folders of own code."""

    def __init__(self, base: Path, head: Path) -> None:
        self._folders = base, head
        self._hunks: dict[str, tuple[dict[int, Key], dict[int, Key]]] = {}

    def place(self, base: Counter[Lines], head: Counter[Lines]) -> ChangedPlace:
        """Return the place of what `head` has more than `base`, or less if it has less in all."""
        sign = 1 if head.total() >= base.total() else -1
        gains = Gains(Counter(), Counter(), {})
        self._add(gains, 0, base, -sign)
        self._add(gains, 1, head, sign)
        places = +gains.innermost  # the positive ones
        changed = Counter({key: gain for key, gain in gains.through.items() if isinstance(key, Hunk)})
        causes = [key for key, gain in changed.most_common(1) if 0 < gain >= PART * places.total()]
        shown = [[gains.shown[key] for key in keys] for keys in ([key for key, _ in places.most_common(1)], causes)]
        return ChangedPlace(*("".join(labels) for labels in shown))

    def _add(self, gains: Gains, side: int, work: Counter[Lines], factor: int) -> None:
        """Add the work of a side. A hunk is shown as its line that most goes through, of the head if that has one."""
        counts: Counter[tuple[Key, str]] = Counter()
        for lines, count in work.items():
            keys = {self._key(side, line): f"{line[0]}:{line[1]}" for line in lines}
            gains.through.update(dict.fromkeys(keys, factor * count))
            gains.innermost.update(dict.fromkeys([*keys][-1:], factor * count))
            counts.update(dict.fromkeys(keys.items(), count))
        gains.shown.update(sorted(counts, key=lambda entry: counts[entry]))

    def _key(self, side: int, line: tuple[str, int]) -> Key:
        file, number = line
        if file not in self._hunks:
            self._hunks[file] = self._matched(file)
        return self._hunks[file][side].get(number, line)

    def _matched(self, file: str) -> tuple[dict[int, Key], dict[int, Key]]:
        old, new = (_lines_of(folder / file) for folder in self._folders)
        base: dict[int, Key] = {}
        head: dict[int, Key] = {}
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        for number, (kind, start, end, new_start, new_end) in enumerate(matcher.get_opcodes()):
            if kind == "equal":
                base |= {start + offset + 1: (file, new_start + offset + 1) for offset in range(end - start)}
            else:
                base |= dict.fromkeys(range(start + 1, end + 1), Hunk(file, number))
                head |= dict.fromkeys(range(new_start + 1, new_end + 1), Hunk(file, number))
        return base, head


def _lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
