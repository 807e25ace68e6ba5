"""The output of functions and services in one file, and the lock on its folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

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


def readable(line: str) -> str:
    """Return the level and message of a JSON record, followed by its stack trace; any other line unchanged."""
    record = _record(line)
    if record is None:
        return line
    message = str(record.get("errorMessage") or record.get("message", ""))
    if kind := record.get("errorType"):
        message = f"{kind}: {message}"
    stack = record.get("stackTrace")
    frames = stack if isinstance(stack, list) else ()
    lines = [line for frame in frames for line in str(frame).rstrip().splitlines()]
    return "\n".join([f"{record['level']} {message.strip()}", *lines])


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    is_record = isinstance(record, dict) and "level" in record and ("message" in record or "errorMessage" in record)
    return record if is_record else None


@contextlib.contextmanager
def only_one(folder: Path, command: str) -> Iterator[None]:
    """Lock a folder for a command such as `demo`; creates the folder if it is missing.

    The kernel releases the lock at any end of the process. Raises `LocalError` if another process holds it, or if the
    folder is not writable.
    """
    try:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        # The folder of the app stays clean for git, and for commands that edit it
        if is_new:
            with contextlib.suppress(OSError):  # a full disk
                (folder / ".gitignore").write_text("*\n", encoding="ascii")
        file = (folder / f".{command}.lock").open("ab+", buffering=0)
    except OSError as error:
        raise LocalError(f"{unwritable(folder, error)}; choose another folder with --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().decode().strip()
            raise LocalError(
                f"{folder} is in use by lambda-latency {command}{f', process {who}' if who else ''}: "
                "stop it, or choose another folder with --out"
            ) from None
        except OSError:  # the file system has no locks
            yield
            return
        with contextlib.suppress(OSError):  # on a full disk, the process id is not stored
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield
