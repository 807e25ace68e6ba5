"""Support for terminals: the progress of reading, and standard input as a file."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lambda_latency.files import unwritable
from lambda_latency.latency import Progress, ReportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import TaskID

CHUNK = 1024 * 1024
SOON_S = 0.4


def spooled(stack: ExitStack, name: str) -> Path:
    """Copy a pipe, or standard input (`-`), to a temporary file, which a report can read twice; returns its path.

    The file exists until `stack` is closed. On Linux it has no name, so that nothing is left if the process is killed.
    Raises `ReportError` if the copy cannot be written.
    """
    if sys.platform == "linux":
        file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        path = Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
    else:
        file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="lambda-latency-"))  # noqa: SIM115
        path = Path(file.name)
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as pipe:
            while chunk := pipe.read(CHUNK):
                file.write(chunk)
        file.flush()
    except OSError as error:
        source = "standard input" if name == "-" else name
        raise ReportError(unwritable(f"a copy of {source} in {tempfile.gettempdir()}", error)) from error
    return path


class ProgressBar(Progress):
    """A progress bar on stderr for long work, until it is closed; only on a terminal, and not with --quiet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, quiet: bool = False) -> None:
        self._clock, self._on = clock, sys.stderr.isatty() and not quiet
        self._drawn = ExitStack()
        self._show: Callable[[str, int, int], None] | None = None
        self._name, self._size, self._done = "", 0, 0
        self._since = clock()

    def stage(self, name: str, size: int) -> None:
        """Start a new bar of `size` bytes."""
        self._name, self._size, self._done = name, size, 0
        self.step(0)

    def step(self, size: int) -> None:
        """Advance the bar by `size` bytes."""
        self._done += size
        if self._show is None and self._on and self._clock() - self._since > SOON_S:
            self._show = self._begin()
        if self._show is not None:
            self._show(self._name, self._done, self._size)

    def close(self) -> None:
        """Remove the bar."""
        self._on, self._show = False, None
        self._drawn.close()

    def _begin(self) -> Callable[[str, int, int], None]:
        from rich.console import Console  # a slow import
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Drawn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        drawn = self._drawn.enter_context(Drawn(*columns, console=Console(stderr=True), transient=True))
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, size: int) -> None:
            if name not in tasks:
                for task in tasks.values():
                    drawn.remove_task(task)
                tasks.clear()
                tasks[name] = drawn.add_task(name, total=size)
            drawn.update(tasks[name], completed=done, total=size)

        return show
