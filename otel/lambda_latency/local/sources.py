"""Detects changes of source files since the last check, without listing their folders each time."""

from __future__ import annotations

import os
import time
from pathlib import Path

SKIPPED = ("__pycache__", "node_modules", "venv")
TICK_NS = 50_000_000  # longer than the timestamp resolution of any file system
State = tuple[int, int, int]


class Sources:
    """The source files below some folders.

    A folder is listed again only after an entry was added or removed, because every request checks, and an app's folder
    may have many thousand files.
    """

    def __init__(self, *folders: Path) -> None:
        self._roots = folders
        self._files: dict[str, State | None] = {}
        self._folders: dict[str, State | None] = {}
        self._look()

    def changed(self) -> bool:
        """Whether a file was written, added or removed since the last call."""
        if self._is_settled and all(
            _state(path) == before for known in (self._files, self._folders) for path, before in known.items()
        ):
            return False
        before = self._files
        self._look()
        return before != self._files

    def _look(self) -> None:
        self._files, self._folders = {}, {}
        settled_ns = time.time_ns() - TICK_NS
        for root in self._roots:
            self._folders[str(root)] = _state(str(root))  # also for a missing folder, which may be created later
            for place, folders, files in os.walk(root):
                folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED]
                self._folders[place] = _state(place)
                for name in files:
                    if name.endswith(".py") or name == "requirements.txt":
                        path = f"{place}/{name}"
                        self._files[path] = _state(path)
        # A folder that changed just now may change again within the same timestamp.
        self._is_settled = all(state is None or state[0] < settled_ns for state in self._folders.values())


def _state(path: str) -> State | None:
    """Time of change, size and inode of a file: two writes may have the same timestamp. None for a missing file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - Path takes three times as long
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
