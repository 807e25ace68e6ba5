"""Flushes standard output when a command ends, and reports a failure in one line."""

from __future__ import annotations

import contextlib
import os
import sys

from lambda_latency.cli.exit_statuses import FAILED
from lambda_latency.cli.messages import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["printed"]


def printed(run: Callable[[], int]) -> int:
    """Run a command; returns its exit status, or `FAILED` if its output cannot be written."""
    for name in ("stdout", "stderr"):  # None if the parent process closed the descriptor
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the process's life
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # a name from a trace may have characters that the terminal lacks
    try:
        try:
            return run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()  # the reader closed the pipe, as `head` does
        return FAILED
    except OSError as error:
        if error.filename is not None:  # the error is about a file, not about stdout
            raise
        _silence()
        warn(f"standard output cannot be written: {error.strerror}")
        return FAILED


def _silence() -> None:
    """Redirect stdout to /dev/null, so that the flush at exit cannot fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
