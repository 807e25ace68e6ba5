"""`lambda-latency demo`: the whole system under a load, and a report on it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import count, whole
from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.laptop import add_system_options, provider_is_theirs, require_local

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any, summary: str) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "demo",
        help=summary,
        description="Starts API Gateway, the template's functions, DynamoDB and a payments API on this machine, sends "
        "them a mixed load with a slow payments API, some throttles and one function timeout, and says where the "
        "time went.",
    )
    parser.add_argument("--requests", type=count, default=120, metavar="N", help="how many requests (default: 120)")
    parser.add_argument(
        "--collector",
        metavar="docker|PATH|none",
        help="which collector spans go through (default: what is there, of `make collector` or of Docker)",
    )
    parser.add_argument("--seed", type=whole, default=1, metavar="S", help="which load and which faults (default: 1)")
    add_system_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the whole system under a load, and report on it."""
    require_local()
    from lambda_latency.cli.report import Request, run_report
    from lambda_latency.latency import Traffic
    from lambda_latency.local import Options, choose_collector, run_demo
    from lambda_latency.text import style_for

    template = _template(options.template)
    collector = choose_collector(options.collector, template.resolve().parent)
    local = Options(template, dict(options.parameter), options.out, collector=collector)
    with _progress(quiet=options.quiet) as (stage, step):
        ran = run_demo(local, options.requests, options.seed, stage=stage, step=step)
    style = style_for(sys.stdout)
    if not ran.traced:
        print(_untraced([answer.ms for answer in ran.answers]))
        return FINE
    notes = [
        f"Traces: {ran.traces}. As X-Ray has them: {ran.xray}. What the functions printed: {ran.log}.",
        collector.sentence
        if ran.collected
        else "No collector: spans went by UDP to what stands for Lambda's X-Ray daemon.",
    ]
    if not ran.complete:
        notes.append("Some invocations never ended: their spans are missing.")
    request = Request(
        [ran.traces],
        traffic=Traffic(len(ran.answers)),
        notes=[] if options.quiet else notes,
        html=str(options.out / "report.html"),
        command="lambda-latency demo",
        terms=provider_is_theirs(),
    )
    status = run_report(request, style, sys.stdout)
    return status or (FINE if ran.complete else FAILED)


def _template(named: Path) -> Path:
    """The template of this folder where it is the example's, else that of the kit; any other template must be named."""
    from lambda_latency.example import example_folder
    from lambda_latency.local import find_template, is_example, read_source

    found = find_template(named)
    if named != Path("template.yaml") or (found.exists() and is_example(read_source(found))):
        return found
    return example_folder() / "template.yaml"


def _untraced(ms: list[float]) -> str:
    ordered = sorted(ms)
    p50, p95 = (ordered[max(0, -(-len(ordered) * q // 100) - 1)] for q in (50, 95))
    return (
        f"Tracing is off: {len(ms)} requests were served (p50 {p50:,.0f} ms, p95 {p95:,.0f} ms, "
        f"max {ordered[-1]:,.0f} ms, as the callers saw them), and no span was recorded."
    )


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[Callable[[str, int], None], Callable[[], None]]]:
    """A progress bar on stderr where that is a terminal: functions that name a stage and take a step in it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def stage(name: str, steps: int) -> None:
            nonlocal task
            progress.remove_task(task)  # one that has had a total cannot go back to having none
            task = progress.add_task(name, total=steps or None)

        yield stage, lambda: progress.advance(task)
