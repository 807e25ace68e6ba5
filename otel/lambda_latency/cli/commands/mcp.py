"""`lambda-latency mcp`: an MCP server on standard input and output, for the assistants in editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FINE
from lambda_latency.cli.messages import usage
from lambda_latency.cli.settings import read_settings

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "mcp",
        help=summary,
        description="An MCP server on standard input and output, for assistants in editors. It reads trace files below "
        "the roots and writes nothing; without --account it opens no socket.",
        epilog=EXIT_STATUSES,
    )
    parser.add_argument(
        "--root", type=Path, action="append", metavar="DIR", help="a folder that may be read; default: this one"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until the input ends; returns the exit status."""
    roots = tuple(options.root or [Path.cwd()])
    for one in roots:
        if not one.is_dir():
            return usage(f"--root {one} is no folder", "name a folder that exists")
    try:
        settings = read_settings(roots[0])
    except ValueError as error:
        return usage(str(error), "correct it")
    from lambda_latency.agent import Options, serve

    serve(Options(roots, settings.ours, settings.theirs, settings.from_, settings.slow, settings.ignore))
    return FINE
