"""The command line: its commands, and how errors become exit statuses. Imports only the command that runs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from functools import partial
from importlib import import_module

from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FAILED, INTERRUPTED
from lambda_latency.cli.messages import warn
from lambda_latency.cli.parser import Parser
from lambda_latency.version import VERSION

TYPE_CHECKING = False  # importing typing would take a tenth of the time of `--help`
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Sequence
    from typing import Any, NoReturn, Protocol

    class Command(Protocol):
        """A module of `commands`."""

        def add_parser(self, subparsers: Any, summary: str) -> None:
            """Add the command's parser with its arguments."""

        def run(self, options: argparse.Namespace) -> int:
            """Run the command; returns the exit status."""


DESCRIPTION = "Where does a slow Lambda request spend its time?"
EPILOG = f"""\
examples:
  lambda-latency demo                       a demonstration: no AWS, no Docker
  lambda-latency report traces.jsonl        which part is slow, and who owns it
  lambda-latency report --xray --since 24h  the same for an AWS account
  lambda-latency serve                      the SAM app in this folder, traced
  lambda-latency live                       a page of requests as they end
  lambda-latency invoke FUNCTION [EVENT]    one event for one of its functions
  lambda-latency archive add traces.jsonl   keep traces, query them later
  lambda-latency doctor                     what is wrong with an app's tracing
  lambda-latency init DIR                   create a traced SAM app
  lambda-latency adopt                      trace a SAM app of your own

{EXIT_STATUSES}
"""


# The commands in the order of the help, with their summaries. Each is the module of that name in `commands`.
COMMANDS = {
    "demo": "run the traced system on this machine and see where its requests spend their time",
    "report": "report which part makes requests slow, from any trace file or from an AWS account",
    "fetch": "fetch traces from an AWS account into a file that report reads",
    "archive": "keep traces in a folder or a bucket, find them and query them",
    "explain": "explain why a CloudWatch alarm fired, from the traces of its window",
    "alarm": "print or deploy a function that explains every alarm of a stack when it fires",
    "doctor": "find what is wrong with an app's tracing, before it is deployed",
    "cost": "estimate what a month of tracing costs",
    "serve": "serve a SAM app on this machine, traced, for your own requests",
    "live": "show requests of any OTLP sender on a page while they happen",
    "invoke": "run one function of a SAM app with an event, and print what it returns",
    "mcp": "answer an assistant's questions about traces, as an MCP server",
    "init": "write a traced SAM app with a span-tree test into a new folder",
    "adopt": "edit a SAM app so that it is traced, or undo the edit",
    "completion": "print a script that completes commands and options in bash, zsh or tcsh",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. While it runs, SIGTERM ends it as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        return printed(partial(_run, arguments))
    finally:
        signal.signal(signal.SIGTERM, before)


def parser(complete: Collection[str] = COMMANDS.keys()) -> Parser:
    """The argument parser: all commands by name, those in `complete` with their options."""
    whole = Parser("lambda-latency", usage="%(prog)s COMMAND [OPTION ...]", description=DESCRIPTION, epilog=EPILOG)
    whole.add_argument("-V", "--version", action="version", version=f"%(prog)s {VERSION}", help="print the version")
    subparsers = whole.add_subparsers(
        title="commands", prog=whole.prog, metavar="COMMAND", dest="command", required=True
    )
    for name, summary in COMMANDS.items():
        if name not in complete:
            subparsers.add_parser(name, help=summary, description=summary)
            continue
        _command(name).add_parser(subparsers, summary)
        messages = subparsers.choices[name].add_argument_group("messages")
        messages.add_argument("-q", "--quiet", action="store_true", help="no progress and no notes")
        messages.add_argument("-v", "--verbose", action="store_true", help="print the stack trace of an error")
    return whole


Parser.whole = staticmethod(parser)


def _command(name: str) -> Command:
    found: Command = import_module(f"lambda_latency.cli.commands.{name}")
    return found


def _run(arguments: Sequence[str] | None) -> int:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is a slow import
    except FileNotFoundError:
        warn("the current folder does not exist any more\n  change to one that exists")
        return FAILED
    try:
        return _run_command(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


def _run_command(typed: list[str]) -> int:
    if not typed or typed[0] == "help":
        typed = [*typed[1:2], "--help"]
    name = next((one for one in typed if not one.startswith("-")), "")  # options before the command take no value
    options = parser([name]).parse_args(typed)
    options.typed = typed
    try:
        return _command(options.command).run(options)
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


def printed(run: Callable[[], int]) -> int:
    """Run a command and flush standard output; returns its exit status, or `FAILED` if that cannot be written."""
    for name in ("stdout", "stderr"):  # None if the parent process closed the descriptor
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the process's life
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # a name from a trace may have characters that the terminal lacks
    try:
        try:
            return run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()  # the reader closed the pipe, as `head` does
        return FAILED
    except OSError as error:
        if error.filename is not None:  # the error is about a file, not about stdout
            raise
        _silence()
        warn(f"standard output cannot be written: {error.strerror}")
        return FAILED


def _silence() -> None:
    """Redirect stdout to /dev/null, so that the flush at exit cannot fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
