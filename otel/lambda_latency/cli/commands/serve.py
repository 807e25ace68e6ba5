"""`lambda-latency serve`: keeps a SAM app running while its functions are being changed."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import json_object, port
from lambda_latency.cli.exit_statuses import FINE
from lambda_latency.cli.laptop import (
    add_page_options,
    add_system_options,
    add_waits_option,
    app_options,
    live_page,
    print_line,
    provider_is_theirs,
    read,
    require_local,
    say,
    tell,
)

if TYPE_CHECKING:
    import argparse

    from lambda_latency.local import Answered, CallRecorder, System
    from lambda_latency.trace import Trace

TRACES = "served.jsonl"  # beside the demo's
SAMPLING = {"TracesPerSecond", "SampleRate"}  # the template's parameters of sampling


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "serve",
        help=summary,
        description="Serves the SAM app of this folder until Ctrl-C: its Python functions, each with its own packages, "
        "its APIs, queues, topics, buses, streams and tables. Prints each request and event as it ends, with the part "
        "that took longest. Changed code takes effect on the next request. The packaged example also has a payments "
        "API. Every request is traced, unless --parameter sets TracesPerSecond or SampleRate.",
    )
    parser.add_argument(
        "--port", type=port, default=3000, metavar="P", help="port on 127.0.0.1 (default: 3000; 0: any free port)"
    )
    parser.add_argument(
        "--faults", type=Path, metavar="PLAN", help="a JSON file that says which faults to inject, where, and how often"
    )
    parser.add_argument(
        "--built", action="store_true", help="run what `sam build` made, from read-only folders as on Lambda"
    )
    parser.add_argument(
        "--authorizer-context",
        type=json_object,
        default="{}",
        metavar="JSON",
        help="what Lambda authorizers of other stacks return as their context (default: {})",
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="record the requests in a session file for lambda-latency diff"
    )
    parser.removed = {
        "--slow-ms": "`lambda-latency report out/served.jsonl --slow MS` says why requests were slow",
        "--explain": "write --differences",
    }
    add_page_options(parser, "of requests as they end")
    parser.add_argument(
        "--differences", action="store_true", help="print a table of what differs from AWS for this app, and end"
    )
    add_system_options(parser)
    add_waits_option(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C; returns the exit status."""
    require_local()
    from lambda_latency.local import FaultPlan, explained, find_template, read_plan, serve_app

    template = find_template(options.template)
    if options.differences:
        # Those that the template shows; what only a start shows, such as packages, is not among them
        rows = explained(read(template, options))
        print("| this machine | what to do | on AWS |\n|---|---|---|")
        for says, todo, source in rows:
            print(f"| {says} | {todo} | {source} |")
        return FINE
    plan = read_plan(options.faults) if options.faults else FaultPlan()
    app = read(template, options, built=options.built)
    sampler = None if SAMPLING & dict(options.parameter).keys() else lambda: True
    with live_page(options, TRACES, knows_ends=True) as (observer, address):
        chosen = app_options(options, TRACES, observer)
        chosen = replace(
            chosen,
            port=options.port,
            plan=plan,
            sampler=sampler,
            authorizer_context=options.authorizer_context,
            recorder=_recorder(options.record),
        )
        serve_app(app, chosen, up=partial(_say_up, address), show=_show_request, log=print_line, tell=tell)
    return FINE


def _recorder(path: Path | None) -> CallRecorder | None:
    """Return what records the requests in a session file; None without one."""
    if path is None:
        return None
    from lambda_latency.diff import SessionRecorder

    tell(f"Requests are recorded in {path}, without credentials. Look through it before you commit it.")
    return SessionRecorder(path)


def _say_up(page: str, system: System, differences: list[str]) -> None:
    from lambda_latency.local import commands, resource_commands

    print(f"{system.app.path} is up at {system.url}, traces go to {system.store.path}. Ctrl-C ends it.\n")
    if page:
        print(f"Page: {page}\n")
    print("This machine is not AWS (serve --differences has the sources):")
    for line in differences:
        print(f"  - {line}")
    print()
    printed = [*commands(system), *resource_commands(system)]
    if any(command.startswith("aws ") for command in printed) and not _has_credentials():
        print("  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local")
    for command in printed or ["nothing can be called: none of its functions runs here"]:
        print(f"  {command}")
    print(f"\n  lambda-latency report {shlex.quote(str(system.store.path))}")
    print(flush=True)


def _has_credentials() -> bool:
    """Return whether the AWS CLI finds credentials: without any it does not start, but the emulator accepts all."""
    variables = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")
    files = ("credentials", "config")
    return any(map(os.environ.get, variables)) or any((Path.home() / ".aws" / name).is_file() for name in files)


def _show_request(request: Answered, trace: Trace | None) -> None:
    from lambda_latency.latency import largest_component, timeout_of

    line = f"{request.route:<28} {request.status}  {request.duration_ns / 1e6:>9,.1f} ms"
    if trace is not None:
        part, ns = largest_component(trace, provider_is_theirs())
        line += f"  {part} {ns / 1e6:,.1f} ms"
        timeout = timeout_of(trace, provider_is_theirs().owners)
        if timeout is not None:
            line += f"  timed out in {timeout.running}" if timeout.running else "  timed out"
            line += f" at {timeout.line.file}:{timeout.line.line}" if timeout.line is not None else ""
    elif not request.sampled:
        line += "  not sampled"
    say(line)
