"""Transforms the input before the report: joins linked traces, removes names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_latency.files import unwritable
from lambda_latency.latency import Owners, ReportError, is_asked, told_by_name
from lambda_latency.trace import Problem, Source, dump_line, find_sources, joined, read_spans, redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lambda_latency.cli.request import Request
    from lambda_latency.trace import Span

MARKED = Owners(("ours-*",), ("theirs-*",))  # the owner patterns of redacted names


def rewritten(request: Request, folder: Path, spool: Callable[[str], Path]) -> Request:
    """The same request on transformed input (linked traces joined, names removed), written below `folder`.

    All spans are in memory at once. Raises `ReportError` if a file cannot be written.
    """
    problems = list(request.known)
    source = _write(request.sources, request, problems, folder / "traces.jsonl", spool)
    if request.against is not None:
        against = _write([request.against], request, problems, folder / "baseline.jsonl", spool)
        request = replace(request, against=str(against.path))
    if request.redact:
        terms = request.terms._replace(owners=MARKED)
        request = replace(request, terms=terms, command="lambda-latency report --redact", console=None)
    return replace(request, sources=[source], known=problems)


def _write(
    wanted: Sequence[str | Path | Source],
    request: Request,
    problems: list[Problem],
    path: Path,
    spool: Callable[[str], Path],
) -> Source:
    """Write the transformed spans of all sources to one file at `path`; returns that file."""
    sources = find_sources(wanted, problems, spool)
    found: list[Problem] = []
    spans: Iterable[Span] = [span for source in sources for span in read_spans(source, found)]
    if request.follow_links:
        spans = joined(spans)
    if request.redact:
        spans = redacted(spans, request.terms.owners.whose, lambda host: told_by_name(host).owner == "theirs", is_asked)
        names = {source.name: f"file-{number}" for number, source in enumerate(sources, 1)}
        found = [_without_names(one, names) for one in [*problems, *found]]
        problems.clear()
    problems += found
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(map(dump_line, traces.values()))
    except OSError as error:
        raise ReportError(unwritable(path, error)) from error
    return Source("redacted" if request.redact else ", ".join(source.name for source in sources), path)


def _without_names(one: Problem, names: dict[str, str]) -> Problem:
    """The problem without the value that was seen, which may contain a name."""
    reason = one.reason.partition(":")[0].partition(", got")[0]
    return Problem(names.get(one.source, "a source"), one.line, reason, one.effect)
