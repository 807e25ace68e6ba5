"""What the command needs of the terminal: how far reading has come, and standard input as a file."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["progress", "spooled"]

CHUNK = 1024 * 1024


def spooled(stack: ExitStack) -> Path:
    """Standard input as a file, until `stack` is closed: what is shown in full is read a second time.

    Where the system lets a file without a name be opened again it has none, so that none is left whatever happens.
    """
    if sys.platform == "linux":
        file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        path = Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
    else:
        file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="lambda-latency-"))  # noqa: SIM115
        path = Path(file.name)
    while chunk := sys.stdin.buffer.read(CHUNK):
        file.write(chunk)
    file.flush()
    return path


def progress(stack: ExitStack) -> tuple[Callable[[int], None], Callable[[], None]]:
    """A line on stderr that counts the bytes that were read, and what ends it; nothing where that is no terminal.

    rich is imported when there is something to wait for.
    """
    if not sys.stderr.isatty():
        return (lambda _: None), (lambda: None)
    own = stack.enter_context(ExitStack())
    bars: list[Callable[[int], None]] = []

    def step(count: int) -> None:
        if not bars:
            from rich.console import Console
            from rich.progress import FileSizeColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("reading"), FileSizeColumn(), TimeElapsedColumn())
            bar = own.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
            task = bar.add_task("", total=None)
            bars.append(lambda more: bar.advance(task, more))
        bars[0](count)

    return step, own.close
