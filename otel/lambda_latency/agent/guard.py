"""Refuses what no answer needs, whoever asks: a file outside of the roots, and without --account a socket.

`Roots` checks the names in a call. A template, though, may name files anywhere, and a library may look for settings.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Guard"]

FILES = ("open", "os.listdir", "os.scandir", "glob.glob")
DEVICES = ("/dev/null", "/dev/urandom", "/proc/self", "/sys/fs/cgroup", "/etc/localtime", "/usr/share/zoneinfo")


class Guard:
    """Watches the threads that answer. An audit hook cannot be removed: there is one guard in a process."""

    def __init__(self, roots: Sequence[Path], *, is_open: bool) -> None:
        own = {sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(__file__).parents[2]), *sys.path, *DEVICES}
        allowed = [*map(str, roots), tempfile.gettempdir(), f"/proc/{os.getpid()}", *own]
        self._allowed = tuple(os.path.realpath(one) + os.sep for one in allowed if one)
        self._is_open = is_open
        self._watched = threading.local()

    def install(self) -> None:
        """Begin; `watch` says when."""
        sys.addaudithook(self._hook)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """This thread answers."""
        self._watched.on = True
        try:
            yield
        finally:
            self._watched.on = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not getattr(self._watched, "on", False) or self._is_open:
            return
        if event.startswith("socket.") and event != "socket.gethostname":
            raise PermissionError("the server opens no socket without --account")
        if event in FILES and arguments and isinstance(arguments[0], (str, bytes, os.PathLike)):
            self._watched.on = False  # realpath may raise events itself
            try:
                real = os.path.realpath(os.fsdecode(arguments[0])) + os.sep
            finally:
                self._watched.on = True
            if not real.startswith(self._allowed):
                raise PermissionError("a file is outside of the roots")
