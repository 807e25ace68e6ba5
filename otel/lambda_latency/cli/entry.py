"""The command line: the commands it has, and how one ends. `--help` imports nothing but the standard library."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn, Protocol

from lambda_latency.cli.commands import adopt, completion, demo, fetch, init, invoke, report, serve
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, INTERRUPTED
from lambda_latency.cli.messages import warn
from lambda_latency.cli.output import printed
from lambda_latency.cli.parser import Parser
from lambda_latency.version import VERSION

__all__ = ["main", "parser"]

DESCRIPTION = "Where does a slow Lambda request spend its time?"
EPILOG = f"""\
examples:
  lambda-latency demo                       see it work: no AWS, no Docker
  lambda-latency report traces.jsonl        which part is slow, and whose it is
  lambda-latency report --xray --since 24h  the same of an AWS account
  lambda-latency serve                      the SAM app of this folder, traced
  lambda-latency invoke FUNCTION [EVENT]    one event for one of its functions
  lambda-latency init DIR                   a traced SAM app to begin with
  lambda-latency adopt                      what tracing an app of your own edits

{EXIT_STATUSES}
"""


class Command(Protocol):
    """A module of `commands`."""

    def add_parser(self, subparsers: Any) -> None:
        """Declare its arguments."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it; returns the exit status."""


# In the order of the help.
COMMANDS: dict[str, Command] = {
    "demo": demo,
    "report": report,
    "fetch": fetch,
    "serve": serve,
    "invoke": invoke,
    "init": init,
    "adopt": adopt,
    "completion": completion,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. While it runs, SIGTERM ends it as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        return printed(partial(_run, arguments))
    finally:
        signal.signal(signal.SIGTERM, before)


def parser() -> Parser:
    """What may be typed."""
    whole = Parser("lambda-latency", usage="%(prog)s COMMAND [OPTION ...]", description=DESCRIPTION, epilog=EPILOG)
    whole.add_argument("-V", "--version", action="version", version=f"%(prog)s {VERSION}", help="print the version")
    subparsers = whole.add_subparsers(
        title="commands", prog=whole.prog, metavar="COMMAND", dest="command", required=True
    )
    for name, command in COMMANDS.items():
        command.add_parser(subparsers)
        messages = subparsers.choices[name].add_argument_group("messages")
        messages.add_argument("-q", "--quiet", action="store_true", help="no progress and no notes")
        messages.add_argument("-v", "--verbose", action="store_true", help="the stack trace of what fails")
    return whole


def _run(arguments: Sequence[str] | None) -> int:
    typed = list(sys.argv[1:] if arguments is None else arguments)
    whole = parser()
    options = whole.parse_args(typed)
    options.typed, options.parser = typed, whole
    try:
        return COMMANDS[options.command].run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        status = getattr(error, "exit_status", None)
        if status is None:
            raise
        warn(str(error))
        if options.verbose:
            import traceback

            traceback.print_exc()
        return int(status)


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)
