"""Writes a report in every requested form: reads sources, writes text, JSON, Markdown and a page."""

from __future__ import annotations

import gc
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from lambda_latency.cli.archived import Chosen, kept_of
from lambda_latency.cli.exit_statuses import FAILED, FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.cli.request import Request
from lambda_latency.cli.writing import check_files, write_page, write_report
from lambda_latency.installing import install_command
from lambda_latency.latency import (
    SILENT,
    Accounts,
    Progress,
    Report,
    ReportError,
    account,
    against,
    beside,
    call_map,
    load,
    of_route,
    of_time,
    report_of,
)
from lambda_latency.text import (
    Style,
    render_waterfall,
)
from lambda_latency.trace import PLAIN, LineIndex, Problem, find_sources, find_traces, trace_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from lambda_latency.latency import Judged
    from lambda_latency.trace import Source, Trace

__all__ = ["Request", "run_report"]

MOST_REASONS = 8
FORMATS = "a trace file is OTLP, Jaeger, Zipkin, X-Ray or CloudWatch spans; lambda-latency report --help has more"
MANY = 20_000  # requests: from this number on, drawing the map takes longer than forking a process


class Baseline(NamedTuple):
    """The requests that a report is compared with, and the names of their sources."""

    accounts: Accounts
    sources: list[str]


def run_report(
    request: Request,
    style: Style,
    out: TextIO,
    *,
    spool: Callable[[str], Path] | None = None,
    progress: Progress = SILENT,
    ready: Callable[[], None] = lambda: None,
    warn: Callable[[str], None] = lambda _: None,
) -> int:
    """Read the sources, judge them and write the report; returns the exit status.

    `spool` copies standard input or a pipe to a file. `ready` is called after reading, before the first line of output.
    `warn` receives the reason of a failed gate or of an empty report.

    Raises `ReportError` if the requested route, trace or baseline does not exist, or if a file cannot be written.
    """
    check_files(request)
    collecting = gc.isenabled()
    gc.disable()  # a report has many objects without reference cycles: collections would only take time
    try:
        if not (request.redact or request.follow_links):
            return _run(request, style, out, spool, progress, ready, warn)
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
            return _run(_anew(request, spool, Path(folder)), style, out, spool, progress, ready, warn)
    finally:
        if collecting:
            gc.enable()


def _anew(request: Request, spool: Callable[[str], Path] | None, folder: Path) -> Request:
    """The same request on transformed input (linked traces joined, names removed), written below `folder`."""
    from lambda_latency.cli.rewriting import MARKED, rewritten

    problems: list[Problem] = list(request.known)

    def make(wanted: Sequence[str | Path | Source], name: str) -> list[Source]:
        return rewritten(
            find_sources(wanted, problems, spool),
            problems,
            folder / name,
            follow_links=request.follow_links,
            redact=request.redact,
            owners=request.terms.owners,
        )

    sources = make(request.sources, "traces.jsonl")
    if request.against is not None:
        request = replace(request, against=str(make([request.against], "baseline.jsonl")[0].path))
    if request.redact:
        terms = request.terms._replace(owners=MARKED)
        request = replace(request, terms=terms, command="lambda-latency report --redact", console=None)
    return replace(request, sources=sources, known=problems)


def _run(
    request: Request,
    style: Style,
    out: TextIO,
    spool: Callable[[str], Path] | None,
    progress: Progress,
    ready: Callable[[], None],
    warn: Callable[[str], None],
) -> int:
    problems: list[Problem] = list(request.known)
    kept = kept_of(request.sources, _chosen(request))
    sources = find_sources(request.sources, problems, spool) if kept is None else []
    names = [source.name for source in sources] if kept is None else [kept.place.name]
    index = LineIndex()

    def find(trace_ids: Collection[str]) -> dict[str, Trace]:
        if kept is not None:
            return kept.find(trace_ids, request.terms.view)
        return find_traces(sources, trace_ids, index if request.trace_id is None else None, request.terms.view)

    if request.trace_id is not None and _one_trace(request, names, find, style, out, ready):
        return FINE
    if kept is not None:
        every = kept.accounts
    else:
        every = load(sources, problems, progress, index, request.processes, request.terms)
    if request.trace_id is not None:
        raise _no_trace(request.trace_id, every, problems, names)
    baseline = _baseline(request, problems, spool, progress) if request.against is not None else None
    beside_it = [one for one in (baseline and baseline.accounts, kept and kept.beside) if one is not None]
    owners = request.terms.owners.settle(every, *beside_it)
    accounts = of_time(of_route(every, request.route), request.since_ns, request.until_ns)
    compared = before = None
    if baseline is not None:
        before = of_route(baseline.accounts, request.route)
        compared = against(accounts, before, baseline.sources)
    ready()
    drawn = request.json is not None or request.html is not None
    with beside(partial(call_map, accounts), much=drawn and len(accounts) >= MANY and request.processes != 1) as draw:
        report = report_of(
            accounts,
            find,
            slow_ns=request.slow_ns,
            problems=problems,
            sources=sorted(names),
            traffic=request.traffic,
            notes=[*request.notes, *([f"Page: {request.html}."] if request.html else [])],
            against=compared,
            draw=draw,
            owners=owners,
            baseline=before,
        )
        judged = [gate.judge(report) for gate in request.fail_if]
        write_report(report, request, style, judged, find, out)
    status = status_of(report, judged)
    if status == FAILED:
        warn(_unread(report.problems, report.sources))
    for one in judged:
        if status == GATE_FAILED and one.failed:
            warn(one.sentence)
    return status


