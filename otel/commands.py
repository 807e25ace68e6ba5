"""The commands, wired: what was asked for goes to the rooms that do it. Each imports what it needs when it runs."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from otel.local.gateway import Answered
    from otel.local.system import System
    from otel.trace import Trace

__all__ = ["demo", "report", "serve"]

# An order that the template's own functions take; another template has its own idea of a request.
EXAMPLE = '{"customer": "me", "items": [{"sku": "tea", "quantity": 1, "unit_price": 350}], "payment_method": "card-ok"}'


def demo(options: argparse.Namespace) -> int:
    """Run the whole system under a load, and report on it."""
    _needs_local()
    from otel.latency.command import Request, run_report
    from otel.latency.text import style_for
    from otel.local.collector import choose_collector
    from otel.local.demo import run_demo
    from otel.local.system import Options

    collector = choose_collector(options.collector, options.template.resolve().parent)
    local = Options(options.template, dict(options.parameter), options.out, collector=collector)
    with _progress() as (stage, step):
        ran = run_demo(local, options.requests, options.seed, stage=stage, step=step)
    style = style_for(sys.stdout)
    if not ran.traced:
        print(_untraced([answer.ms for answer in ran.answers]))
        return 0
    notes = [
        f"Traces: {ran.traces}. As X-Ray has them: {ran.xray}. What the functions printed: {ran.log}.",
        collector.sentence,
    ]
    if not ran.complete:
        notes.append("Some invocations never ended: their spans are missing.")
    request = Request([ran.traces], traffic=len(ran.answers), notes=notes, command="lambda-latency demo")
    status = run_report(request, style, sys.stdout)
    return status or int(not ran.complete)


def report(options: argparse.Namespace) -> int:
    """Report on trace files."""
    from otel.latency.command import Request, run_report
    from otel.latency.terminal import progress, spooled
    from otel.latency.text import style_for

    request = Request(
        sources=options.sources,
        slow_ns=options.slow,
        since_ns=options.since,
        until_ns=options.until,
        route=options.route,
        trace_id=options.trace,
        json=options.json,
        per_request=options.per_request,
        problems=options.problems,
        everything=options.all,
        command=shlex.join(["lambda-latency", *options.typed]),
    )
    if options.per_request and options.json is None:
        print("lambda-latency: --per-request goes with --json\n  say --json FILE, or --json -", file=sys.stderr)
        return 2
    style = style_for(sys.stdout, ascii_only=options.ascii, colour=options.color)
    with contextlib.ExitStack() as stack:
        step, ready = progress(stack)
        return run_report(request, style, sys.stdout, spool=lambda: spooled(stack), step=step, ready=ready)


def serve(options: argparse.Namespace) -> int:
    """Keep the system up until Ctrl-C."""
    _needs_local()
    from otel.local.faults import Plan, read_plan
    from otel.local.serve import serve as keep_up
    from otel.local.system import Options

    plan = read_plan(options.faults) if options.faults else Plan()
    local = Options(options.template, dict(options.parameter), options.out, options.port, plan)
    keep_up(local, up=_say_up, show=_show_request, log=lambda name, line: print(f"{name}: {line}", flush=True))
    return 0


def _say_up(system: System) -> None:
    print(f"{system.template.path} is up at {system.url}, traces go to {system.store.path}. Ctrl-C ends it.\n")
    for route in system.template.routes:
        print(f"  {route}")
    print(f"\n  curl -s {system.url}/orders -d '{EXAMPLE}'\n", flush=True)


def _show_request(request: Answered, trace: Trace | None) -> None:
    from otel.latency import largest_part

    line = f"{request.route:<28} {request.status}  {request.duration_ns / 1e6:>9,.1f} ms"
    if trace is not None:
        part, ns = largest_part(trace)
        line += f"  {part} {ns / 1e6:,.1f} ms"
    elif not request.sampled:
        line += "  not sampled"
    print(line, flush=True)


def _untraced(ms: list[float]) -> str:
    ordered = sorted(ms)
    p50, p95 = (ordered[max(0, -(-len(ordered) * q // 100) - 1)] for q in (50, 95))
    return (
        f"Tracing is off: {len(ms)} requests were served (p50 {p50:,.0f} ms, p95 {p95:,.0f} ms, "
        f"max {ordered[-1]:,.0f} ms, as the callers saw them), and no span was recorded."
    )


@contextlib.contextmanager
def _progress() -> Iterator[tuple[Callable[[str, int], None], Callable[[], None]]]:
    """A progress bar on stderr where that is a terminal: functions that name a stage and take a step in it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def stage(name: str, steps: int) -> None:
            nonlocal task
            progress.remove_task(task)  # one that has had a total cannot go back to having none
            task = progress.add_task(name, total=steps or None)

        yield stage, lambda: progress.advance(task)


def _needs_local() -> None:
    """What runs the system is an extra: reading traces needs none of it."""
    if sys.platform != "linux":
        _fail("the local system needs Linux (on Windows: WSL)", "AWS's runtime client for Python runs nowhere else")
    missing = [name for name in ("samcli", "awslambdaric", "moto") if importlib.util.find_spec(name) is None]
    if missing:
        _fail(
            f"the local system needs {', '.join(missing)}", "pip install 'lambda-latency[local]', or `make setup` here"
        )


def _fail(what: str, todo: str) -> NoReturn:
    print(f"lambda-latency: {what}\n  {todo}", file=sys.stderr)
    raise SystemExit(1)
