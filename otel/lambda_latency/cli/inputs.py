"""The input of a report: trace files, or an archive (`DIR`, `s3://...`; as a baseline also `DIR@7d`)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambda_latency.cli.unread import unread
from lambda_latency.latency import Accounts, ReportError, instant, load, of_route, of_time
from lambda_latency.trace import PLAIN, LineIndex, Problem, find_sources, find_spans, find_traces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lambda_latency.archive import Kept
    from lambda_latency.cli.request import Request
    from lambda_latency.latency import Progress
    from lambda_latency.trace import Source, Span, Trace

MARK = "archive.version"
FILES = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".pb", ".binpb")


class Input(Protocol):
    """The requests of some sources. `names` are shown for the sources; `problems` grow while these are read.

    `others` have no requests, only the parts and kinds of other routes' requests.
    """

    names: list[str]
    problems: list[Problem]
    others: list[Accounts]

    def accounts(self) -> Accounts:
        """The accounts of all requests."""

    def find(self, trace_ids: Collection[str], /) -> Mapping[str, Trace]:
        """The traces with some ids. After `accounts`, only their lines of a file are read."""

    def spans(self, trace_ids: Collection[str], /) -> Iterable[Span]:
        """Their spans, in any order: cheaper than their traces."""


class Baseline(NamedTuple):
    """The requests that a report is compared with, of all routes; without any, there is no comparison."""

    accounts: Accounts
    names: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    find: Callable[[Collection[str]], Mapping[str, Trace]] | None = None


def open_input(request: Request, spool: Callable[[str], Path], progress: Progress) -> Input:
    """The input of a report. `spool` copies standard input or a pipe to a file.

    An archive is read as trace files if the report needs spans, or if there are several inputs. Raises `ReportError` if
    the spans of a remote archive are needed, or if an archive has no request of the route.
    """
    where = str(request.sources[0]) if len(request.sources) == 1 and isinstance(request.sources[0], str | Path) else ""
    if _has_accounts(where, request):
        kept = _kept(where, request, request.since_ns, request.until_ns)
        return _Archive(kept, kept.place.name)
    return _Files(request.sources, request, spool, progress, request.known)


def read_baseline(request: Request, spool: Callable[[str], Path], progress: Progress) -> Baseline:
    """The requested baseline, if there is one. Raises `ReportError` if it has no request, or none of the route."""
    if request.against is None:
        return Baseline(Accounts())
    where, since_ns = _aged(request.against)
    if _has_accounts(where, request):
        opened: Input = _Archive(_kept(where, request, since_ns, None), request.against)
    else:
        opened = _Files([where], request, spool, progress)
    accounts = opened.accounts()
    if since_ns is not None and max(accounts.starts_ns, default=0) < since_ns:
        raise ReportError(f"no request in the baseline {request.against}", "choose a longer time: DIR@30d")
    accounts = of_time(accounts, since_ns, None)
    if not of_route(accounts, request.route):
        reasons = unread(opened.problems, opened.names)
        raise ReportError(f"no request in the baseline: {reasons}", "--against takes the same input as SOURCE")
    return Baseline(accounts, opened.names, opened.problems, opened.find)


class _Files:
    """Trace files."""

    def __init__(
        self,
        wanted: Sequence[str | Path | Source],
        request: Request,
        spool: Callable[[str], Path],
        progress: Progress,
        known: Sequence[Problem] = (),
    ) -> None:
        self.problems = list(known)
        self._sources = find_sources(wanted, self.problems, spool)
        self.names = [source.name for source in self._sources]
        self.others: list[Accounts] = []
        self._request, self._progress = request, progress
        self._index: LineIndex | None = None

    def accounts(self) -> Accounts:
        self._index = LineIndex()
        chosen = self._request
        return load(self._sources, self.problems, self._progress, self._index, chosen.processes, chosen.terms)

    def find(self, trace_ids: Collection[str]) -> Mapping[str, Trace]:
        return find_traces(self._sources, trace_ids, self._index, self._request.terms.view)

    def spans(self, trace_ids: Collection[str]) -> Iterable[Span]:
        return find_spans(self._sources, trace_ids, self._index)


class _Archive:
    """Requests of an archive, which has their accounts."""

    def __init__(self, kept: Kept, name: str) -> None:
        self.names, self.problems = [name], list[Problem]()
        self.others = [kept.beside] if kept.beside is not None else []
        self._kept = kept

    def accounts(self) -> Accounts:
        return self._kept.accounts

    def find(self, trace_ids: Collection[str]) -> Mapping[str, Trace]:
        return self._kept.find(trace_ids)

    def spans(self, trace_ids: Collection[str]) -> Iterable[Span]:
        return self._kept.spans_of(trace_ids)


def _has_accounts(where: str, request: Request) -> bool:
    """Whether this is an archive whose accounts are those of the report. Raises `ReportError`."""
    if not _is_archive(where):
        return False
    if "://" in where and where.lower().endswith(FILES):
        what = f"{where} is the address of a file, and a report reads addresses of archives"
        raise ReportError(what, "download the file and name it")
    # The accounts of an archive have the parts inside of each service; the time inside a foreign one is its caller's.
    foreign = bool(request.terms.owners.theirs) and "://" not in where
    needs_spans = request.terms.view != PLAIN or request.redact or request.follow_links or foreign
    if needs_spans and "://" in where:
        raise ReportError(f"the report reads no spans of {where}", "remove --from, --no-skew, --follow-links, --redact")
    return not needs_spans


def _kept(where: str, request: Request, since_ns: int | None, until_ns: int | None) -> Kept:
    from lambda_latency.archive import read_kept

    kept = read_kept(where, since_ns, until_ns, request.route)
    if request.route is not None and not kept.accounts:
        raise ReportError(f"no request of the route {request.route!r} in {where}", "archive query lists the routes")
    foreign = _recorded_by_others(kept.accounts, request)
    if "://" in where and foreign:
        what = f"the accounts of {where} divide the time inside of {foreign}, and --theirs makes it one call"
        raise ReportError(what, "copy the archive to a folder, whose spans the report reads, and name that")
    return kept


def _recorded_by_others(accounts: Accounts, request: Request) -> str:
    """A service of the accounts whose own code is another party's, or empty."""
    names = sorted({cell.part.name for cell in accounts.cells if cell.part.bucket == "own code"})
    return next((name for name in names if name and request.terms.owners.whose(name) == "theirs"), "")


def _aged(where: str) -> tuple[str, int | None]:
    """Splits `DIR@7d` into the archive and the time (epoch nanoseconds) from which it is read."""
    name, _, ago = where.rpartition("@")
    if not name or not _is_archive(name):
        return where, None
    try:
        return name, instant(ago, time.time_ns())
    except ValueError as error:
        raise ReportError(f"--against {where}: {error}") from error


def _is_archive(where: str) -> bool:
    """The same check as `lambda_latency.archive.is_archive`, without the slow import of that package."""
    return "://" in where or os.path.isfile(Path(where, MARK))  # noqa: PTH113 - False in a folder without permission
