"""The command line: the commands it has, and how one ends. `--help` imports nothing but the standard library."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn, Protocol

from lambda_latency.cli.commands import demo, fetch, init, invoke, report, serve
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, INTERRUPTED
from lambda_latency.cli.messages import warn
from lambda_latency.cli.output import printed

__all__ = ["main", "parser"]

DESCRIPTION = "Where does a slow Lambda request spend its time?"
EPILOG = f"""\
{EXIT_STATUSES}

  lambda-latency demo                        see it work: no AWS account, no Docker
  lambda-latency report traces.jsonl         which part is slow, and whose it is
  lambda-latency report --xray --since 24h   the same of an AWS account as it is
  lambda-latency serve                       the SAM app of this folder, for your own requests
  lambda-latency invoke FUNCTION [EVENT]     one event for one of its functions
  lambda-latency init DIR                    a traced SAM app to begin with
  lambda-latency demo --parameter Instrumentation=layer
                                             traced by the layer's own start-up
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
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. While it runs, SIGTERM ends it as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        return printed(partial(_run, arguments))
    finally:
        signal.signal(signal.SIGTERM, before)


def parser() -> argparse.ArgumentParser:
    """What may be typed."""
    whole = argparse.ArgumentParser(
        "lambda-latency", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    subparsers = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for command in COMMANDS.values():
        command.add_parser(subparsers)
    return whole


def _run(arguments: Sequence[str] | None) -> int:
    typed = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(typed)
    options.typed = typed
    try:
        return COMMANDS[options.command].run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        status = getattr(error, "exit_status", None)
        if status is None:
            raise
        warn(str(error))
        return int(status)


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)
