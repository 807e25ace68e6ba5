"""`lambda-latency report`: reports which part makes slow requests slow, from files, an archive or an account.

`run_report` is the way of every report: source -> accounts -> report -> outputs.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lambda_latency.cli.exit_statuses import (
    DISTURBED,
    EXIT_STATUSES,
    FAILED,
    FINE,
    GATE_FAILED,
    GATE_UNSURE,
    INTERRUPTED,
    SOMETHING_SKIPPED,
)
from lambda_latency.cli.messages import usage, warn
from lambda_latency.cli.report_options import add_report_options, conflict_of, request_of
from lambda_latency.cli.settings import settings_of
from lambda_latency.cli.xray import account_of, asked_for, fetched, print_estimate, print_policy, warn_of_early_end

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lambda_latency.cli.inputs import Input
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import Accounts, Against, Judged, Progress, Report
    from lambda_latency.text import Style

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
    add_report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Report on trace files, on an archive, or on traces in X-Ray; returns the exit status."""
    if options.print_policy:
        return print_policy()
    wrong = conflict_of(options)
    if wrong is not None:
        return usage(*wrong)
    for name, value in settings_of(options)._asdict().items():  # a setting is the default of its option
        if getattr(options, name, value) is None:
            setattr(options, name, value)
    if options.dry_run:
        return print_estimate(account_of(options), asked_for(options), options.source or "")

    from lambda_latency.cli.terminal import Bar
    from lambda_latency.text import style_for

    request, result = request_of(options), None
    with contextlib.ExitStack() as stack:
        if options.xray:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lambda-latency-"))
            request, result = fetched(request, options, Path(folder))
        style = style_for(sys.stdout, ascii_only=options.ascii, colour=options.color)
        bar = stack.enter_context(contextlib.closing(Bar(quiet=options.quiet)))
        status = run_report(request, style, sys.stdout, bar)
    if options.open and request.html is not None and Path(request.html).exists():
        import webbrowser

        webbrowser.open(Path(request.html).resolve().as_uri())
    if result is not None:
        warn_of_early_end(result)
        return INTERRUPTED if result.status == INTERRUPTED else status
    return status


def run_report(request: Request, style: Style, out: TextIO, progress: Progress | None = None) -> int:
    """Read the sources, judge them and write the report; returns the exit status.

    `progress` is closed before the first line of output. The reason of a failed gate or of an empty report goes to
    stderr. Raises `ReportError` if the requested route, trace, attribute or baseline does not exist, or if a file
    cannot be written.
    """
    from lambda_latency.cli.inputs import open_input, read_baseline
    from lambda_latency.cli.terminal import spooled
    from lambda_latency.cli.writing import check_files, write_report
    from lambda_latency.latency import SILENT, of_route, of_time, report_of

    progress = progress or SILENT
    check_files(request)
    with _without_collections(), contextlib.ExitStack() as stack:
        spool = partial(spooled, stack)
        if request.redact or request.follow_links:
            from lambda_latency.cli.rewriting import rewritten

            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lambda-latency-"))
            request = rewritten(request, Path(folder), spool)
        opened = open_input(request, spool, progress)
        if request.trace_id is not None:
            return _draw_trace(request.trace_id, request, opened, style, out, progress)
        every = opened.accounts()
        baseline = read_baseline(request, spool, progress)
        owners = request.terms.owners.settle(every, baseline.accounts, *opened.others)
        accounts = of_time(of_route(every, request.route), request.since_ns, request.until_ns)
        before = of_route(baseline.accounts, request.route)
        progress.close()
        report = report_of(
            accounts,
            opened.find,
            slow_ns=request.slow_ns,
            problems=[*opened.problems, *baseline.problems],
            sources=sorted(opened.names),
            traffic=request.traffic,
            notes=[*request.notes, *([f"Page: {request.html}."] if request.html else [])],
            against=_against(accounts, before, baseline.names) if before else None,
            owners=owners,
            baseline=before or None,
            spans=opened.spans,
            by=request.by,
            find_before=baseline.find,
        )
        judged = [gate.judge(report) for gate in request.fail_if]
        write_report(report, request, style, judged, opened.find, out, opened.spans)
    return _status(report, judged)


def _against(now: Accounts, before: Accounts, sources: Sequence[str]) -> Against:
    from lambda_latency.latency import against  # most reports have no baseline

    return against(now, before, sources)


def _draw_trace(trace_id: str, request: Request, opened: Input, style: Style, out: TextIO, progress: Progress) -> int:
    """Draw the waterfall of the requested trace, and its page. Raises `ReportError` if it is not in the input."""
    from lambda_latency.cli.unread import unread
    from lambda_latency.cli.writing import write_page
    from lambda_latency.latency import Accounts, ReportError, account, report_of
    from lambda_latency.text import render_waterfall
    from lambda_latency.trace import trace_id_of

    wanted = trace_id_of(trace_id)
    traces = opened.find([wanted])
    if wanted not in traces:
        if not opened.accounts():
            raise ReportError(unread(opened.problems, opened.names))
        raise ReportError(f"no trace {trace_id} in the input", "the report's JSON lists the ids (--json -)")
    progress.close()
    trace = traces[wanted]
    if request.html is not None:
        accounts = Accounts([account(trace, request.terms)])
        owners = request.terms.owners.settle(accounts)
        report = report_of(accounts, lambda _: traces, problems=trace.problems, sources=opened.names, owners=owners)
        write_page(request.html, report, request, lambda _: traces)
    if request.brief:
        from lambda_latency.agent import trace_brief

        out.write(trace_brief(trace, request.terms.owners, request.proof))
        return FINE
    out.write(render_waterfall(trace, style, owners=request.terms.owners))
    return FINE


def _status(report: Report, judged: Sequence[Judged]) -> int:
    """0 fine; 1 nothing readable; 3 a gate failed; 5 a gate is unsure, 6 disturbed; 4 something was skipped.

    The reasons of all but 4 go to stderr.
    """
    if not report.totals.requests:
        from lambda_latency.cli.unread import unread

        warn(unread(report.problems, report.sources))
        return FAILED
    for one in judged:
        if one.failed or one.unsure or one.disturbed:
            warn(one.sentence)
    if any(one.failed for one in judged):
        return GATE_FAILED
    if any(one.unsure for one in judged):
        return GATE_UNSURE
    if any(one.disturbed for one in judged):
        return DISTURBED
    return SOMETHING_SKIPPED if any(one.effect == "skipped" for one in report.problems) else FINE


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """A report has many objects without reference cycles: collections would only take time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
