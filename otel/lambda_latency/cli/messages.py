"""Error messages on stderr: the cause, then the remedy."""

from __future__ import annotations

import contextlib
import sys

from lambda_latency.cli.exit_statuses import FAILED, USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["fail", "usage", "warn"]


def warn(text: str) -> None:
    """Print a line, with the name of the command before it."""
    with contextlib.suppress(OSError):  # nowhere is left to say that this cannot be said
        print(f"lambda-latency: {text}", file=sys.stderr)


def usage(what: str, todo: str) -> int:
    """Print that options do not fit; returns the exit status."""
    warn(f"{what}\n  {todo}")
    return USAGE


def fail(what: str, todo: str) -> NoReturn:
    """Print why the command cannot run, and exit."""
    warn(f"{what}\n  {todo}")
    raise SystemExit(FAILED)
