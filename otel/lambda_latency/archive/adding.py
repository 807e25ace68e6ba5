"""Adds traces to an archive: first their spans, then their breakdowns. Each file is written atomically.

A trace that the archive already has is merged with the new spans: the newest row of a trace has all of its spans.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lambda_latency.archive.layout import (
    ACCOUNTS,
    SAMPLES,
    SPANS,
    breakdowns_files,
    breakdowns_path,
    day_of,
    written_s,
)
from lambda_latency.archive.places import ArchiveError, Place, need, working
from lambda_latency.archive.reading import PATHS, ArchivedRequests, is_archive, open_archive, rows_of
from lambda_latency.archive.writing import HOUR_NS, AddedRequests, Rows, SpansWriter, write_spans
from lambda_latency.files import unwritable
from lambda_latency.latency import SILENT, Breakdowns, Progress, load
from lambda_latency.trace import LineIndex, Problem, Source, find_sources, is_compressed, unpack


class Added(NamedTuple):
    """The numbers of traces and spans written and of traces merged with archived ones, and the inputs not read."""

    traces: int
    spans: int
    merged: int
    problems: list[Problem]


def add(
    where: str,
    files: Sequence[str | Path],
    progress: Progress = SILENT,
    spool: Callable[[str], Path] | None = None,
) -> Added:
    """Add the traces of files to an archive; if there are any, a missing archive is created. Raises ArchiveError.

    `spool` copies standard input or a pipe to a file.
    """
    need("pyarrow")
    place = open_archive(where, make=True) if is_archive(where) else None
    problems: list[Problem] = []
    try:
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as unpacked:
            sources = [plain(source, Path(unpacked)) for source in find_sources(files, problems, spool)]
            index = LineIndex()
            breakdowns = load(sources, problems, progress, index).in_order()
            if not breakdowns:
                return Added(0, 0, 0, problems)
            place = place or open_archive(where, make=True)
            archived = _archived(place, breakdowns)
            requests = AddedRequests(sources, index, breakdowns, archived)
            with working(place) as folder:
                rows = write_spans(where, folder, requests, progress)
                write_breakdowns(place, folder, rows)
    except OSError as error:
        raise ArchiveError(unwritable(where, error), "files written before are complete") from error
    return Added(len(breakdowns), rows.count, len(archived.breakdowns), problems)


def write_breakdowns(place: Place, folder: Path, rows: Rows) -> None:
    """Write breakdowns, one file per day and route."""
    import pyarrow.parquet as pq

    from lambda_latency.archive.table import table_of

    written_ns, breakdowns = time.time_ns(), rows.breakdowns
    routes, indices_by_file = [kind.route for kind in breakdowns.kinds], defaultdict[tuple[str, str], list[int]](list)
    for index, (kind, start) in enumerate(zip(breakdowns.kind_of, breakdowns.starts_ns, strict=True)):
        indices_by_file[day_of(start), routes[kind]].append(index)
    for (day, route), members in indices_by_file.items():
        chosen = breakdowns.take(members)
        file = folder / "accounts.parquet"
        ids = [chosen.trace_id(index) for index in range(len(chosen))]
        spans, samples = list(map(rows.spans.__getitem__, ids)), list(map(rows.samples.get, ids))
        pq.write_table(table_of(chosen, spans, written_ns, samples), file, compression="zstd")
        place.put(file, breakdowns_path(day, route))


def _archived(place: Place, breakdowns: Breakdowns) -> ArchivedRequests:
    """Return the requests that the archive already has, from the days around them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from lambda_latency.archive.table import breakdowns_of

    table, _ = rows_of(place, min(breakdowns.starts_ns) - HOUR_NS, max(breakdowns.starts_ns) + HOUR_NS)
    trace_ids = pa.array([breakdowns.trace_id(index) for index in range(len(breakdowns))])
    table = table.filter(pc.is_in(table["trace_id"], trace_ids))
    return ArchivedRequests(place, breakdowns_of(table), table)


def plain(source: Source, folder: Path) -> Source:
    """Return a file with random access to its lines: a packed one is unpacked into `folder`, if that has no error."""
    if not source.path.is_file() or not is_compressed(source):
        return source
    path = folder / uuid.uuid4().hex
    return source._replace(path=path) if unpack(source, path) else source


DAY_NS = 24 * HOUR_NS
SETTLED_S = 3600


class Compacted(NamedTuple):
    """The numbers of files before and after, and the number of traces recovered from a killed writer."""

    files_before: int
    files_after: int
    recovered: int


