"""`lambda-latency init`: writes a small traced app as a new project."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from lambda_latency.cli.exit_statuses import FINE
from lambda_latency.documentation import page_address

# The commands of a project that need an extra.
COMMANDS = {"testing": ("pytest",), "local": ("lambda-latency demo", "lambda-latency serve")}


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "init",
        help=summary,
        description="Writes a small orders API into a new or an empty folder: a SAM template with tracing, two "
        "functions, the collector's configuration and tests of the spans of two requests.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that is new or empty")
    parser.removed = {"--agents": f"{page_address('how-to/ask-an-assistant')} has the lines for AGENTS.md"}


def run(options: argparse.Namespace) -> int:
    """Write the project and print the next commands; returns the exit status."""
    from lambda_latency.example import write_project
    from lambda_latency.installing import is_installed

    files = write_project(options.folder)
    missing = [extra for extra in COMMANDS if not is_installed(extra)]
    ready = [command for extra, commands in COMMANDS.items() if extra not in missing for command in commands]
    print(f"{options.folder} has {len(files)} files: a SAM app, its tracing and tests of its spans. Next:\n")
    for command in (f"cd {shlex.quote(str(options.folder))}", *ready, "lambda-latency doctor"):
        print(f"  {command}")
    if missing:
        print(f"\n{_needs(missing)}")
    return FINE


def _needs(missing: list[str]) -> str:
    """Say which commands need the missing extras, and how these are installed."""
    from lambda_latency.installing import install_command

    commands = [f"`{command}`" for extra in missing for command in COMMANDS[extra]]
    needing = " and ".join(filter(None, [", ".join(commands[:-1]), commands[-1]]))
    verb = "needs" if len(commands) == 1 else "need"
    return f"{needing} {verb} more packages:\n\n  {install_command(','.join(missing))}"
