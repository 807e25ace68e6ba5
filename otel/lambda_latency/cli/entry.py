"""The command line: what may be asked for. `--help` imports nothing but the standard library."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from lambda_latency.cli import commands

__all__ = ["main"]

DESCRIPTION = "Where does a slow Lambda request spend its time?"
EXIT_STATUS = (
    "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a gate says no (--fail-if),\n"
    "4 reported but something was skipped, 130 Ctrl-C"
)
EPILOG = f"""\
{EXIT_STATUS}

  lambda-latency demo                        see it work: no AWS account, no Docker
  lambda-latency report traces.jsonl         which part is slow, and whose it is
  lambda-latency report --xray --since 24h   the same of an AWS account as it is
  lambda-latency serve                       the same system, for your own requests
  lambda-latency demo --parameter Instrumentation=layer
                                             traced by the layer's own start-up
"""
REPORT_EPILOG = f"""\
How time is counted: walk back from the end of the request; at each instant, among
the calls that are still unaccounted for and start before it, the one that ends last,
cut to its parent and to that instant, owns the time back to its start, and so on
inside it; what no call covers is the span's own. The parts of a request add up to
its wall clock to the nanosecond.

{EXIT_STATUS}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. While it runs, SIGTERM ends it as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        return _run(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(arguments: Sequence[str] | None) -> int:
    typed = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(typed)
    options.typed = typed
    run = {"demo": commands.demo, "fetch": commands.fetch, "report": commands.report, "serve": commands.serve}[
        options.command
    ]
    try:
        return run(options)
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
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    demo = subparsers.add_parser(
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
    demo.set_defaults(command="demo")
    _report_options(subparsers)
    _fetch_options(subparsers)
    serve = subparsers.add_parser(
        "serve",
        help="keep the system up for your own requests",
        description="The same system, kept up until Ctrl-C. Prints each request as it ends, with the part that took "
        "longest, and uses changed code from the next request on. What the template's sampling rule picks is traced: "
        "one request a second and 5 % of the others, unless TracesPerSecond and SampleRate say something else.",
    )
    serve.add_argument("--port", type=_port, default=3000, metavar="P", help="of 127.0.0.1 (default: 3000; 0: any)")
    serve.add_argument("--faults", type=Path, metavar="PLAN", help="a JSON file: what to make slow, where, how often")
    serve.add_argument(
        "--built", action="store_true", help="run what `make build` made, from read-only folders as on Lambda"
    )
    _system_options(serve)
    serve.set_defaults(command="serve")
    return parser


def _report_options(subparsers: Any) -> None:
    report = subparsers.add_parser(
        "report",
        help="say which part of slow requests is slow, from any trace file or from X-Ray",
        description="Says which part makes slow requests slow, whose it is, and what to do about it.\n"
        "Reads OTLP/JSON, Jaeger JSON and X-Ray's documents (aws xray batch-get-traces), known\n"
        "by their content, plain or gzip; or, with --xray, what X-Ray has of an account.",
        epilog=REPORT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("sources", nargs="*", metavar="SOURCE", help="a file, a folder, a pattern, or - for stdin")
    report.add_argument(
        "--xray", action="store_true", help="fetch the traces from X-Ray, of the last hour or --since T"
    )
    report.add_argument("--slow", type=_ms, metavar="MS", help="slow is over MS milliseconds (default: over p95)")
    _choice(report)
    report.add_argument("--trace", metavar="ID", help="the waterfall of one request, the critical path filled")
    report.add_argument("--json", metavar="F", help="write the report as JSON too; - prints it instead of the text")
    report.add_argument("--html", metavar="F", help="write the report as a page too: one file, which needs no network")
    report.add_argument(
        "--markdown", metavar="F", help="write the report as Markdown too, for a pull request; - prints it"
    )
    report.add_argument("--against", metavar="BASELINE", help="which part became slower or faster since these traces")
    report.add_argument(
        "--fail-if",
        type=_gate,
        action="append",
        default=[],
        metavar="EXPR",
        help="exit status 3 if 'p95 > 800ms', 'share(external) > 60%%', or with --against 'slower > 5%%'",
    )
    report.add_argument("--per-request", action="store_true", help="with --json: each request, its parts and its path")
    report.add_argument("--problems", action="store_true", help="name what was skipped and what does not fit")
    report.add_argument("--all", action="store_true", help="table and waterfall even where nothing stands out")
    report.add_argument("--ascii", action="store_true", help="no letter beyond ASCII")
    report.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", metavar="WHEN", help="auto, always or never"
    )
    _xray_options(report.add_argument_group("with --xray"), "keep what was fetched in this file")
    report.set_defaults(command="report")


def _fetch_options(subparsers: Any) -> None:
    fetch = subparsers.add_parser(
        "fetch",
        help="fetch traces from X-Ray into a file that report reads",
        description="Fetches traces from X-Ray into a file of JSON lines that `report` reads: of the last hour or of "
        "any time, each once, with the throttles, pages and limits of X-Ray's API taken care of.",
        epilog=EXIT_STATUS,
    )
    _choice(fetch)
    _xray_options(fetch, "the file to write")
    fetch.set_defaults(command="fetch")


def _choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_instant, metavar="T", help="requests from T on: 2026-11-25T08:00:00Z, or 24h")
    parser.add_argument("--until", type=_instant, metavar="T", help="requests before T")
    parser.add_argument("--route", metavar="R", help='requests of one route, such as "POST /orders"')


def _xray_options(options: Any, out: str) -> None:
    """What `commands.XRAY_ONLY` names, too."""
    options.add_argument("--slower-than", type=_ms, metavar="MS", help="only requests that took over MS milliseconds")
    options.add_argument("--errors", action="store_true", help="only requests that were answered with 4xx or 5xx")
    options.add_argument("--filter", metavar="EXPR", help="only traces that match one of X-Ray's filter expressions")
    options.add_argument("--max", type=_count, metavar="N", help="at most N traces, the newest")
    options.add_argument("--out", type=Path, metavar="FILE", help=out)
    options.add_argument("--profile", metavar="P", help="a profile of the AWS configuration")
    options.add_argument("--region", metavar="R", help="the region whose X-Ray is asked")
    options.add_argument("--endpoint-url", metavar="U", help="where X-Ray and CloudWatch are, if not at AWS")
    options.add_argument("--dry-run", action="store_true", help="say how many calls it takes and what X-Ray charges")
    options.add_argument("--print-policy", action="store_true", help="print the least IAM policy for it")


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

    from lambda_latency.latency import instant

    try:
        return instant(text, time.time_ns())
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _gate(text: str) -> Any:
    from lambda_latency.latency import read_gate

    try:
        return read_gate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"must read NAME=VALUE, got {text!r}")
    return name, value