def compact(where: str, settled_s: float = SETTLED_S) -> Compacted:
    """Merge the files of each hour, and of each day and route. Raises ArchiveError.

    Spans written less than `settled_s` seconds ago stay: their writer may not have written their breakdowns yet.
    """
    place = open_archive(where)
    try:
        files_before = len(place.names(SPANS)) + len(place.names(ACCOUNTS))
        days = {name.split("/")[1] for name in place.names(SPANS)}
        days |= {file.day for file in breakdowns_files(place.names(ACCOUNTS))}
        place.sweep(settled_s)
        recovered = sum(_compact_day(place, day, settled_s) for day in sorted(days))
        return Compacted(files_before, len(place.names(SPANS)) + len(place.names(ACCOUNTS)), recovered)
    except OSError as error:
        raise ArchiveError(unwritable(where, error), "nothing was lost: the old files still exist") from error


def prune(where: str, before_ns: int) -> int:
    """Remove the days that ended before `before_ns` (since 1970), and return their number. Raises ArchiveError."""
    place = open_archive(where)
    last_day = day_of(before_ns - DAY_NS)
    try:
        # Breakdowns first: a compaction would recover spans without breakdowns, but never breakdowns without spans.
        breakdowns = [file for file in breakdowns_files(place.names(ACCOUNTS)) if file.day <= last_day]
        names = [*place.names(SPANS), *place.names(SAMPLES)]
        spans = [name for name in names if name.split("/")[1] <= last_day]
        for path in (*(file.path for file in breakdowns), *spans):
            place.remove(path)
    except OSError as error:
        raise ArchiveError(unwritable(where, error)) from error
    return len({file.day for file in breakdowns} | {name.split("/")[1] for name in spans})


def _compact_day(place: Place, day: str, settled_s: float) -> int:
    """Merge a day's files and return the number of traces that were recovered: they had no account."""
    from lambda_latency.archive.table import breakdowns_of

    begin = int(datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp()) * 10**9
    table, files = rows_of(place, begin, begin + DAY_NS - 1)
    trace_ids, spans, samples = (table[name].to_pylist() for name in PATHS)
    rows = Rows(breakdowns_of(table), dict(zip(trace_ids, spans, strict=True)))
    rows.samples = dict(pair for pair in zip(trace_ids, samples, strict=True) if pair[1] is not None)
    hours = _hours_to_merge(place, day, set(rows.spans.values()), settled_s)
    unused = set(_settled(place.names(f"{SAMPLES}/{day}"), settled_s)) - set(rows.samples.values())
    replaced = sorted(unused)
    routes, recovered = Counter(file.rpartition("/")[0] for file in files), 0
    if hours or max(routes.values(), default=0) > 1:
        recovered = _merge(place, rows, hours)
        replaced += [*files, *chain.from_iterable(hours)]
    for name in replaced:
        place.remove(name)
    return recovered


def _merge(place: Place, rows: Rows, hours: Sequence[Sequence[str]]) -> int:
    """Write the rows of a day anew, and the spans of some of its hours; return the number of recovered traces."""
    merged, breakdowns = Rows(), rows.breakdowns
    with working(place) as folder:
        for names in hours:
            merged.extend(_hour(place, folder, set(names), rows.spans))
        recovered = len(merged.spans.keys() - rows.spans.keys())
        unmerged = [index for index in range(len(breakdowns)) if breakdowns.trace_id(index) not in merged.spans]
        rows.breakdowns = breakdowns.take(unmerged)
        rows.extend(merged)
        rows.breakdowns = rows.breakdowns.in_order()
        write_breakdowns(place, folder, rows)
    return recovered


def _hours_to_merge(place: Place, day: str, in_use: set[str], settled_s: float) -> list[list[str]]:
    """Return the settled spans files of each hour that has several, or one without breakdowns."""
    hours: dict[str, list[str]] = defaultdict(list)
    for name in _settled(place.names(f"{SPANS}/{day}"), settled_s):
        hours[name.rpartition("/")[0]].append(name)
    return [names for names in hours.values() if len(names) > 1 or not in_use.issuperset(names)]


def _settled(names: Iterable[str], settled_s: float) -> list[str]:
    return [name for name in names if time.time() - written_s(name) >= settled_s]


def _hour(place: Place, folder: Path, names: set[str], file_of: Mapping[str, str]) -> Rows:
    """Write the requests of an hour's files to one file. A trace with a newer version in another file is skipped."""
    index = LineIndex()
    sources = [plain(Source(name, place.local(name, folder)), folder) for name in sorted(names)]
    breakdowns = load(sources, [], index=index).in_order()
    newest = [index for index in range(len(breakdowns)) if file_of.get(breakdowns.trace_id(index), min(names)) in names]
    requests = AddedRequests(sources, index, breakdowns.take(newest))
    return SpansWriter(place.name, folder, requests, frozenset()).write((0, len(newest)))
