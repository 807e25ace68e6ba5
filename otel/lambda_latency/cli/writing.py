"""Writes a report's files: JSON, Markdown, the page, the flame graph."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lambda_latency.files import check_targets, replace_files, unwritable, writable_by
from lambda_latency.latency import Report, ReportError, Stack, stacks_of
from lambda_latency.text import Style, flat, render_problems, render_report, sentence
from lambda_latency.trace import Span, Trace, find_sources
from lambda_latency.version import VERSION

if TYPE_CHECKING:
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import Judged

TRACES_AT_ONCE = 2_000  # read together for a flame graph

Find = Callable[[Collection[str]], Mapping[str, Trace]]  # the traces with some ids


def check_files(request: Request) -> None:
    """Raises `ReportError`, before any work, if an output file is unwritable, named twice, or also an input."""
    named = [path for path in (request.json, request.markdown) if path != "-"] + [request.html, request.flame]
    targets = [Path(path) for path in named if path is not None]
    if not targets:
        return
    read = find_sources([one for one in (*request.sources, request.against) if one not in (None, "-")], [])
    wrong = check_targets(targets, [source.path for source in read])
    if wrong is not None:
        raise ReportError(wrong)


def write_report(
    report: Report,
    request: Request,
    style: Style,
    judged: Sequence[Judged],
    find: Find,
    out: TextIO,
    spans: Callable[[Collection[str]], Iterable[Span]] | None = None,
) -> None:
    """Write the report in every requested form: the files first, because the printed text says that they exist.

    `spans` reads the spans of some traces, for a brief.
    """
    texts: list[tuple[str, str]] = []
    if request.json is not None:
        texts.append((request.json, _json(report, request, find, judged)))
    if request.markdown is not None:
        from lambda_latency.text import render_markdown  # each form is imported where it is asked for

        texts.append((request.markdown, render_markdown(report, judged)))
    printed = [text for path, text in texts if path == "-"]
    files = [(path, text) for path, text in texts if path != "-"]
    if request.html is not None:
        files.append((request.html, _page(report, request, find, judged)))
    if request.flame is not None:
        files.append((request.flame, _flame(report, request.flame, find)))
    _write(files)
    if request.brief and report.totals.requests:
        from lambda_latency.agent import brief_of

        printed = [brief_of(report, find, request.proof, spans)]
    elif not printed and report.totals.requests:
        printed = [
            render_report(
                report,
                style,
                everything=request.everything,
                what_if=request.what_if,
                queries=request.console is not None,
            )
        ]
        if request.problems:
            printed.append(render_problems(report.problems, style))
    out.writelines(printed)


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

    traces = find({one.trace_id for one in report.accounts}) if request.per_request else None
    values = document(report, command=request.command, version=VERSION, per_request=traces, judged=judged)
    return json.dumps(values, indent=1, ensure_ascii=True) + "\n"


def _page(
    report: Report,
    request: Request,
    find: Find,
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


def _flame(report: Report, path: str, find: Find) -> str:
    """The flame graph of all requests. Reads the traces in batches: together they may not fit into memory."""
    from lambda_latency.text import render_flame

    every, stacks = report.accounts, Counter[Stack]()
    for first in range(0, len(every), TRACES_AT_ONCE):
        wanted = [every.trace_id(at) for at in range(first, min(len(every), first + TRACES_AT_ONCE))]
        stacks += stacks_of(find(wanted).values(), report.owners)
    return render_flame(stacks, Path(path).name)


def _write(texts: Sequence[tuple[str, str]]) -> None:
    """Write the files: all of them, or none. Raises `ReportError`."""
    try:
        replace_files([(Path(path), text) for path, text in texts])
    except OSError as error:
        raise ReportError(unwritable(error.filename, error), writable_by(error)) from error
