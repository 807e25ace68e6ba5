"""The output of functions and services, in one file."""

from __future__ import annotations

import contextlib
import threading
from io import FileIO
from pathlib import Path

from lambda_latency.files import unwritable
from lambda_latency.local.errors import LocalError


class LogFile:
    """A file of lines with the names of their sources. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = open_for_writing(path)

    def write(self, name: str, line: str) -> None:
        with self._lock:
            if not self._file.closed:
                with contextlib.suppress(OSError):  # a full disk loses log lines, but fails no request
                    self._file.write(f"{name}: {line}\n".encode())

    def close(self) -> None:
        with self._lock:
            self._file.close()


def open_for_writing(path: Path) -> FileIO:
    """Opens a new unbuffered file; creates its folder if it is missing. Raises `LocalError` with the file's name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=0)
    except OSError as error:
        raise LocalError(f"{unwritable(path, error)}; choose another folder with --out") from error
