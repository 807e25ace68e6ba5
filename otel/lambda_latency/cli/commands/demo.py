"""`lambda-latency demo`: runs the whole system under a load, and reports on it."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import requests, whole
from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.laptop import (
    add_app_options,
    add_page_options,
    add_system_options,
    app_options,
    live_page,
    provider_is_theirs,
    read,
    require_local,
    tell,
)
from lambda_latency.cli.messages import usage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.local import Demo

UP = "warming up"  # the first stage in which the system runs


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "demo",
        help=summary,
        description="Starts API Gateway, the template's functions, DynamoDB and a payments API on this machine, sends "
        "them a mixed load with a slow payments API, some throttles and one function timeout, and reports where the "
        "time went. In the folder of another SAM app, calls that app instead: its example events (events/) and "
        "its GET routes.",
    )
    parser.add_argument("--requests", type=requests, default=150, metavar="N", help="number of requests (default: 150)")
    parser.add_argument(
        "--collector",
        metavar="docker|PATH|none",
        help="collector that receives the spans (default: the one of `make collector`, else Docker's)",
    )
    parser.add_argument(
        "--seed", type=whole, default=1, metavar="S", help="seed of the random load and faults (default: 1)"
    )
    parser.removed = {"--alarm": "`lambda-latency explain NAME` explains an alarm of an account"}
    parser.add_argument("--example", action="store_true", help="run the packaged example in any folder")
    add_page_options(parser, "while the demo runs")
    add_app_options(parser)
    add_system_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the whole system under a load, and report on it; returns the exit status."""
    require_local()
    from lambda_latency.local import choose_collector, run_demo

    app = read(_template(options.template, example=options.example), options)
    if options.collector and not app.is_example:
        return usage("--collector is for the packaged example", f"leave it out: {app.path} is another app")
    collector = choose_collector(options.collector, app.root)
    with (
        live_page(options, "traces.jsonl", knows_ends=False) as (observer, address),
        _progress(quiet=options.quiet) as (stage, step),
    ):
        said = _saying(address, stage, quiet=options.quiet)
        chosen = replace(app_options(options, "traces.jsonl", observer), collector=collector)
        ran = run_demo(app, chosen, options.requests, options.seed, stage=said, step=step, tell=tell)
    if not ran.traced:
        print(_untraced(ran.ms))
        return FINE
    return _report(ran, [*_notes(ran, options.requests, collector.sentence)], options)


def _notes(ran: Demo, requests: int, collector: str) -> Iterator[str]:
    xray = f" In X-Ray's format: {ran.xray}." if ran.xray else ""
    yield f"Traces: {ran.traces}.{xray} Function output: {ran.log}."
    if not ran.xray:
        yield f"{requests} calls of {ran.kinds} kinds, {ran.failed} of them failed."
    elif ran.sent == "collector":
        yield collector
    elif ran.sent == "endpoint":
        yield "No collector: spans went to an emulator of X-Ray's OTLP endpoint."
    else:
        yield "No collector: spans went by UDP to an emulator of Lambda's X-Ray daemon."
    if not ran.complete:
        yield "Some invocations never ended: their spans are missing."


def _saying(address: str, stage: Callable[[str, int], None], *, quiet: bool) -> Callable[[str, int], None]:
    """The same as `stage`; says the page's address as soon as the system is up."""

    def said(name: str, steps: int) -> None:
        if name == UP and address and not quiet:
            tell(f"Page until the demo ends: {address}")
        stage(name, steps)

    return said


def _report(ran: Demo, notes: list[str], options: argparse.Namespace) -> int:
    from lambda_latency.cli.commands.report import run_report
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import Traffic
    from lambda_latency.text import style_for

    request = Request(
        [ran.traces],
        traffic=Traffic(options.requests),
        notes=[] if options.quiet else notes,
        html=str(options.out / "report.html"),
        command="lambda-latency demo",
        terms=provider_is_theirs(),
    )
    status = run_report(request, style_for(sys.stdout), sys.stdout)
    return status or (FINE if ran.complete else FAILED)


def _template(named: Path, *, example: bool) -> Path:
    """The template of this folder; without one, that of the packaged example."""
    from lambda_latency.example import example_folder
    from lambda_latency.local import find_template

    found = find_template(named)
    if not example and (named != Path("template.yaml") or found.exists()):
        return found
    return example_folder() / "template.yaml"


def _untraced(ms: Sequence[float]) -> str:
    ordered = sorted(ms)
    p50, p95 = (ordered[max(0, -(-len(ordered) * q // 100) - 1)] for q in (50, 95))
    return (
        f"Tracing is off: {len(ms)} requests were served (p50 {p50:,.0f} ms, p95 {p95:,.0f} ms, "
        f"max {ordered[-1]:,.0f} ms, as the callers saw them), and no span was recorded."
    )


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[Callable[[str, int], None], Callable[[], None]]]:
    """A progress bar on stderr, if that is a terminal; yields a function that starts a stage and one that steps."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def stage(name: str, steps: int) -> None:
            nonlocal task
            progress.remove_task(task)  # a task's total cannot be reset to None
            task = progress.add_task(name, total=steps or None)

        yield stage, lambda: progress.advance(task)
