"""A lock on a folder, so that two commands do not write the same files."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.files import unwritable
from lambda_latency.local.errors import LocalError


@contextlib.contextmanager
def only_one(folder: Path, command: str) -> Iterator[None]:
    """Lock a folder for a command such as `demo`; creates the folder if it is missing.

    The kernel releases the lock at any end of the process. Raises `LocalError` if another process holds it, or if the
    folder is not writable.
    """
    try:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if is_new:  # the folder of the app stays clean for git, and for commands that edit it
            (folder / ".gitignore").write_text("*\n", encoding="ascii")
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
        except OSError:  # the file system has no locks
            yield
            return
        with contextlib.suppress(OSError):  # on a full disk, the process id is not stored
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield
