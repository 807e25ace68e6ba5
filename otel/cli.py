"""The command line: what was asked for, and the rooms that do it. `--help` imports nothing but the standard library."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from otel.local.gateway import Answered
    from otel.local.system import System
    from otel.trace import Trace

__all__ = ["main"]

# An order that the template's own functions take; another template has its own idea of a request.
EXAMPLE = '{"customer": "me", "items": [{"sku": "tea", "quantity": 1, "unit_price": 350}], "payment_method": "card-ok"}'
DESCRIPTION = "Where does a slow Lambda request spend its time?"
EPILOG = """\
exit status: 0 fine, 1 failed or nothing readable, 2 usage, 4 reported but something was skipped, 130 Ctrl-C

  lambda-latency demo                        see it work: no AWS account, no Docker
  lambda-latency report traces.jsonl         which part is slow, and whose it is
  lambda-latency serve                       the same system, for your own requests
  lambda-latency demo --parameter Instrumentation=layer
                                             traced by the layer's own start-up
"""
REPORT_EPILOG = """\
How time is counted: walk back from the end of the request; at each instant, among the calls that are still
unaccounted for and start before it, the one that ends last, cut to its parent and to that instant, owns the time
back to its start, and so on inside it; what no call covers is the span's own. The parts of a request add up to
its wall clock to the nanosecond.

exit status: 0 fine, 1 failed or nothing readable, 2 usage, 4 reported but something was skipped, 130 Ctrl-C
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    typed = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(typed)
    options.typed = typed
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough of it. Nothing more can be said there, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        status = getattr(error, "exit_status", None)
        if status is None:
            raise
        print(f"lambda-latency: {error}", file=sys.stderr)
        return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lambda-latency", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo",
        help="run the traced system on this machine and see where its requests spend their time",
        description="Starts API Gateway, the template's functions, DynamoDB and a payments API on this machine, sends "
        "them a mixed load with a slow payments API, some throttles and one function timeout, and says where the "
        "time went.",
    )
    demo.add_argument("--requests", type=_count, default=120, metavar="N", help="how many requests (default: 120)")
    demo.add_argument(
        "--collector",
        metavar="docker|PATH|none",
        help="which collector spans go through (default: what is there, of `make collector` or of Docker)",
    )
    demo.add_argument("--seed", type=int, default=1, metavar="S", help="which load and which faults (default: 1)")
    _system_options(demo)
    demo.set_defaults(run=_demo)
    _report_options(commands)
    serve = commands.add_parser(
        "serve",
        help="keep the system up for your own requests",
        description="The same system, kept up until Ctrl-C. Prints each request as it ends, with the part that took "
        "longest, and uses changed code from the next request on. One request a second and 5 % of the others are "
        "traced, as X-Ray does by default.",
    )
    serve.add_argument("--port", type=_port, default=3000, metavar="P", help="of 127.0.0.1 (default: 3000; 0: any)")
    serve.add_argument("--faults", type=Path, metavar="PLAN", help="a JSON file: what to make slow, where, how often")
    _system_options(serve)
    serve.set_defaults(run=_serve)
    return parser


def _report_options(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="say which part of slow requests is slow, from any trace file",
        description="Says which part makes slow requests slow, whose it is, and what to do about it. Reads OTLP/JSON, "
        "Jaeger JSON and X-Ray's documents (aws xray batch-get-traces), known by their content, plain or gzip.",
        epilog=REPORT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("sources", nargs="+", metavar="SOURCE", help="a file, a folder, a pattern, or - for stdin")
    report.add_argument("--slow", type=_ms, metavar="MS", help="slow is over MS milliseconds (default: over p95)")
    report.add_argument("--since", type=_instant, metavar="T", help="requests from T on: 2026-11-25T08:00:00Z, or 24h")
    report.add_argument("--until", type=_instant, metavar="T", help="requests before T")
    report.add_argument("--route", metavar="R", help='requests of one route, such as "POST /orders"')
    report.add_argument("--trace", metavar="ID", help="the waterfall of one request, the critical path filled")
    report.add_argument("--json", metavar="F", help="write the report as JSON too; - prints it instead of the text")
    report.add_argument("--per-request", action="store_true", help="with --json: each request, its parts and its path")
    report.add_argument("--problems", action="store_true", help="name what was skipped and what does not fit")
    report.add_argument("--all", action="store_true", help="table and waterfall even where nothing stands out")
    report.add_argument("--ascii", action="store_true", help="no letter beyond ASCII")
    report.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", metavar="WHEN", help="auto, always or never"
    )
    report.set_defaults(run=_report)


def _system_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where traces go (default: out)")
    parser.add_argument(
        "--template", type=Path, default=Path("template.yaml"), metavar="FILE", help="default: template.yaml"
    )
    parser.add_argument(
        "--parameter",
        type=_parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template, such as Tracing=Off or Instrumentation=layer; may be repeated",
    )


def _demo(options: argparse.Namespace) -> int:
    _needs_local()
    from otel.latency.command import Request, run_report
    from otel.latency.text import style_for
    from otel.local.collector import choose_collector
    from otel.local.demo import run_demo
    from otel.local.system import Options

    collector = choose_collector(options.collector, options.template.resolve().parent)
    local = Options(options.template, dict(options.parameter), options.out, collector=collector)
    with _progress() as (stage, step):
        demo = run_demo(local, options.requests, options.seed, stage=stage, step=step)
    style = style_for(sys.stdout)
    if not demo.traced:
        print(_untraced([answer.ms for answer in demo.answers]))
        return 0
    notes = [
        f"Traces: {demo.traces}. As X-Ray has them: {demo.xray}. What the functions printed: {demo.log}.",
        collector.sentence,
    ]
    if not demo.complete:
        notes.append("Some invocations never ended: their spans are missing.")
    request = Request([demo.traces], traffic=len(demo.answers), notes=notes, command="lambda-latency demo")
    status = run_report(request, style, sys.stdout)
    return status or int(not demo.complete)


def _report(options: argparse.Namespace) -> int:
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


def _serve(options: argparse.Namespace) -> int:
    _needs_local()
    from otel.local.faults import Plan, read_plan
    from otel.local.serve import serve
    from otel.local.system import Options

    plan = read_plan(options.faults) if options.faults else Plan()
    local = Options(options.template, dict(options.parameter), options.out, options.port, plan)
    serve(local, up=_say_up, show=_show_request, log=lambda name, line: print(f"{name}: {line}", flush=True))
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


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {count}")
    return count


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"must be between 0 and 65535, got {port}")
    return port


def _ms(text: str) -> int:
    try:
        ns = round(float(text) * 1_000_000)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be milliseconds, got {text!r}") from None
    if ns < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return ns


def _instant(text: str) -> int:
    import time

    from otel.latency.command import instant

    try:
        return instant(text, time.time_ns())
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"must read NAME=VALUE, got {text!r}")
    return name, value
