"""The input of a report: trace files, or an archive (`DIR`, `s3://...`; as a baseline also `DIR@7d`)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lambda_latency.cli.request import Request
from lambda_latency.documentation import page_address
from lambda_latency.files import unwritable
from lambda_latency.latency import (
    Breakdowns,
    Owners,
    Progress,
    ReportError,
    instant,
    is_candidate,
    is_read,
    load,
    of_route,
    of_time,
    owner_by_name,
)
from lambda_latency.spelling import nearest_names
from lambda_latency.trace import (
    DEFAULT_VIEW,
    RUNNING,
    AttributedSpan,
    LineIndex,
    Problem,
    Source,
    Span,
    Trace,
    dump_line,
    find_attributes,
    find_sources,
    find_traces,
    join_traces,
    read_spans,
    redact,
)

if TYPE_CHECKING:
    from lambda_latency.archive import ArchivedRequests

MARK = "archive.version"
FILES = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".pb", ".binpb")


Input: TypeAlias = "Files | Archive"


class Baseline(NamedTuple):
    """The requests that a report is compared with, of all routes; without any, there is no comparison."""

    breakdowns: Breakdowns
    names: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    find: Callable[[Collection[str]], Mapping[str, Trace]] | None = None


def open_input(request: Request, spool: Callable[[str], Path], progress: Progress) -> Input:
    """Open the input of a report. `spool` copies standard input or a pipe to a file.

    An archive is read as trace files if the report needs spans, or if there are several inputs. Raises `ReportError` if
    the spans of a remote archive are needed, or if an archive has no request of the route.
    """
    where = str(request.sources[0]) if len(request.sources) == 1 and isinstance(request.sources[0], str | Path) else ""
    if _has_accounts(where, request):
        archived = _read_archive(where, request, request.since_ns, request.until_ns)
        return Archive(archived, archived.place.name, request)
    return Files(request.sources, request, spool, progress, request.earlier_problems)


def read_baseline(request: Request, spool: Callable[[str], Path], progress: Progress) -> Baseline:
    """Read the requested baseline, if there is one. Raises `ReportError` if it has no request, or none of the route."""
    if request.against is None:
        return Baseline(Breakdowns())
    where, since_ns = _aged(request.against)
    if _has_accounts(where, request):
        opened: Input = Archive(_read_archive(where, request, since_ns, None), request.against, request)
    else:
        opened = Files([where], request, spool, progress)
    accounts = opened.breakdowns()
    if since_ns is not None and max(accounts.starts_ns, default=0) < since_ns:
        raise ReportError(f"no request in the baseline {request.against}", "choose a longer time: DIR@30d")
    accounts = of_time(accounts, since_ns, None)
    if not of_route(accounts, request.route):
        reasons = unread(opened.problems, opened.names)
        raise ReportError(f"no request in the baseline: {reasons}", "--against takes the same input as SOURCE")
    return Baseline(accounts, opened.names, opened.problems, opened.find)


class Files:
    """Trace files. `names` are shown for the sources; `problems` grow while these are read.

    `others` have no requests, only the components and kinds of other routes' requests.
    """

    def __init__(
        self,
        sources: Sequence[str | Path | Source],
        request: Request,
        spool: Callable[[str], Path],
        progress: Progress,
        earlier_problems: Sequence[Problem] = (),
    ) -> None:
        self.problems = list(earlier_problems)
        self._sources = find_sources(sources, self.problems, spool)
        self.names = [source.name for source in self._sources]
        self.others: list[Breakdowns] = []
        self._request, self._progress = request, progress
        self._index: LineIndex | None = None

    def breakdowns(self) -> Breakdowns:
        """Load the accounts of all requests."""
        self._index = LineIndex()
        request = self._request
        options = request.analysis_options._replace(outlines=request.against is not None or request.brief)
        return load(self._sources, self.problems, self._progress, self._index, request.processes, options)

    def find(self, trace_ids: Collection[str]) -> Mapping[str, Trace]:
        """Find the traces with some ids. After `breakdowns`, only their lines of a file are read."""
        return find_traces(self._sources, trace_ids, self._index, self._request.analysis_options.view)

    def spans(self, trace_ids: Collection[str]) -> Iterable[Span | AttributedSpan]:
        """Yield the spans of the traces with some ids, in any order, with the attributes that findings may name."""
        return find_attributes(self._sources, trace_ids, _names(self._request), self._index)


class Archive:
    """Requests of an archive, which has their accounts; its members are those of `Files`."""

    def __init__(self, archived: ArchivedRequests, name: str, request: Request) -> None:
        self.names, self.problems = [name], list[Problem]()
        self.others = [archived.other_routes] if archived.other_routes is not None else []
        self.find, self.spans = archived.find, partial(archived.spans_of, names=_names(request))
        self._archived = archived

    def breakdowns(self) -> Breakdowns:
        return self._archived.breakdowns


def _names(request: Request) -> Callable[[str], bool]:
    """Return which attributes the report reads: those that findings may name, with `--by` any."""
    return is_read if request.by is None else lambda _: True


def _has_accounts(where: str, request: Request) -> bool:
    """Return whether this is an archive whose accounts are those of the report. Raises `ReportError`."""
    if not _is_archive(where):
        return False
    if "://" in where and where.lower().endswith(FILES):
        message = f"{where} is the address of a file, and a report reads addresses of archives"
        raise ReportError(message, "download the file and name it")
    # An archive's accounts have the components inside of each service; time inside a foreign one is its caller's.
    foreign = bool(request.analysis_options.owners.theirs) and "://" not in where
    needs_spans = request.analysis_options.view != DEFAULT_VIEW or request.redact or request.follow_links or foreign
    if needs_spans and "://" in where:
        todo = "remove --follow-links, --redact, and the settings from and clock-skew"
        raise ReportError(f"the report reads no spans of {where}", todo)
    return not needs_spans


def _read_archive(where: str, request: Request, since_ns: int | None, until_ns: int | None) -> ArchivedRequests:
    from lambda_latency.archive import read_requests

    archived = read_requests(where, since_ns, until_ns, request.route)
    if request.route is not None and not archived.breakdowns:
        raise ReportError(f"no request of the route {request.route!r} in {where}", "archive query lists the routes")
    foreign = _recorded_by_others(archived.breakdowns, request)
    if "://" in where and foreign:
        message = f"the accounts of {where} divide the time inside of {foreign}, and --theirs makes it one call"
        raise ReportError(message, "copy the archive to a folder, whose spans the report reads, and name that")
    return archived


def _recorded_by_others(accounts: Breakdowns, request: Request) -> str:
    """Return a service of the accounts whose own code is another party's, or an empty text."""
    names = sorted({edge.component.name for edge in accounts.edges if edge.component.category == "own code"})
    return next((name for name in names if name and request.analysis_options.owners.whose(name) == "theirs"), "")


