"""What functions and services print, in one file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TextIO

from lambda_latency.local.errors import LocalError

__all__ = ["LogFile", "open_for_writing"]


class LogFile:
    """Lines with the name of who printed them, from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = open_for_writing(path)

    def write(self, name: str, line: str) -> None:
        with self._lock:
            if not self._file.closed:
                self._file.write(f"{name}: {line}\n")
                self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()


def open_for_writing(path: Path) -> TextIO:
    """A new file, its folder made if need be. Raises `LocalError` that names it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror}", "choose another folder with --out") from error
