"""The command line: what was asked for, and the rooms that do it. `--help` imports nothing but the standard library."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from otel.local.gateway import Answered
    from otel.local.system import System
    from otel.trace import Trace

__all__ = ["main"]

# An order that the template's own functions take; another template has its own idea of a request.
EXAMPLE = '{"customer": "me", "items": [{"sku": "tea", "quantity": 1, "unit_price": 350}], "payment_method": "card-ok"}'
DESCRIPTION = "Where does a slow Lambda request spend its time?"
EPILOG = """\
exit status: 0 fine, 1 failed, 2 usage, 130 Ctrl-C

  lambda-latency demo                        see it work: no AWS account, no Docker
  lambda-latency serve                       the same system, for your own requests
  lambda-latency demo --parameter Instrumentation=layer
                                             traced by the layer's own start-up
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    options = _parser().parse_args(arguments)
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
    from otel.latency.text import render_account, style_for
    from otel.local.collector import choose_collector
    from otel.local.demo import run_demo
    from otel.local.system import Options
    from otel.trace import read_traces

    collector = choose_collector(options.collector, options.template.resolve().parent)
    local = Options(options.template, dict(options.parameter), options.out, collector=collector)
    with _progress() as (stage, step):
        demo = run_demo(local, options.requests, options.seed, stage=stage, step=step)
    style = style_for(sys.stdout)
    if not demo.traced:
        print(_untraced([answer.ms for answer in demo.answers]))
        return 0
    reading = read_traces(demo.traces)
    notes = [
        f"Traces: {demo.traces}. As X-Ray has them: {demo.xray}. What the functions printed: {demo.log}.",
        collector.sentence,
    ]
    if not demo.complete:
        notes.append("Some invocations never ended: their spans are missing.")
    print(render_account(reading.traces, style, traffic=len(demo.answers), notes=notes))
    for problem in reading.problems:
        print(problem, file=sys.stderr)
    return 1 if reading.problems or not demo.complete else 0


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


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"must read NAME=VALUE, got {text!r}")
    return name, value
