"""Writes a report's files: JSON, Markdown, the page, the flame graph."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lambda_latency.cli.request import Request
from lambda_latency.files import check_targets, replace_files, unwritable, writable_by
from lambda_latency.latency import ReadSpans, Report, ReportError, Stack, stacks_of
from lambda_latency.text import Style, first_sentence, flat, render_problems, render_report
from lambda_latency.trace import Trace, find_sources
from lambda_latency.version import VERSION

if TYPE_CHECKING:
    from lambda_latency.latency import Judged  # loaded with a condition alone

TRACES_AT_ONCE = 2_000  # for a flame graph

Find = Callable[[Collection[str]], Mapping[str, Trace]]  # the traces with some ids


def check_files(request: Request) -> None:
    """Raise `ReportError`, before any work, if an output file is unwritable, named twice, or also an input."""
    names = [path for path in (request.json, request.markdown) if path != "-"] + [request.html, request.flame]
    targets = [Path(path) for path in names if path is not None]
    if not targets:
        return
    inputs = find_sources([s for s in (*request.sources, request.against) if s not in (None, "-")], [])
    conflict = check_targets(targets, [source.path for source in inputs])
    if conflict is not None:
        raise ReportError(conflict)


def write_report(
    report: Report,
    request: Request,
    style: Style,
    judged: Sequence[Judged],
    find: Find,
    out: TextIO,
    spans: ReadSpans | None = None,
) -> None:
    """Write the report in every requested form: the files first, because the printed text says that they exist.

    `spans` reads the spans of some traces, for a brief.
    """
    documents = [*_documents(report, request, judged, find)]
    printed = [text for path, text in documents if path == "-"]
    _write([(path, text) for path, text in documents if path != "-"])
    if request.brief and report.totals.requests:
        from lambda_latency.agent import brief_of

        printed = [brief_of(report, find, request.proof, spans)]
    elif not printed and report.totals.requests:
        printed = [
            render_report(
                report,
                style,
                everything=request.everything,
                what_if=request.everything,
                queries=request.console is not None,
            )
        ]
        if request.problems:
            printed.append(render_problems(report.problems, style))
            printed.append(_broken(report, request, find))
    out.writelines(printed)


def _documents(report: Report, request: Request, judged: Sequence[Judged], find: Find) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each document; the path - is standard output."""
    if request.json is not None:
        yield request.json, _json(report, request, find, judged)
    if request.markdown is not None:
        from lambda_latency.text import render_markdown  # imported where it is needed

        yield request.markdown, render_markdown(report, judged)
    if request.html is not None:
        yield request.html, _page(report, request, find, judged)
    if request.flame is not None:
        yield request.flame, _flame(report, request.flame, find)


def _broken(report: Report, request: Request, find: Find) -> str:
    """Return the broken traces among at most `TRACES_AT_ONCE`, evenly chosen."""
    requests = len(report.breakdowns)
    step = max(1, -(-requests // TRACES_AT_ONCE))
    traces = find({report.breakdowns.trace_id(index) for index in range(0, requests, step)})
    text = broken_traces(report.sources, [traces[trace_id] for trace_id in sorted(traces)], request.ignored)
    return f"{text}Examined: {len(traces):,} of {requests:,} traces.\n" if step > 1 else text


def broken_traces(sources: Sequence[str], traces: Sequence[Trace], ignored: Collection[str]) -> str:
    """Return the rules of the doctor that the traces violate, as text, without the ignored ones."""
    from lambda_latency.doctor import as_text, diagnose_traces  # for --problems alone

    findings = [finding for finding in diagnose_traces(", ".join(sources), traces) if finding.rule not in ignored]
    return f"\n{as_text(findings)}" if findings else "\nNo trace is broken.\n"


def write_page(path: str, report: Report, request: Request, find: Find) -> None:
    """Write the page alone. Raises `ReportError` if it cannot be written."""
    _write([(path, _page(report, request, find))])


def _json(
    report: Report,
    request: Request,
    find: Find,
    judged: Sequence[Judged],
) -> str:
    from lambda_latency.text import document

    traces = find({account.trace_id for account in report.breakdowns}) if request.everything else None
    values = document(report, command=request.command, version=VERSION, per_request=traces, judged=judged)
    return json.dumps(values, indent=1, ensure_ascii=True) + "\n"


def _page(
    report: Report,
    request: Request,
    find: Find,
    judged: Sequence[Judged] = (),
) -> str:
    from lambda_latency.page import SpanRedaction, build_page, page_values  # a slow import

    values, spans = page_values(
        report,
        find,
        command=request.command,
        version=VERSION,
        notes=request.notes,
        console=request.console,
        judged=judged,
        redaction=SpanRedaction(keeps=not request.redaction),
    )
    return build_page(values, spans, flat(first_sentence(report, Style())))


def _flame(report: Report, path: str, find: Find) -> str:
    """Draw the flame graph of all requests. It reads the traces in batches: together they may not fit into memory."""
    from lambda_latency.text import render_flame

    accounts, stacks = report.breakdowns, Counter[Stack]()
    for start in range(0, len(accounts), TRACES_AT_ONCE):
        trace_ids = [accounts.trace_id(index) for index in range(start, min(len(accounts), start + TRACES_AT_ONCE))]
        stacks += stacks_of(find(trace_ids).values(), report.owners)
    return render_flame(stacks, Path(path).name)


def _write(texts: Sequence[tuple[str, str]]) -> None:
    """Write the files: all of them, or none. Raises `ReportError`."""
    try:
        replace_files([(Path(path), text) for path, text in texts])
    except OSError as error:
        raise ReportError(unwritable(error.filename, error), writable_by(error)) from error
