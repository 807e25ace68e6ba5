"""Flushes standard output when a command ends, and says in one line why that failed."""

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
    """Run a command; returns its exit status, or `FAILED` where its output does not arrive."""
    for name in ("stdout", "stderr"):  # closed by whoever started us: Python has none then
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the process's life
    try:
        try:
            return run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()  # whoever read our output has enough of it
        return FAILED
    except OSError as error:
        if error.filename is not None:  # of a file
            raise
        _silence()
        warn(f"standard output cannot be written: {error.strerror}")
        return FAILED


def _silence() -> None:
    """Nothing more can be said there, not even at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