def _aged(where: str) -> tuple[str, int | None]:
    """Split `DIR@7d` into the archive and the time (epoch nanoseconds) from which it is read."""
    name, _, ago = where.rpartition("@")
    if not name or not _is_archive(name):
        return where, None
    try:
        return name, instant(ago, time.time_ns())
    except ValueError as error:
        raise ReportError(f"--against {where}: {error}") from error


def _is_archive(where: str) -> bool:
    """Do the check of `lambda_latency.archive.is_archive` without the slow import of that package."""
    return "://" in where or os.path.isfile(Path(where, MARK))  # noqa: PTH113 - False in a folder without permission


MOST_REASONS = 8
FORMATS = "a trace file is OTLP, Jaeger, Zipkin, X-Ray or CloudWatch spans; lambda-latency report --help has more"
NOTHING = "what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not"
ELSEWHERE = "check the path: lambda-latency demo and serve write into the folder out"
# Remedies by words of a reason, of which the first that matches counts.
REMEDIES = {
    "got schema, command": "it is a report of this command: name the traces, which its key sources has",
    "no trace: got": f"{page_address('reference/formats')} says how to get a trace file of each form",
    "not JSON": FORMATS,
    "not text": FORMATS,
    "neither text": FORMATS,
    "no trace in it": NOTHING,
    "there is no span": NOTHING,
    RUNNING: "an execution is judged when it has ended: run the command again then",
    "ends too early": "wait until the file is complete, or copy it again",
    "Permission denied": "make it readable, or run the command as its owner",
    "levels of symbolic links": "name the file itself: the link leads to itself",
    "no file matches": "check the pattern: ** stands for folders",
    "no trace file in this folder": "name the file if it ends otherwise",
}


