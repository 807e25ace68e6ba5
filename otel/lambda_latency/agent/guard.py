"""Refuses what no answer needs, whoever asks: a file outside of the roots, and a socket.

`Roots` checks the names in a call. A template, though, may name files anywhere, and a library may look for settings.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager

TYPE_CHECKING = False  # importing typing would take a third of the time of the start
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILES = ("open", "os.listdir", "os.scandir", "glob.glob")
PACKAGES = ("site-packages", "dist-packages")
DEVICES = ("/dev/null", "/dev/urandom", "/proc/self", "/sys/fs/cgroup", "/etc/localtime", "/usr/share/zoneinfo")


class Guard:
    """Watches the threads that answer. An audit hook cannot be removed: there is one guard in a process."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._allowed: tuple[str, ...] = ()
        self._watched = threading.local()
        self.refused: set[str] = set()  # by the answer that is watched now

    def install(self) -> None:
        """Begin; `watch` says when. Modules of the current folder and of the roots are imported no more."""
        own = {os.path.realpath(one) for one in (".", *self._roots)}
        sys.path[:] = [one for one in sys.path if one and os.path.realpath(one) not in own]
        sys.addaudithook(self._hook)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """This thread answers."""
        self._allowed = self._allowed or _allowed(self._roots)
        self.refused.clear()
        self._watched.on = True
        try:
            yield
        finally:
            self._watched.on = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not getattr(self._watched, "on", False):
            return
        if event.startswith("socket.") and event != "socket.gethostname":
            raise PermissionError("a tool that reads files opens no socket")
        if event == "os.listdir" and arguments and arguments[0] in sys.path:
            return  # an import looks for a module
        if event in FILES and arguments and isinstance(arguments[0], (str, bytes, os.PathLike)):
            self._watched.on = False  # realpath may raise events itself
            try:
                real = os.path.realpath(os.fsdecode(arguments[0])) + os.sep
            finally:
                self._watched.on = True
            if not real.startswith(self._allowed):
                self.refused.add(real)
                raise PermissionError("a file is outside of the roots")


def _allowed(roots: Sequence[str]) -> tuple[str, ...]:
    """The beginnings of paths that may be opened: the roots, Python and its packages, temporary files of this process.

    The current folder is on Python's path, too, and is none of them.
    """
    import atexit
    import shutil
    import tempfile  # slow imports that the start does not need

    tempfile.tempdir = tempfile.mkdtemp(prefix="lambda-latency-")
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
    packages = [one for one in sys.path if any(name in one for name in PACKAGES)]
    kit = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib is a slow import
    own = [sys.prefix, sys.base_prefix, sys.exec_prefix, kit, *packages, *DEVICES]
    every = [*roots, tempfile.tempdir, f"/proc/{os.getpid()}", *own]
    return tuple({os.path.realpath(one) + os.sep for one in every if one})
