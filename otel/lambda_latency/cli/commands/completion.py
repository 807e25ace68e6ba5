"""`lambda-latency completion`: prints a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse
from typing import Any

from lambda_latency.cli.exit_statuses import FINE

SHELLS = ("bash", "zsh", "tcsh")  # those of shtab
DESCRIPTION = """\
Prints a script that lets a shell complete commands, options and files.

  bash:  eval "$(lambda-latency completion bash)"
  zsh:   lambda-latency completion zsh > "${fpath[1]}/_lambda-latency"
  tcsh:  lambda-latency completion tcsh > completion.csh; source completion.csh
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser("completion", help=summary, description=DESCRIPTION)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")


def run(options: argparse.Namespace) -> int:
    """Print the completion script of a shell; returns the exit status."""
    import shtab

    from lambda_latency.cli.entry import parser

    print(shtab.complete(parser(), shell=options.shell))
    return FINE
