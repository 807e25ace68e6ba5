"""`lambda-latency init`: creates a project from the example app."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.exit_statuses import FINE

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "init",
        help=summary,
        description="Writes the example app into a new or an empty folder: a SAM template with tracing, its functions, "
        "the collector's configuration and a test of a request's spans.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that is new or empty")
    parser.add_argument("--agents", action="store_true", help="write AGENTS.md too: how an assistant asks for a report")


def run(options: argparse.Namespace) -> int:
    """Write the project and print the next commands; returns the exit status."""
    from lambda_latency.example import write_project

    files = write_project(options.folder)
    if options.agents:
        from lambda_latency.agent import changes_for
        from lambda_latency.files import replace_files

        replace_files([(one.path, one.after) for one in changes_for(options.folder, None, agents=True)])
        files.append("AGENTS.md")
    print(f"{options.folder} has {len(files)} files: a SAM app, its tracing and a test of its spans. Next:\n")
    for command in (f"cd {shlex.quote(str(options.folder))}", "pytest", "lambda-latency demo", "lambda-latency serve"):
        print(f"  {command}")
    return FINE
