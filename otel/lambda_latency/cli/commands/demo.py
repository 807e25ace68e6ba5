"""`lambda-latency demo`: runs the whole system under a load, and reports on it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import requests
from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.laptop import (
    add_page_options,
    add_system_options,
    app_options,
    live_page,
    progress_bar,
    provider_is_theirs,
    read,
    require_local,
    tell,
)
from lambda_latency.cli.messages import usage, warn
from lambda_latency.files import unwritable
from lambda_latency.installing import is_installed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from lambda_latency.local import Demo

LOAD_SEED = 1  # of load and faults
REQUESTS = 150
TEMPLATE = Path("template.yaml")
UP = "warming up"  # the first stage of a running system


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "demo",
        help=summary,
        description="Starts API Gateway, the template's functions, DynamoDB and a payments API on this machine, sends "
        "them a mixed load with a slow payments API, some throttles and one function timeout, and reports where the "
        "time went. In the folder of another SAM app, calls that app instead: its example events (events/) and "
        "its GET routes. Without the extra `local`, reports a recorded run of the example instead.",
    )
    parser.add_argument("--recorded", action="store_true", help="report the recorded run, and start nothing")
    parser.add_argument(
        "--requests", type=requests, default=REQUESTS, metavar="N", help="number of requests (default: 150)"
    )
    parser.add_argument(
        "--collector",
        metavar="docker|PATH|none",
        help="collector that receives the spans (default: the one of `make collector`, else Docker's)",
    )
    parser.removed = {
        "--alarm": "`lambda-latency report --alarm NAME` explains an alarm of an account",
        "--example": "run the command in a folder without a template, such as a new one",
        "--seed": "the load is the same in each run",
    }
    add_page_options(parser, "while the demo runs")
    add_system_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no notes")


def run(options: argparse.Namespace) -> int:
    """Run the whole system under a load, or take a recorded run, and report on it; returns the exit status."""
    if options.recorded or (sys.platform != "win32" and not is_installed("local") and _is_plain(options)):
        return _report_recorded(options)
    require_local()
    from lambda_latency.local import choose_collector, export_of, run_demo

    app = read(_template(options.template), options)
    if options.collector and export_of(app) != "collector":
        return usage("--collector is for functions that send to a collector", f"leave it out: {app.path} has none")
    collector = choose_collector(options.collector, app.root)
    with (
        live_page(options, "traces.jsonl", knows_ends=False) as (observer, address),
        progress_bar(quiet=options.quiet) as (stage, step),
    ):
        announce = _saying(address, stage, quiet=options.quiet)
        told = (lambda _: None) if options.quiet else tell
        chosen = replace(app_options(options, "traces.jsonl", observer), collector=collector)
        demo = run_demo(app, chosen, options.requests, LOAD_SEED, stage=announce, step=step, tell=told)
    if not demo.traced:
        ordered = sorted(demo.ms)
        p50, p95 = (ordered[max(0, -(-len(ordered) * q // 100) - 1)] for q in (50, 95))
        times = f"p50 {p50:,.0f} ms, p95 {p95:,.0f} ms, max {ordered[-1]:,.0f} ms, as the callers saw them"
        print(f"Tracing is off: {len(ordered)} requests were served ({times}), and no span was recorded.")
        return FINE
    return _report(demo, [*_notes(demo, options.requests, collector.sentence)], options)


def _is_plain(options: argparse.Namespace) -> bool:
    """Return whether the demo is asked for on the packaged example, and not for an app or a load of one's own."""
    is_example = options.template == TEMPLATE and not TEMPLATE.exists()
    return is_example and not (options.collector or options.parameter or options.requests != REQUESTS)


def _report_recorded(options: argparse.Namespace) -> int:
    """Report on the recorded run; returns the exit status."""
    from lambda_latency.example import recorded_traces
    from lambda_latency.installing import install_command

    traces, day = recorded_traces()
    todo = "" if is_installed("local") else f" To run it here: {install_command('local')}."
    print(f"Nothing runs here: this is a recorded run of the example, {REQUESTS} requests of {day}.{todo}\n")
    return _reported(traces, REQUESTS, [], options)


def _notes(demo: Demo, requests: int, collector: str) -> Iterator[str]:
    if not demo.unwritten:
        yield f"Traces: {demo.traces}. Function output: {demo.log}."
    if demo.kinds:
        yield f"{requests} calls of {demo.kinds} kinds, {demo.failed} of them failed."
    if demo.sent == "collector":
        yield collector
    elif demo.sent == "endpoint":
        yield "No collector: spans went to an emulator of X-Ray's OTLP endpoint."
    elif demo.sent == "daemon":
        yield "No collector: spans went by UDP to an emulator of Lambda's X-Ray daemon."
    if not demo.complete:
        yield "Some invocations never ended: their spans are missing."


def _saying(address: str, stage: Callable[[str, int], None], *, quiet: bool) -> Callable[[str, int], None]:
    """Return a function that does the same as `stage`, and prints the page's address as soon as the system is up."""

    def announce(name: str, steps: int) -> None:
        if name == UP and address and not quiet:
            tell(f"Page until the demo ends: {address}")
        stage(name, steps)

    return announce


def _report(demo: Demo, notes: list[str], options: argparse.Namespace) -> int:
    status = _reported(demo.traces, options.requests, [] if options.quiet else notes, options)
    if demo.unwritten:
        warn(demo.unwritten)
    return status or (FINE if demo.complete and not demo.unwritten else FAILED)


def _reported(traces: Path, requests: int, notes: list[str], options: argparse.Namespace) -> int:
    """Report on traces, and write the page; returns the exit status. The verdict does not depend on the page."""
    from lambda_latency.cli.commands.report import run_report
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import ReportError, Traffic
    from lambda_latency.text import style_for

    request = Request(
        [traces],
        traffic=Traffic(requests),
        notes=notes,
        html=str(options.out / "report.html"),
        command="lambda-latency demo",
        analysis_options=provider_is_theirs(),
    )
    style = style_for(sys.stdout)
    try:
        _make(options.out)
        return run_report(request, style, sys.stdout)
    except ReportError as error:
        run_report(replace(request, html=None), style, sys.stdout)
        warn(str(error))
        return FAILED


def _make(folder: Path) -> None:
    from lambda_latency.latency import ReportError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{unwritable(folder, error)}; choose another folder with --out") from error


def _template(path: Path) -> Path:
    """Return the template of this folder; without one, that of the packaged example."""
    from lambda_latency.example import example_folder
    from lambda_latency.local import find_template

    template = find_template(path)
    if path != TEMPLATE or template.exists():
        return template
    return example_folder() / "template.yaml"
