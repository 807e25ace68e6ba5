"""Error messages on stderr: the cause, then the remedy."""

from __future__ import annotations

import contextlib
import sys

from lambda_latency.cli.exit_statuses import FAILED, USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def warn(text: str) -> None:
    """Print a line on stderr, after the command's name."""
    with contextlib.suppress(OSError):  # cannot be reported
        print(f"lambda-latency: {text}", file=sys.stderr)


def usage(message: str, todo: str) -> int:
    """Print a usage error and its remedy; returns the exit status."""
    warn(f"{message}\n  {todo}")
    return USAGE


def fail(message: str, todo: str) -> NoReturn:
    """Print an error and its remedy, and exit with status 1."""
    warn(f"{message}\n  {todo}")
    raise SystemExit(FAILED)