def unread(problems: Sequence[Problem], names: Sequence[str]) -> str:
    """Say why there is no request: the first problem of each source, or that it has no span; then the remedies."""
    by_source: dict[str, Problem] = {}
    for problem in problems:
        by_source.setdefault(problem.source, problem)
    reasons = [str(problem) for problem in by_source.values()]
    if not any(reason.endswith(RUNNING) for reason in reasons):
        reasons += [f"{name}: there is no span in it" for name in names if name not in by_source]
    missing = [_missing(problem.source) for problem in by_source.values() if "No such file" in problem.reason]
    lines = reasons[:MOST_REASONS]
    if len(reasons) > MOST_REASONS:
        lines.append("...")
    remedies = dict.fromkeys([*missing, *map(_remedy, reasons), _formats(reasons)])
    return "\n  ".join([*lines, *filter(None, remedies)])


def _remedy(reason: str) -> str:
    return next((todo for mark, todo in REMEDIES.items() if mark in reason), "")


def _formats(reasons: Sequence[str]) -> str:
    """Return the command that installs the extra formats, if a reason names them."""
    if not any("extra formats" in reason for reason in reasons):
        return ""
    from lambda_latency.installing import install_command  # 2 MB that few messages need

    return install_command("formats")


def _missing(name: str) -> str:
    """Return the remedy for a file that does not exist: the similar name in its folder, if there is one."""
    path = Path(name)
    try:
        similar = {path_.stem: path_.name for path_ in sorted(path.parent.iterdir())}
    except OSError:
        return f"check the path: there is no folder {path.parent}"
    near = nearest_names(path.stem, similar, cutoff=0.7)
    return f"did you mean {path.with_name(similar[near[0]])}?" if near else ELSEWHERE


MARKED = Owners(("ours-*",), ("theirs-*",))  # of redacted names


def rewritten(request: Request, folder: Path, spool: Callable[[str], Path]) -> Request:
    """Return the request on transformed input (linked traces joined, names removed), written below `folder`.

    All spans are in memory at once. Raises `ReportError` if a file cannot be written.
    """
    problems = list(request.earlier_problems)
    source = _write_spans(request.sources, request, problems, folder / "traces.jsonl", spool)
    if request.against is not None:
        against = _write_spans([request.against], request, problems, folder / "baseline.jsonl", spool)
        request = replace(request, against=str(against.path))
    if request.redact:
        analysis_options = request.analysis_options._replace(owners=MARKED)
        request = replace(
            request, analysis_options=analysis_options, command="lambda-latency report --redact", console=None
        )
    return replace(request, sources=[source], earlier_problems=problems)


def _write_spans(
    requested: Sequence[str | Path | Source],
    request: Request,
    problems: list[Problem],
    path: Path,
    spool: Callable[[str], Path],
) -> Source:
    """Write the transformed spans of all sources to one file at `path`; returns that file."""
    sources = find_sources(requested, problems, spool)
    spans: Iterable[Span] = [span for source in sources for span in read_spans(source, problems)]
    if request.follow_links:
        spans = join_traces(spans)
    if request.redact:
        spans = redact(
            spans,
            request.analysis_options.owners.whose,
            lambda host: owner_by_name(host).owner == "theirs",
            is_candidate,
        )
        names = {source.name: f"file-{number}" for number, source in enumerate(sources, 1)}
        problems[:] = [_without_names(problem, names) for problem in problems]
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(map(dump_line, traces.values()))
    except OSError as error:
        raise ReportError(unwritable(path, error)) from error
    return Source("redacted" if request.redact else ", ".join(source.name for source in sources), path)


def _without_names(problem: Problem, names: dict[str, str]) -> Problem:
    """Return the problem without the value that was read, which may contain a name."""
    reason = problem.reason.partition(":")[0].partition(", got")[0]
    return Problem(names.get(problem.source, "a source"), problem.line, reason, problem.effect)
