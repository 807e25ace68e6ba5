"""One command at a time in a folder: two that write the same files would mix them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.files import unwritable
from lambda_latency.local.errors import LocalError

__all__ = ["only_one"]


@contextlib.contextmanager
def only_one(folder: Path, command: str) -> Iterator[None]:
    """Hold the folder for a command (`demo`); the folder is made if need be.

    The kernel releases the lock however the process ends. Raises `LocalError` where another process has it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f".{command}.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise LocalError(f"{unwritable(folder, error)}; choose another folder with --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip()
            raise LocalError(
                f"{folder} is in use by lambda-latency {command}{f', process {who}' if who else ''}: "
                "stop it, or choose another folder with --out"
            ) from None
        except OSError:  # a file system without locks
            yield
            return
        with contextlib.suppress(OSError):  # a full disk: then nobody learns the number
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield
