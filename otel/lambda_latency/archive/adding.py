"""Adds traces to an archive: first their spans, then their breakdowns. Each file is written atomically.

A trace that the archive already has is merged with the new spans: the newest row of a trace has all of its spans.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lambda_latency.archive.layout import (
    ACCOUNTS,
    SPANS,
    breakdowns_files,
    breakdowns_path,
    day_of,
    spans_path,
    written_s,
)
from lambda_latency.archive.places import ArchiveError, Place, need, working
from lambda_latency.archive.reading import ArchivedRequests, is_archive, open_archive, rows_of
from lambda_latency.files import unwritable
from lambda_latency.latency import SILENT, Breakdown, Breakdowns, Progress, breakdown_of, load
from lambda_latency.trace import (
    LineIndex,
    Problem,
    Source,
    Trace,
    dump_line,
    find_sources,
    find_traces,
    is_compressed,
)

AT_ONCE = 500  # traces in memory
HOUR_NS = 3600 * 1_000_000_000


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
            added, paths, spans = Breakdowns(), dict[str, str](), Counter[str]()
            with working(place) as folder:
                traces = traces_of_breakdowns(breakdowns, sources, index, archived)
                for request, path in write_spans(place, folder, traces, spans):
                    added.append(request)
                    paths[request.trace_id] = path
                write_breakdowns(place, folder, added, paths)
    except OSError as error:
        raise ArchiveError(unwritable(where, error), "files written before are complete") from error
    return Added(len(breakdowns), spans.total(), len(archived.breakdowns), problems)


def write_breakdowns(place: Place, folder: Path, breakdowns: Breakdowns, spans: Mapping[str, str]) -> None:
    """Write breakdowns, one file per day and route. `spans`: the path of the spans file by trace id."""
    import pyarrow.parquet as pq

    from lambda_latency.archive.table import table_of

    written_ns = time.time_ns()
    routes, indices_by_file = [kind.route for kind in breakdowns.kinds], defaultdict[tuple[str, str], list[int]](list)
    for index, (kind, start) in enumerate(zip(breakdowns.kind_of, breakdowns.starts_ns, strict=True)):
        indices_by_file[day_of(start), routes[kind]].append(index)
    for (day, route), members in indices_by_file.items():
        chosen = breakdowns.take(members)
        file = folder / "accounts.parquet"
        table = table_of(chosen, [spans[chosen.trace_id(index)] for index in range(len(chosen))], written_ns)
        pq.write_table(table, file, compression="zstd")
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


def traces_of_breakdowns(
    breakdowns: Breakdowns, sources: Sequence[Source], index: LineIndex, archived: ArchivedRequests | None = None
) -> Iterator[tuple[Breakdown, Trace]]:
    """Yield each request with its trace, in the given order. `archived` has older versions, which are merged."""
    for start in range(0, len(breakdowns), AT_ONCE):
        batch = breakdowns[start : start + AT_ONCE]
        trace_ids = [batch.trace_id(number) for number in range(len(batch))]
        traces = find_traces(sources, trace_ids, index)
        archived_traces = archived.find(trace_ids) if archived is not None else {}
        for request in batch:
            trace = traces[request.trace_id]
            if request.trace_id in archived_traces:
                trace = Trace([*archived_traces[request.trace_id].spans, *trace.spans])
                yield breakdown_of(trace), trace
            else:
                yield request, trace


def write_spans(
    place: Place, folder: Path, traces: Iterator[tuple[Breakdown, Trace]], span_counts: Counter[str] | None = None
) -> Iterator[tuple[Breakdown, str]]:
    """Write spans, one file per hour if they arrive in order, and yield each request with the path of its file.

    A file exists once the next hour begins, or at the end. `span_counts` counts the spans by path.
    """
    unfinished, hour = folder / f"{uuid.uuid4().hex}.gz", -1
    path, file = "", None
    try:
        for request, trace in traces:
            if request.start_ns // HOUR_NS != hour or file is None:
                _done(place, file, unfinished, path)
                hour, path = request.start_ns // HOUR_NS, spans_path(request.start_ns)
                file = gzip.open(unfinished, "wb", compresslevel=6)  # noqa: SIM115 - closed with the hour
            file.write(dump_line(trace.spans).encode())
            if span_counts is not None:
                span_counts[path] += len(trace.spans)
            yield request, path
        _done(place, file, unfinished, path)
        file = None
    finally:
        if file is not None:
            file.close()


def _done(place: Place, file: gzip.GzipFile | None, unfinished: Path, path: str) -> None:
    if file is not None:
        file.close()
        place.put(unfinished, path)


def plain(source: Source, folder: Path) -> Source:
    """Return a file with random access to its lines; a gzip file is decompressed into `folder`."""
    if not source.path.is_file() or not is_compressed(source) or not source.path.name.endswith(".gz"):
        return source
    path = folder / uuid.uuid4().hex
    with gzip.open(source.path, "rb") as packed, path.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return source._replace(path=path)


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
        spans = [name for name in place.names(SPANS) if name.split("/")[1] <= last_day]
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
    rows = breakdowns_of(table)
    file_of = dict(zip(table["trace_id"].to_pylist(), table["spans"].to_pylist(), strict=True))
    hours = _hours_to_merge(place, day, set(file_of.values()), settled_s)
    routes = Counter(file.rpartition("/")[0] for file in files)
    if not hours and max(routes.values(), default=0) < 2:
        return 0
    with working(place) as folder:
        merged, paths = Breakdowns(), dict(file_of)
        for names in hours:
            for request, path in _hour(place, folder, set(names), file_of):
                merged.append(request)
                paths[request.trace_id] = path
        ids = {request.trace_id for request in merged}
        breakdowns = rows.take([index for index in range(len(rows)) if rows.trace_id(index) not in ids])
        breakdowns.extend(merged)
        write_breakdowns(place, folder, breakdowns.in_order(), paths)
    for name in chain(files, *hours):
        place.remove(name)
    return len(ids - file_of.keys())


def _hours_to_merge(place: Place, day: str, in_use: set[str], settled_s: float) -> list[list[str]]:
    """Return the settled spans files of each hour that has several, or one without breakdowns."""
    hours: dict[str, list[str]] = defaultdict(list)
    for name in place.names(f"{SPANS}/{day}"):
        if time.time() - written_s(name) >= settled_s:
            hours[name.rpartition("/")[0]].append(name)
    return [names for names in hours.values() if len(names) > 1 or not in_use.issuperset(names)]


def _hour(place: Place, folder: Path, names: set[str], file_of: Mapping[str, str]) -> Iterator[tuple[Breakdown, str]]:
    """Yield the requests of an hour's files, each with the path of the new file of its spans.

    A trace with a newer version in another file is skipped.
    """
    index = LineIndex()
    sources = [plain(Source(name, place.local(name, folder)), folder) for name in sorted(names)]
    breakdowns = load(sources, [], index=index).in_order()
    newest = [index for index in range(len(breakdowns)) if file_of.get(breakdowns.trace_id(index), min(names)) in names]
    yield from write_spans(place, folder, traces_of_breakdowns(breakdowns.take(newest), sources, index))
