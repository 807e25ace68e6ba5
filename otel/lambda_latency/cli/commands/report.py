"""`lambda-latency report`: reports which part makes slow requests slow, from trace files or from X-Ray."""

from __future__ import annotations

import argparse
import contextlib
import functools
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import gate, ms
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, INTERRUPTED
from lambda_latency.cli.messages import usage, warn
from lambda_latency.cli.settings import BEGINNINGS, COLOURS, read_settings
from lambda_latency.cli.xray import (
    XRAY_ONLY,
    account_of,
    add_choice_options,
    add_xray_options,
    asked_for,
    print_estimate,
    print_policy,
    progress_of,
    warn_of_early_end,
)

if TYPE_CHECKING:
    from lambda_latency.cli.report import Request
    from lambda_latency.fetch import Account, Result
    from lambda_latency.latency import Terms, Traffic, Unknown

__all__ = ["add_parser", "run"]

EPILOG = f"""\
How time is counted: the report walks back from the end of the request. Of the
calls that started before the current instant and are not counted yet, the one
that ends last owns the time back to its start. A call is cut to its parent and
to that instant, and the same rule holds inside it. Time that no call covers is
the span's own. The parts of a request add up to its duration exactly.

{EXIT_STATUSES}
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "report",
        help=summary,
        usage="%(prog)s [OPTION ...] SOURCE ...\n       %(prog)s --xray [OPTION ...]",
        description="Reports which part makes slow requests slow, who owns it, and what to do about it. Reads OTLP "
        "(JSON, protobuf), Jaeger, Zipkin, Tempo, X-Ray's documents (aws xray batch-get-traces) and CloudWatch's "
        "aws/spans, recognized by content, plain, gzip or zstd; or, with --xray, the traces of an account in "
        "X-Ray.",
        epilog=EPILOG,
    )
    _add_input(parser.add_argument_group("input"))
    _add_filter(parser.add_argument_group("filter"))
    _add_output(parser.add_argument_group("output"))
    _add_gate(parser.add_argument_group("gate"))
    add_xray_options(parser.add_argument_group("account, with --xray"), "keep the fetched traces in this file")


def _add_input(group: Any) -> None:
    group.add_argument("sources", nargs="*", metavar="SOURCE", help="a file, a folder, a pattern, or - for stdin")
    group.add_argument(
        "--xray", action="store_true", help="fetch the traces of the last hour, or --since T, from X-Ray"
    )
    group.add_argument(
        "--ours",
        action="append",
        metavar="PATTERN",
        help="services, hosts and parts that are internal, such as '*.example.com'; may be repeated",
    )
    group.add_argument("--theirs", action="append", metavar="PATTERN", help="the same for external ones")
    group.add_argument(
        "--from",
        dest="from_",
        choices=BEGINNINGS,
        metavar="WHERE",
        help="a request begins at its root (default), or at Lambda's own spans (lambda)",
    )
    group.add_argument("--no-skew", action="store_true", help="do not correct clock differences between services")
    group.add_argument(
        "--follow-links", action="store_true", help="join traces that span links connect, with the waits between them"
    )


def _add_filter(group: Any) -> None:
    add_choice_options(group)
    group.add_argument(
        "--slow", type=ms, metavar="MS", help="requests over MS milliseconds are slow (default: over p95)"
    )
    group.add_argument("--trace", metavar="ID", help="draw the waterfall of one request, with its critical path")


def _add_output(group: Any) -> None:
    group.add_argument("--json", metavar="F", help="write the report as JSON too; - prints it instead of the text")
    group.add_argument(
        "--html", metavar="F", help="write the report as an HTML page too: one file, without network access"
    )
    group.add_argument("--open", action="store_true", help="open the page in the browser")
    group.add_argument(
        "--markdown", metavar="F", help="write the report as Markdown too, for a pull request; - prints it"
    )
    group.add_argument(
        "--flame", metavar="F", help="a flame graph of all critical paths: folded stacks; *.json: Perfetto, speedscope"
    )
    group.add_argument("--per-request", action="store_true", help="with --json: each request, its parts and its path")
    group.add_argument(
        "--what-if", action="store_true", help="print the largest possible saving of each of the largest parts"
    )
    group.add_argument(
        "--redact", action="store_true", help="replace names of services, hosts, tables and paths, and ids"
    )
    group.add_argument("--problems", action="store_true", help="list what was skipped and what is inconsistent")
    group.add_argument(
        "--all", action="store_true", help="print table and waterfall even if nothing stands out, and every stack frame"
    )
    group.add_argument("--ascii", action="store_true", help="print ASCII only")
    group.add_argument("--color", choices=COLOURS, metavar="WHEN", help="auto (default), always or never")


def _add_gate(group: Any) -> None:
    group.add_argument(
        "--against", metavar="BASELINE", help="report which part became slower or faster since these traces"
    )
    group.add_argument(
        "--fail-if",
        type=gate,
        action="append",
        metavar="EXPR",
        help="exit with status 3 if 'p95 > 800ms', 'errors > 5%%', 'share(external) > 60%%', or with --against "
        "'slower > 5%%'; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """Report on trace files, or on traces in X-Ray; returns the exit status."""
    if options.print_policy:
        return print_policy()
    wrong = _wrong(options)
    if wrong is not None:
        return usage(*wrong)
    try:
        settings = read_settings(Path.cwd())
    except ValueError as error:
        return usage(str(error), "correct it, or run the command in another folder")
    for name, value in settings._asdict().items():  # a setting is the default of its option
        if getattr(options, name, value) is None:
            setattr(options, name, value)
    if options.xray:
        return _report_on_xray(options)
    return _report(options, _request(options))


def _wrong(options: argparse.Namespace) -> tuple[str, str] | None:
    """The first conflict of options and its remedy; None if there is none."""
    if options.per_request and options.json is None:
        return "--per-request needs --json", "add --json FILE or --json -"
    if options.trace and (options.against or options.fail_if or options.markdown):
        return (
            "--trace shows one request and cannot be combined with --against, --fail-if or --markdown",
            "remove one of them",
        )
    if options.redact and (options.trace or options.route):
        return "--redact renames routes and traces and cannot be combined with --trace or --route", "remove one of them"
    return _wrong_output(options) or _wrong_input(options)


def _wrong_output(options: argparse.Namespace) -> tuple[str, str] | None:
    for name in ("html", "flame"):
        if getattr(options, name) == "-":
            return f"--{name} cannot print to standard output", "name a file"
    if options.json == options.markdown == "-":
        return "--json - and --markdown - both write to standard output", "name a file for one of them"
    if options.against is None and any(one.what == "slower" for one in options.fail_if or ()):
        return "--fail-if 'slower ...' needs --against", "add --against BASELINE"
    return None


def _wrong_input(options: argparse.Namespace) -> tuple[str, str] | None:
    if options.xray and options.sources:
        return "files and --xray cannot be combined", "remove --xray or the files"
    alone = [name for name in XRAY_ONLY if getattr(options, name) not in (None, False)]
    if alone and not options.xray:
        return f"--{alone[0].replace('_', '-')} needs --xray", "add --xray"
    if [*options.sources, options.against].count("-") > 1:
        return "standard input is named twice, and can be read once", "name a file for one of them"
    if options.since is not None and options.until is not None and options.since >= options.until:
        return (
            "--since must be before --until",
            "a duration is an age: --since 2h --until 1h is the hour before the last",
        )
    if not options.xray and not options.sources:
        return "there is no input", "name a trace file or a folder, use - for standard input, or add --xray"
    return None


def _report_on_xray(options: argparse.Namespace) -> int:
    """Fetch traces into a file, which is kept only with --out, and report on them."""
    import dataclasses
    import tempfile

    from lambda_latency.fetch import console
    from lambda_latency.trace import Source

    asked = asked_for(options)
    account = account_of(options)
    if options.dry_run:
        return print_estimate(account, asked, options.source or "")
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        path = options.out or Path(folder, "traces.jsonl")
        result = account.fetch(asked, path, progress_of(options), source=options.source or "")
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
    warn_of_early_end(result)
    return INTERRUPTED if result.status == INTERRUPTED else status


def _traffic(account: Account, result: Result, options: argparse.Namespace) -> Traffic | Unknown:
    """The number of requests, traced or not; or the reason why it is unknown."""
    from lambda_latency.fetch import FetchError
    from lambda_latency.latency import Traffic, Unknown

    stages = [stage for stage in result.fetched.stages if stage]
    if options.filter or options.errors or options.slower_than is not None:
        return Unknown("is unknown for a selection (--filter, --slower-than, --errors)")
    if result.fetched.cut or result.fetched.ended is not None:
        return Unknown("is unknown: not all traces were fetched")
    if not stages:
        return Unknown("is not known: they did not come through API Gateway, which counts requests")
    try:
        counted = account.count(result)
    except FetchError as error:
        return Unknown(f"is not known: {error.what}")
    if counted.total is None:
        return Unknown(f"is not known: API Gateway's metric Count has no data of {', '.join(stages)}")
    if options.route is None:
        beside = result.fetched.stages.get("", 0)
        return Traffic(counted.total, counted.by_route, counted.by_hour, beside)
    if options.route in counted.by_route:
        return Traffic(counted.by_route[options.route])
    return Unknown("is not known: API Gateway counts by route only with detailed metrics (MetricsEnabled)")


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
        flame=options.flame,
        against=options.against,
        fail_if=options.fail_if,
        per_request=options.per_request,
        problems=options.problems,
        everything=options.all,
        what_if=options.what_if,
        command=shlex.join(["lambda-latency", *options.typed]),
        terms=_terms(options),
        follow_links=options.follow_links,
        redact=options.redact,
    )


def _terms(options: argparse.Namespace) -> Terms:
    from lambda_latency.latency import Owners, Terms
    from lambda_latency.trace import View

    view = View(skew=not options.no_skew, from_lambda=options.from_ == "lambda")
    return Terms(view, Owners(tuple(options.ours), tuple(options.theirs)))


def _report(options: argparse.Namespace, request: Request) -> int:
    import dataclasses
    import tempfile
    import webbrowser

    if options.open and request.html is None:
        request = dataclasses.replace(
            request, html=str(Path(tempfile.mkdtemp(prefix="lambda-latency-"), "report.html"))
        )
    if options.quiet:
        request = dataclasses.replace(request, notes=[])
    status = _printed(options, request)
    if options.open and request.html is not None and Path(request.html).exists():
        webbrowser.open(Path(request.html).resolve().as_uri())
    return status


def _printed(options: argparse.Namespace, request: Request) -> int:
    from lambda_latency.cli.report import run_report
    from lambda_latency.cli.terminal import Bar, spooled
    from lambda_latency.text import style_for

    style = style_for(sys.stdout, ascii_only=options.ascii, colour=options.color)
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(contextlib.closing(Bar(quiet=options.quiet)))
        spool = functools.partial(spooled, stack)
        return run_report(request, style, sys.stdout, spool=spool, progress=bar, ready=bar.close, warn=warn)
