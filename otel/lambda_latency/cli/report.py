"""Writes a report in every requested form: reads sources, writes text, JSON, Markdown and a page."""

from __future__ import annotations

import gc
import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from lambda_latency.cli.archived import Chosen, kept_of
from lambda_latency.cli.exit_statuses import FAILED, FINE, GATE_FAILED, SOMETHING_SKIPPED
from lambda_latency.files import check_targets, replace_files, unwritable
from lambda_latency.latency import (
    SILENT,
    UNKNOWN,
    USUAL,
    Accounts,
    Progress,
    Report,
    ReportError,
    Stack,
    Terms,
    account,
    against,
    beside,
    call_map,
    load,
    of_route,
    of_time,
    report_of,
    stacks_of,
)
from lambda_latency.text import (
    Style,
    document,
    flat,
    render_flame,
    render_markdown,
    render_problems,
    render_report,
    render_waterfall,
    sentence,
)
from lambda_latency.trace import PLAIN, LineIndex, Problem, find_sources, find_traces, trace_id_of
from lambda_latency.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lambda_latency.latency import Gate, Judged, Traffic, Unknown
    from lambda_latency.trace import Source, Trace

__all__ = ["Request", "run_report"]

MOST_REASONS = 8
TRACES_AT_ONCE = 2_000  # read together for a flame graph
MANY = 20_000  # requests: from this number on, drawing the map takes longer than forking a process


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a report.

    `slow_ns` is a duration in nanoseconds; `since_ns` and `until_ns` are epoch nanoseconds. `known` are problems found
    before the sources are read. `console` is the address of the X-Ray console, to which a trace id is appended; None if
    the traces are not in X-Ray.
    """

    sources: Sequence[str | Path | Source]
    slow_ns: int | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    route: str | None = None
    trace_id: str | None = None
    json: str | None = None
    html: str | None = None
    markdown: str | None = None
    flame: str | None = None
    against: str | None = None
    fail_if: Sequence[Gate] = ()
    per_request: bool = False
    problems: bool = False
    everything: bool = False
    what_if: bool = False
    traffic: Traffic | Unknown = UNKNOWN
    notes: Sequence[str] = field(default=())
    known: Sequence[Problem] = field(default=())
    command: str = "lambda-latency report"
    console: str | None = None
    processes: int | None = None
    terms: Terms = USUAL
    follow_links: bool = False
    redact: bool = False


class Baseline(NamedTuple):
    """The requests that a report is compared with, and the names of their sources."""

    accounts: Accounts
    sources: list[str]


def run_report(
    request: Request,
    style: Style,
    out: TextIO,
    *,
    spool: Callable[[], Path] | None = None,
    progress: Progress = SILENT,
    ready: Callable[[], None] = lambda: None,
    warn: Callable[[str], None] = lambda _: None,
) -> int:
    """Read the sources, judge them and write the report; returns the exit status.

    `spool` copies standard input to a file. `ready` is called after reading, before the first line of output. `warn`
    receives the reason of a failed gate or of an empty report.

    Raises `ReportError` if the requested route, trace or baseline does not exist, or if a file cannot be written.
    """
    _check_targets(request)
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


def _anew(request: Request, spool: Callable[[], Path] | None, folder: Path) -> Request:
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
    spool: Callable[[], Path] | None,
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

    if request.trace_id is not None:
        return _one_trace(request, names, find, style, out, ready)
    if kept is not None:
        every = kept.accounts
    else:
        every = load(sources, problems, progress, index, request.processes, request.terms)
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
        _put(report, request, style, judged, find, out)
    status = status_of(report, judged)
    if status == FAILED:
        warn(_unread(report.problems, report.sources))
    for one in judged:
        if status == GATE_FAILED and one.failed:
            warn(one.sentence)
    return status


def _put(
    report: Report,
    request: Request,
    style: Style,
    judged: Sequence[Judged],
    find: Callable[[Collection[str]], dict[str, Trace]],
    out: TextIO,
) -> None:
    """Write the report in every requested form: the files first, because the printed text says that they exist."""
    texts: list[tuple[str, str]] = []
    if request.json is not None:
        texts.append((request.json, _json(report, request, find, judged)))
    if request.markdown is not None:
        texts.append((request.markdown, render_markdown(report, judged)))
    printed = [text for path, text in texts if path == "-"]
    files = [(path, text) for path, text in texts if path != "-"]
    if request.html is not None:
        files.append((request.html, _page(report, request, find, judged)))
    if request.flame is not None:
        files.append((request.flame, _flame(report, request.flame, find)))
    _write(files)
    if not printed and report.totals.requests:
        printed = [render_report(report, style, everything=request.everything, what_if=request.what_if)]
        if request.problems:
            printed.append(render_problems(report.problems, style))
    out.writelines(printed)


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
    return "\n  ".join([*reasons[:MOST_REASONS], *(["..."] if len(reasons) > MOST_REASONS else [])])


def status_of(report: Report, judged: Iterable[Judged] = ()) -> int:
    """0 fine; 1 nothing readable; 3 a gate failed; 4 reported, but something was skipped."""
    if not report.totals.requests:
        return FAILED
    if any(one.failed for one in judged):
        return GATE_FAILED
    return SOMETHING_SKIPPED if any(one.effect == "skipped" for one in report.problems) else FINE


def _baseline(
    request: Request, problems: list[Problem], spool: Callable[[], Path] | None, progress: Progress
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
) -> int:
    assert request.trace_id is not None
    wanted = trace_id_of(request.trace_id)
    trace = find([wanted]).get(wanted)
    ready()
    if trace is None:
        raise ReportError(f"no trace {request.trace_id} in the input", "the report's JSON lists the ids (--json -)")
    if request.html is not None:
        accounts = Accounts([account(trace, request.terms)])
        report = report_of(
            accounts,
            lambda _: {wanted: trace},
            problems=trace.problems,
            sources=names,
            owners=request.terms.owners.settle(accounts),
        )
        _write([(request.html, _page(report, request, lambda _: {wanted: trace}))])
    out.write(render_waterfall(trace, style, owners=request.terms.owners))
    return FINE


def _json(
    report: Report,
    request: Request,
    find: Callable[[Collection[str]], dict[str, Trace]],
    judged: Sequence[Judged],
) -> str:
    traces = find({one.trace_id for one in report.accounts}) if request.per_request else None
    values = document(report, command=request.command, version=VERSION, per_request=traces, judged=judged)
    return json.dumps(values, indent=1, ensure_ascii=True) + "\n"


def _page(
    report: Report,
    request: Request,
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    judged: Sequence[Judged] = (),
) -> str:
    from lambda_latency.page import build_page, page_values  # a slow import that only a page needs

    values, spans = page_values(
        report,
        find,
        command=request.command,
        version=VERSION,
        notes=request.notes,
        console=request.console,
        judged=judged,
    )
    return build_page(values, spans, flat(sentence(report, Style())))


def _flame(report: Report, path: str, find: Callable[[Collection[str]], Mapping[str, Trace]]) -> str:
    """The flame graph of all requests. Reads the traces in batches: together they may not fit into memory."""
    every, stacks = report.accounts, Counter[Stack]()
    for first in range(0, len(every), TRACES_AT_ONCE):
        wanted = [every.trace_id(at) for at in range(first, min(len(every), first + TRACES_AT_ONCE))]
        stacks += stacks_of(find(wanted).values(), report.owners)
    return render_flame(stacks, Path(path).name)


def _check_targets(request: Request) -> None:
    """Raises `ReportError`, before any work, if an output file is unwritable, named twice, or also an input."""
    named = [path for path in (request.json, request.markdown) if path != "-"] + [request.html, request.flame]
    targets = [Path(path) for path in named if path is not None]
    if not targets:
        return
    read = find_sources([one for one in (*request.sources, request.against) if one not in (None, "-")], [])
    wrong = check_targets(targets, [source.path for source in read])
    if wrong is not None:
        raise ReportError(wrong)


def _write(texts: Sequence[tuple[str, str]]) -> None:
    """Write the files: all of them, or none. Raises `ReportError`."""
    try:
        replace_files([(Path(path), text) for path, text in texts])
    except OSError as error:
        raise ReportError(unwritable(error.filename, error)) from error
