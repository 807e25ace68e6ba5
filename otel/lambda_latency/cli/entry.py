"""The command line: its commands, and how errors become exit statuses. Imports only the command that runs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from functools import partial
from importlib import import_module

from lambda_latency.cli.exit_statuses import FAILED, INTERRUPTED
from lambda_latency.cli.messages import warn
from lambda_latency.cli.parser import Parser
from lambda_latency.version import VERSION

TYPE_CHECKING = False  # importing typing is slow
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


USAGE = "usage: lambda-latency COMMAND [OPTION ...]"
DESCRIPTION = "Where does a slow Lambda request spend its time?"
EPILOG = """\
-h help, -V version, -v stack trace of an error; COMMAND --help: its options
First: lambda-latency demo, or lambda-latency report FILE for traces you have"""

# The commands in the order of the help, with their summaries. Each is the module of that name in `commands`.
COMMANDS = {
    "demo": "run the traced example here: where do its requests spend time?",
    "report": "which part makes requests slow: trace files, or an AWS account",
    "fetch": "fetch traces from an AWS account into a file that report reads",
    "archive": "keep traces in a folder or a bucket, find and query them",
    "stack": "deploy a layer, what explains alarms, or an archive, in an account",
    "policy": "print the minimal IAM policy of a command that calls AWS",
    "doctor": "find what is wrong with an app's tracing before it is deployed",
    "cost": "estimate what a month of tracing costs",
    "serve": "serve a SAM app on this machine, traced, for your own requests",
    "diff": "compare what requests do in two versions of a SAM app, by counts",
    "live": "show requests of any OTLP sender on a page while they happen",
    "invoke": "run one function of a SAM app with an event",
    "mcp": "answer an assistant's questions about traces, as an MCP server",
    "init": "write a traced SAM app with a span-tree test into a new folder",
    "adopt": "edit a SAM app so that it is traced, or undo the edit",
    "completion": "print completions for bash, zsh or tcsh",
}
# The commands of earlier versions, and what replaces them.
REMOVED_COMMANDS = {
    "explain": "lambda-latency report --alarm NAME; for a time: report --xray --since 30m --slow MS",
    "alarm": "lambda-latency stack alarm",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. While it runs, SIGTERM ends it as Ctrl-C does."""
    handler = signal.signal(signal.SIGTERM, _terminated)
    try:
        return printed(partial(_run, arguments))
    finally:
        signal.signal(signal.SIGTERM, handler)


def parser(complete: Collection[str] = COMMANDS.keys()) -> Parser:
    """Build the argument parser: all commands by name, those in `complete` with their options."""
    commands = "\n".join(f"  {name:10}  {summary}" for name, summary in COMMANDS.items())
    whole = Parser("lambda-latency", description=DESCRIPTION)
    whole.overview = f"{USAGE}\n\n{DESCRIPTION}\n\ncommands:\n{commands}\n\n{EPILOG}\n"
    whole.add_argument("-V", "--version", action="version", version=f"%(prog)s {VERSION}", help="print the version")
    whole.add_argument("-v", "--verbose", action="store_true", help="print the stack trace of an error")
    subparsers = whole.add_subparsers(prog=whole.prog, metavar="COMMAND", dest="command", required=True)
    whole.removed = REMOVED_COMMANDS
    for name, summary in COMMANDS.items():
        if name in complete:
            _command(name).add_parser(subparsers, summary)
        else:
            subparsers.add_parser(name, help=summary, description=summary)
    return whole


Parser.whole = staticmethod(parser)


def _command(name: str) -> Command:
    command: Command = import_module(f"lambda_latency.cli.commands.{name}")
    return command


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
    name = next((word for word in typed if not word.startswith("-")), "")  # options take no value here
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
    for name in ("stdout", "stderr"):  # None if the parent closed it
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the process's life
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":
        # A name from a trace may have characters that the terminal lacks.
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            return run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()  # the reader closed the pipe, as `head` does
        return FAILED
    except OSError as error:
        if error.filename is not None:  # not about stdout
            raise
        _silence()
        warn(f"standard output cannot be written: {error.strerror}")
        return FAILED


def _silence() -> None:
    """Redirect stdout to /dev/null, so that the flush at exit cannot fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