def _no_trace(trace_id: str, every: Accounts, problems: Sequence[Problem], sources: Sequence[str]) -> ReportError:
    """The error that a trace is not in the input, or that there is no trace in it."""
    if not every:
        return ReportError(_unread(problems, sources))
    return ReportError(f"no trace {trace_id} in the input", "the report's JSON lists the ids (--json -)")


def _chosen(request: Request) -> Chosen:
    of_spans = request.terms.view != PLAIN or request.redact or request.follow_links
    return Chosen(request.since_ns, request.until_ns, request.route, of_spans)


def _unread(problems: Sequence[Problem], sources: Sequence[str]) -> str:
    """The reasons of an empty report: the first problem of each source, or that it has no span."""
    firsts: dict[str, Problem] = {}
    for one in problems:
        firsts.setdefault(one.source, one)
    reasons = [str(one) for one in firsts.values()]
    reasons += [f"{source}: there is no span in it" for source in sources if source not in firsts]
    shown = [*reasons[:MOST_REASONS], *(["..."] if len(reasons) > MOST_REASONS else [])]
    if any(mark in one.reason for one in firsts.values() for mark in ("not JSON", "not text")):
        shown.append(FORMATS)
    if any("extra formats" in one.reason for one in firsts.values()):
        shown.append(install_command("formats"))
    return "\n  ".join(shown)


def status_of(report: Report, judged: Iterable[Judged] = ()) -> int:
    """0 fine; 1 nothing readable; 3 a gate failed; 4 reported, but something was skipped."""
    if not report.totals.requests:
        return FAILED
    if any(one.failed for one in judged):
        return GATE_FAILED
    return SOMETHING_SKIPPED if any(one.effect == "skipped" for one in report.problems) else FINE


def _baseline(
    request: Request, problems: list[Problem], spool: Callable[[str], Path] | None, progress: Progress
) -> Baseline:
    """The requests of the baseline. Raises `ReportError` if it has none, or none of the chosen route."""
    assert request.against is not None
    kept = kept_of([request.against], _chosen(request)._replace(since_ns=None, until_ns=None), age=True)
    if kept is not None:
        if not kept.accounts:
            raise ReportError(f"no request in the baseline {request.against}", "choose a longer time: DIR@30d")
        return Baseline(kept.accounts, [request.against])
    known = len(problems)
    sources = find_sources([request.against], problems, spool)
    accounts = load(sources, problems, progress, processes=request.processes, terms=request.terms)
    if not of_route(accounts, request.route):
        raise ReportError(
            f"no request in the baseline: {_unread(problems[known:], [source.name for source in sources])}",
            "--against takes the same input as SOURCE",
        )
    return Baseline(accounts, [source.name for source in sources])


def _one_trace(
    request: Request,
    names: list[str],
    find: Callable[[Collection[str]], dict[str, Trace]],
    style: Style,
    out: TextIO,
    ready: Callable[[], None],
) -> bool:
    """Draw the waterfall of the wanted trace, and its page; returns whether it is in the input."""
    assert request.trace_id is not None
    wanted = trace_id_of(request.trace_id)
    trace = find([wanted]).get(wanted)
    if trace is None:
        return False
    ready()
    if request.html is not None:
        accounts = Accounts([account(trace, request.terms)])
        report = report_of(
            accounts,
            lambda _: {wanted: trace},
            problems=trace.problems,
            sources=names,
            owners=request.terms.owners.settle(accounts),
        )
        write_page(request.html, report, request, lambda _: {wanted: trace})
    out.write(render_waterfall(trace, style, owners=request.terms.owners))
    return True
