"""`lambda-latency completion`: prints a script that completes commands and options in a shell, or the manual page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.cli.exit_statuses import FINE

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

SHELLS = ("bash", "zsh", "fish", "man")
DESCRIPTION = """\
Prints a script that lets a shell complete commands, options and files, or the
page for man.

  bash:  eval "$(lambda-latency completion bash)"
  zsh:   lambda-latency completion zsh > "${fpath[1]}/_lambda-latency"
  fish:  lambda-latency completion fish | source
  man:   lambda-latency completion man | man -l -
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser("completion", help=summary, description=DESCRIPTION)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")


def run(options: argparse.Namespace) -> int:
    """Print the completion script of a shell; returns the exit status."""
    from lambda_latency.cli.entry import parser

    print(_script(options.shell, parser()), end="")
    return FINE


def _script(shell: str, parser: argparse.ArgumentParser) -> str:
    if shell == "fish":
        from lambda_latency.cli.fish import fish_script

        return fish_script(parser)
    if shell == "man":
        from lambda_latency.cli.manual import manual

        return manual(parser)
    import shtab

    return f"{shtab.complete(parser, shell=shell)}\n"
