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
    FAILED,
    FINE,
    GATE_FAILED,
    GATE_UNSURE,
    INTERRUPTED,
    SOMETHING_SKIPPED,
)
from lambda_latency.cli.messages import usage, warn
from lambda_latency.cli.report_options import add_report_options, conflict_of, request_of
from lambda_latency.cli.settings import add_settings
from lambda_latency.cli.xray import explain_alarm, fetch_traces, warn_of_early_end

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lambda_latency.cli.inputs import Input
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import Judged, Progress, Report
    from lambda_latency.text import Style

EPILOG = """\
How time is counted: the report walks back from the end of the request. Of the
calls that started before the current instant and are not counted yet, the one
that ends last owns the time back to its start. A call is cut to its parent and
to that instant, and the same rule holds inside it. Time that no call covers is
the span's own. The parts of a request add up to its duration exactly.

exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a --fail-if
condition was met, 4 reported but something was skipped, 5 the traces cannot
decide a condition, 6 nor can they, because the machine disturbed everything
alike (3 beats 5 beats 6 beats 4), 130 Ctrl-C
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "report",
        help=summary,
        usage="%(prog)s [OPTION ...] SOURCE ...\n       %(prog)s --xray [OPTION ...]\n       %(prog)s --alarm NAME",
        description="Reports which part makes slow requests slow, who owns it, and what to do about it. Reads OTLP "
        "(JSON, protobuf), Jaeger, Zipkin, Tempo, X-Ray's documents (aws xray batch-get-traces) and CloudWatch's "
        "aws/spans, recognized by content, plain, gzip or zstd; or, with --xray, the traces of an account in "
        "X-Ray; or, with --alarm, those of the window of a CloudWatch alarm.",
        epilog=EPILOG,
    )
    add_report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Report on trace files, on an archive, on traces in X-Ray, or on an alarm; returns the exit status."""
    if (wrong := conflict_of(options)) is not None:
        return usage(*wrong)
    if options.alarm is not None:
        return explain_alarm(options)
    add_settings(options)

    from lambda_latency.cli.terminal import ProgressBar
    from lambda_latency.latency import Unknown
    from lambda_latency.text import style_for

    request, result = request_of(options), None
    with contextlib.ExitStack() as stack:
        if options.xray:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lambda-latency-"))
            request, result = fetch_traces(request, options, Path(folder))
        style = style_for(sys.stdout, colour=options.color)
        bar = stack.enter_context(contextlib.closing(ProgressBar(quiet=options.quiet)))
        status = run_report(request, style, sys.stdout, bar)
    if result is not None:
        warn_of_early_end(result)
        if result.status == INTERRUPTED:
            return INTERRUPTED
        if status == FINE and isinstance(request.traffic, Unknown) and request.traffic.is_refused:
            return SOMETHING_SKIPPED
    return status


def run_report(request: Request, style: Style, out: TextIO, progress: Progress | None = None) -> int:
    """Read the sources, judge them and write the report; returns the exit status.

    `progress` is closed before the first line of output. The reason of a failed gate or of an empty report goes to
    stderr. Raises `ReportError` if the requested route, trace, attribute or baseline does not exist, or if a file
    cannot be written.
    """
    from lambda_latency import latency
    from lambda_latency.cli.inputs import open_input, read_baseline, rewritten
    from lambda_latency.cli.terminal import spooled
    from lambda_latency.cli.writing import check_files, write_report
    from lambda_latency.latency import SILENT, of_route, of_time, report_of

    progress = progress or SILENT
    check_files(request)
    with _without_collections(), contextlib.ExitStack() as stack:
        spool = partial(spooled, stack)
        if request.redact or request.follow_links:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lambda-latency-"))
            request = rewritten(request, Path(folder), spool)
        opened = open_input(request, spool, progress)
        if request.trace_id is not None:
            return _draw_trace(request.trace_id, request, opened, style, out, progress)
        all_accounts = opened.breakdowns()
        baseline = read_baseline(request, spool, progress)
        owners = request.analysis_options.owners.settle(all_accounts, baseline.breakdowns, *opened.others)
        accounts = of_time(of_route(all_accounts, request.route), request.since_ns, request.until_ns)
        earlier = of_route(baseline.breakdowns, request.route)
        progress.close()
        report = report_of(
            accounts,
            opened.find,
            slow_ns=request.slow_ns,
            problems=[*opened.problems, *baseline.problems],
            sources=sorted(opened.names),
            traffic=request.traffic,
            notes=[*request.notes, *([f"Page: {request.html}."] if request.html else [])],
            against=latency.against(accounts, earlier, baseline.names) if earlier else None,
            owners=owners,
            baseline=earlier or None,
            spans=opened.spans,
            by=request.by,
            find_before=baseline.find,
        )
        judged = [gate.judge(report) for gate in request.fail_if]
        write_report(report, request, style, judged, opened.find, out, opened.spans)
    return _status(report, judged)


def _draw_trace(trace_id: str, request: Request, opened: Input, style: Style, out: TextIO, progress: Progress) -> int:
    """Draw the waterfall of the requested trace, and its page. Raises `ReportError` if it is not in the input."""
    from lambda_latency.cli.inputs import unread
    from lambda_latency.cli.writing import broken_traces, write_page
    from lambda_latency.latency import Breakdowns, ReportError, breakdown_of, report_of
    from lambda_latency.text import render_waterfall
    from lambda_latency.trace import trace_id_of

    full_id = trace_id_of(trace_id)
    traces = opened.find([full_id])
    if full_id not in traces:
        if not opened.breakdowns():
            raise ReportError(unread(opened.problems, opened.names))
        raise ReportError(f"no trace {trace_id} in the input", "the report's JSON lists the ids (--all --format json)")
    progress.close()
    trace = traces[full_id]
    if request.html is not None:
        accounts = Breakdowns([breakdown_of(trace, request.analysis_options)])
        owners = request.analysis_options.owners.settle(accounts)
        report = report_of(accounts, lambda _: traces, problems=trace.problems, sources=opened.names, owners=owners)
        write_page(request.html, report, request, lambda _: traces)
    if request.brief:
        from lambda_latency.agent import trace_brief

        out.write(trace_brief(trace, request.analysis_options.owners, request.proof))
        return FINE
    out.write(render_waterfall(trace, style, owners=request.analysis_options.owners))
    if request.problems:
        out.write(broken_traces(opened.names, [trace], request.ignored))
    return FINE


def _status(report: Report, judged: Sequence[Judged]) -> int:
    """Return 0 fine, 4 skipped; with a reason on stderr 1 nothing readable, 3 a gate failed, 5 unsure, 6 disturbed."""
    if not report.totals.requests:
        from lambda_latency.cli.inputs import unread

        warn(unread(report.problems, report.sources))
        return FAILED
    statuses = [_gate_status(gate) for gate in judged]
    for gate, status in zip(judged, statuses, strict=True):
        if status != FINE:
            warn(gate.sentence)
    for status in (GATE_FAILED, GATE_UNSURE, DISTURBED):
        if status in statuses:
            return status
    return SOMETHING_SKIPPED if any(problem.effect == "skipped" for problem in report.problems) else FINE


def _gate_status(gate: Judged) -> int:
    if gate.failed:
        return GATE_FAILED
    if gate.unsure:
        return GATE_UNSURE
    return DISTURBED if gate.disturbed else FINE


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Turn garbage collection off: a report has many objects without reference cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
