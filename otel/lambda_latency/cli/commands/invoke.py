"""`lambda-latency invoke`: runs one function of a SAM app with one event, locally."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.laptop import (
    add_system_options,
    add_waits_option,
    app_options,
    read,
    require_local,
    tell,
)
from lambda_latency.cli.messages import usage

TRACES = "invoked.jsonl"


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "invoke",
        help=summary,
        description="Runs a function of the app that `serve` is running. If `serve` is not running, starts the app for "
        "this event. Prints what the function returns; its own output goes to stderr. Exits with status 1 if the "
        "function fails.",
    )
    parser.add_argument("function", metavar="FUNCTION", help="the function's logical id in the template")
    parser.add_argument(
        "event", nargs="?", metavar="EVENT", help="a JSON file with the event, or - for stdin (default: {})"
    )
    add_system_options(parser)
    add_waits_option(parser)


def run(options: argparse.Namespace) -> int:
    """Invoke a function and print its result; returns the exit status."""
    require_local()
    from lambda_latency.local import find_template, invoke_function, readable

    try:
        event = _event(options.event)
    except OSError as error:
        return usage(f"{options.event} cannot be read: {error.strerror or error}", "name a JSON file, or - for stdin")
    except ValueError as error:
        return usage(f"{options.event} is not JSON: {error}", "name a JSON file, or - for stdin")

    outcome = invoke_function(
        lambda: read(find_template(options.template), options),
        app_options(options, TRACES),
        options.function,
        event,
        log=lambda name, line: tell(f"{name}: {readable(line)}"),
        tell=tell,
    )
    print(outcome.payload.decode(errors="replace"))
    return FINE if outcome.error is None else FAILED


def _event(name: str | None) -> bytes:
    import json

    if name is None:
        return b"{}"
    raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    json.loads(raw)
    return raw
