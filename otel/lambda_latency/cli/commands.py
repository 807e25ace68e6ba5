"""The commands, wired: what was asked for goes to the rooms that do it. Each imports what it needs when it runs."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import importlib.util
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from lambda_latency.cli.report import Request
    from lambda_latency.fetch.asked import Asked, Place
    from lambda_latency.fetch.command import Account, Result
    from lambda_latency.latency import Traffic, Unknown
    from lambda_latency.local.gateway import Answered
    from lambda_latency.local.system import System
    from lambda_latency.trace import Trace

__all__ = ["demo", "fetch", "report", "serve"]

# Options of `report` that say what to fetch.
XRAY_ONLY = (
    "slower_than",
    "errors",
    "filter",
    "max",
    "out",
    "profile",
    "region",
    "endpoint_url",
    "dry_run",
)

# An order that the template's own functions take; another template has its own idea of a request.
EXAMPLE = '{"customer": "me", "items": [{"sku": "tea", "quantity": 1, "unit_price": 350}], "payment_method": "card-ok"}'


def demo(options: argparse.Namespace) -> int:
    """Run the whole system under a load, and report on it."""
    _needs_local()
    from lambda_latency.cli.report import Request, run_report
    from lambda_latency.latency import Traffic
    from lambda_latency.local.collector import choose_collector
    from lambda_latency.local.demo import run_demo
    from lambda_latency.local.system import Options
    from lambda_latency.text import style_for

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
        collector.sentence
        if ran.collected
        else "No collector: spans went by UDP to what stands for Lambda's X-Ray daemon.",
    ]
    if not ran.complete:
        notes.append("Some invocations never ended: their spans are missing.")
    request = Request(
        [ran.traces],
        traffic=Traffic(len(ran.answers)),
        notes=notes,
        html=str(options.out / "report.html"),
        command="lambda-latency demo",
    )
    status = run_report(request, style, sys.stdout)
    return status or int(not ran.complete)


def fetch(options: argparse.Namespace) -> int:
    """Fetch traces from X-Ray into a file."""
    if options.print_policy:
        return _print_policy()
    if options.out is None and not options.dry_run:
        return _usage("fetch needs a file to write to", "say --out FILE")
    from lambda_latency.fetch.command import Account

    asked = _asked(options)
    account = Account(_place(options))
    if options.dry_run:
        print(account.estimate(asked), end="")
        return 0
    result = account.fetch(asked, options.out, sys.stderr)
    print(result.told)
    _say_end(result)
    return result.status


def report(options: argparse.Namespace) -> int:
    """Report on trace files, or on what X-Ray has."""
    if options.print_policy:
        return _print_policy()
    if options.per_request and options.json is None:
        return _usage("--per-request goes with --json", "say --json FILE, or --json -")
    if options.trace and (options.against or options.fail_if or options.markdown):
        return _usage(
            "--trace shows one request, and does not go with --against, --fail-if or --markdown", "leave it out"
        )
    if options.json == options.markdown == "-":
        return _usage("--json - and --markdown - both print instead of the text", "name a file for one of them")
    if options.against is None and any(gate.what == "slower" for gate in options.fail_if):
        return _usage("--fail-if 'slower ...' goes with --against", "say --against BASELINE")
    if options.xray and options.sources:
        return _usage("a report is on files or on X-Ray, not on both", "leave out --xray, or the files")
    if options.xray:
        return _report_on_xray(options)
    alone = [name for name in XRAY_ONLY if getattr(options, name) not in (None, False)]
    if alone:
        return _usage(f"--{alone[0].replace('_', '-')} goes with --xray", "say report --xray")
    if not options.sources:
        return _usage("nothing to report on", "name a trace file or a folder, - for standard input, or say --xray")
    return _report(options, _request(options))


def _report_on_xray(options: argparse.Namespace) -> int:
    """Fetch into a file, which is kept only where somebody named it, and report on that."""
    from lambda_latency.fetch.command import Account, console
    from lambda_latency.trace import Source

    asked = _asked(options)
    account = Account(_place(options))
    if options.dry_run:
        print(account.estimate(asked), end="")
        return 0
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        path = options.out or Path(folder, "traces.jsonl")
        result = account.fetch(asked, path, sys.stderr)
        request = dataclasses.replace(
            _request(options),
            sources=[Source(result.source, path, whole=True)],
            since_ns=None if asked.trace_id else asked.since_ns,
            until_ns=None if asked.trace_id else asked.until_ns,
            traffic=_traffic(account, result, options),
            known=result.problems,
            notes=[note for note in (result.sentence, options.out and f"Traces: {options.out}.") if note],
            console=None if options.endpoint_url else console(result.region),
        )
        status = _report(options, request)
    _say_end(result)
    return 130 if result.status == 130 else status


def _traffic(account: Account, result: Result, options: argparse.Namespace) -> Traffic | Unknown:
    """How many requests there were, traced or not; or why that is not known."""
    from lambda_latency.fetch.errors import FetchError
    from lambda_latency.latency import Traffic, Unknown

    stages = [stage for stage in result.fetched.stages if stage]
    if options.filter or options.errors or options.slower_than is not None:
        return Unknown("cannot be told of a choice (--filter, --slower-than, --errors)")
    if result.fetched.cut or result.fetched.ended is not None:
        return Unknown("cannot be told: not all of the traces were fetched")
    if not stages:
        return Unknown("is not known: they did not come through API Gateway, which counts requests")
    try:
        counted = account.count(result)
    except FetchError as error:
        return Unknown(f"is not known: {error.what}")
    if counted.total is None:
        return Unknown(f"is not known: API Gateway's metric Count has nothing of {', '.join(stages)}")
    if options.route is None:
        beside = result.fetched.stages.get("", 0)
        return Traffic(counted.total, counted.by_route, counted.by_hour, beside)
    if options.route in counted.by_route:
        return Traffic(counted.by_route[options.route])
    return Unknown("is not known: API Gateway counts by route only with detailed metrics (MetricsEnabled)")


def _asked(options: argparse.Namespace) -> Asked:
    from lambda_latency.fetch.asked import resolve
    from lambda_latency.fetch.expression import expression

    trace_id = getattr(options, "trace", None)
    return resolve(
        options.since,
        options.until,
        now_ns=time.time_ns(),
        expression=expression(
            options.filter, slower_ns=options.slower_than, errors=options.errors, route=options.route
        ),
        most=options.max,
        trace_id=trace_id,
    )


def _place(options: argparse.Namespace) -> Place:
    from lambda_latency.fetch.asked import Place

    return Place(options.profile, options.region, options.endpoint_url)


def _print_policy() -> int:
    from lambda_latency.fetch.policy import policy

    print(policy())
    return 0


def _say_end(result: Result) -> None:
    """What ended a fetch early is said last, where it is seen."""
    if result.fetched.ended is not None and result.status != 130:
        print(f"lambda-latency: {result.fetched.ended}", file=sys.stderr)


def _request(options: argparse.Namespace) -> Request:
    from lambda_latency.cli.report import Request

    return Request(
        sources=options.sources,
        slow_ns=options.slow,
        since_ns=options.since,
        until_ns=options.until,
        route=options.route,
        trace_id=options.trace,
        json=options.json,
        html=options.html,
        markdown=options.markdown,
        against=options.against,
        fail_if=options.fail_if,
        per_request=options.per_request,
        problems=options.problems,
        everything=options.all,
        command=shlex.join(["lambda-latency", *options.typed]),
    )


def _report(options: argparse.Namespace, request: Request) -> int:
    from lambda_latency.cli.report import run_report
    from lambda_latency.cli.terminal import Bar, spooled
    from lambda_latency.text import style_for

    style = style_for(sys.stdout, ascii_only=options.ascii, colour=options.color)
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(contextlib.closing(Bar()))
        spool = functools.partial(spooled, stack)
        return run_report(request, style, sys.stdout, spool=spool, progress=bar, ready=bar.close, warn=_warn)


def serve(options: argparse.Namespace) -> int:
    """Keep the system up until Ctrl-C."""
    _needs_local()
    from lambda_latency.local.faults import Plan, read_plan
    from lambda_latency.local.record import readable
    from lambda_latency.local.serve import serve as keep_up
    from lambda_latency.local.system import Options

    plan = read_plan(options.faults) if options.faults else Plan()
    local = Options(options.template, dict(options.parameter), options.out, options.port, plan, built=options.built)
    keep_up(
        local, up=_say_up, show=_show_request, log=lambda name, line: print(f"{name}: {readable(line)}", flush=True)
    )
    return 0


def _say_up(system: System) -> None:
    print(f"{system.template.path} is up at {system.url}, traces go to {system.store.path}. Ctrl-C ends it.\n")
    for route in system.template.routes:
        print(f"  {route}")
    print(f"\n  curl -s {system.url}/orders -d '{EXAMPLE}'")
    print(f"  lambda-latency report --xray --endpoint-url {system.xray_url}\n", flush=True)


def _show_request(request: Answered, trace: Trace | None) -> None:
    from lambda_latency.latency import largest_part, timeout_of

    line = f"{request.route:<28} {request.status}  {request.duration_ns / 1e6:>9,.1f} ms"
    if trace is not None:
        part, ns = largest_part(trace)
        line += f"  {part} {ns / 1e6:,.1f} ms"
        timeout = timeout_of(trace)
        if timeout is not None:
            line += f"  timed out in {timeout.running}" if timeout.running else "  timed out"
            line += f" at {timeout.line.file}:{timeout.line.line}" if timeout.line is not None else ""
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


def _warn(text: str) -> None:
    print(f"lambda-latency: {text}", file=sys.stderr)


def _usage(what: str, todo: str) -> int:
    print(f"lambda-latency: {what}\n  {todo}", file=sys.stderr)
    return 2


def _fail(what: str, todo: str) -> NoReturn:
    print(f"lambda-latency: {what}\n  {todo}", file=sys.stderr)
    raise SystemExit(1)
