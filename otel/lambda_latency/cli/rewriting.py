"""Transforms the input before the report: joins linked traces, removes names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.files import unwritable
from lambda_latency.latency import Owners, ReportError
from lambda_latency.trace import Problem, Source, dump_line, joined, read_spans, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lambda_latency.trace import Span

__all__ = ["MARKED", "rewritten"]

MARKED = Owners(("ours-*",), ("theirs-*",))  # the owner patterns of redacted names


def rewritten(
    sources: Sequence[Source],
    problems: list[Problem],
    path: Path,
    *,
    follow_links: bool,
    redact: bool,
    owners: Owners,
) -> list[Source]:
    """Write the transformed spans of all sources to one file at `path`; returns that file as the only source.

    All spans are in memory at once. Raises `ReportError` if the file cannot be written.
    """
    found: list[Problem] = []
    spans: Iterable[Span] = [span for source in sources for span in read_spans(source, found)]
    if follow_links:
        spans = joined(spans)
    if redact:
        spans = redacted(spans, owners.whose)
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
    return [Source("redacted" if redact else ", ".join(source.name for source in sources), path)]


def _without_names(one: Problem, names: dict[str, str]) -> Problem:
    """The problem without the value that was seen, which may contain a name."""
    reason = one.reason.partition(":")[0].partition(", got")[0]
    return Problem(names.get(one.source, "a source"), one.line, reason, one.effect)
