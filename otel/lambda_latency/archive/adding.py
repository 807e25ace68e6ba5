"""Adds traces to an archive: first their spans, then their accounts. Each file is written atomically.

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
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.layout import accounts_path, day_of, spans_path
from lambda_latency.archive.places import Place, need, working
from lambda_latency.archive.reading import Kept, is_archive, open_archive, rows_of
from lambda_latency.files import unwritable
from lambda_latency.latency import SILENT, Accounts, Progress, account, load
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

if TYPE_CHECKING:
    from lambda_latency.latency import Account

AT_ONCE = 500  # traces in memory
HOUR_NS = 3600 * 1_000_000_000


class Added(NamedTuple):
    """The numbers of traces and spans written, the number of traces known before, and the inputs not read."""

    traces: int
    spans: int
    known: int
    problems: list[Problem]


def add(
    where: str,
    files: Sequence[str | Path],
    progress: Progress = SILENT,
    spool: Callable[[str], Path] | None = None,
) -> Added:
    """Adds the traces of files to an archive; creates a missing one if there are any. Raises ArchiveError.

    `spool` copies standard input or a pipe to a file.
    """
    need("pyarrow")
    place = open_archive(where, make=True) if is_archive(where) else None
    problems: list[Problem] = []
    try:
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as unpacked:
            sources = [plain(one, Path(unpacked)) for one in find_sources(files, problems, spool)]
            index = LineIndex()
            accounts = load(sources, problems, progress, index).in_order()
            if not accounts:
                return Added(0, 0, 0, problems)
            place = place or open_archive(where, make=True)
            known = _known(place, accounts)
            written, paths, spans = Accounts(), dict[str, str](), Counter[str]()
            with working(place) as folder:
                traces = traces_of_accounts(accounts, sources, index, known)
                for one, path in write_spans(place, folder, traces, spans):
                    written.append(one)
                    paths[one.trace_id] = path
                write_accounts(place, folder, written, paths)
    except OSError as error:
        raise ArchiveError(unwritable(where, error), "files written before are complete") from error
    return Added(len(accounts), spans.total(), len(known.accounts), problems)


def write_accounts(place: Place, folder: Path, accounts: Accounts, spans: Mapping[str, str]) -> None:
    """Writes accounts, one file per day and route. `spans`: the path of the spans file by trace id."""
    import pyarrow.parquet as pq

    from lambda_latency.archive.table import table_of

    written_ns = time.time_ns()
    routes, places = [kind.route for kind in accounts.kinds], defaultdict[tuple[str, str], list[int]](list)
    for at, (kind, start) in enumerate(zip(accounts.kind_of, accounts.starts_ns, strict=True)):
        places[day_of(start), routes[kind]].append(at)
    for (day, route), members in places.items():
        some = accounts.take(members)
        aside = folder / "accounts.parquet"
        table = table_of(some, [spans[some.trace_id(at)] for at in range(len(some))], written_ns)
        pq.write_table(table, aside, compression="zstd")
        place.put(aside, accounts_path(day, route))


def _known(place: Place, accounts: Accounts) -> Kept:
    """The given traces that the archive already has, on the days around them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from lambda_latency.archive.table import accounts_of

    table, _ = rows_of(place, min(accounts.starts_ns) - HOUR_NS, max(accounts.starts_ns) + HOUR_NS)
    wanted = pa.array([accounts.trace_id(at) for at in range(len(accounts))])
    table = table.filter(pc.is_in(table["trace_id"], wanted))
    return Kept(place, accounts_of(table), table)


def traces_of_accounts(
    accounts: Accounts, sources: Sequence[Source], index: LineIndex, known: Kept | None = None
) -> Iterator[tuple[Account, Trace]]:
    """Each request with its trace, in the given order. `known`: older versions in the archive, which are merged."""
    for first in range(0, len(accounts), AT_ONCE):
        some = accounts[first : first + AT_ONCE]
        wanted = [some.trace_id(at) for at in range(len(some))]
        found = find_traces(sources, wanted, index)
        before = known.find(wanted) if known is not None else {}
        for one in some:
            trace = found[one.trace_id]
            if one.trace_id in before:
                trace = Trace([*before[one.trace_id].spans, *trace.spans])
                yield account(trace), trace
            else:
                yield one, trace


def write_spans(
    place: Place, folder: Path, traces: Iterator[tuple[Account, Trace]], counted: Counter[str] | None = None
) -> Iterator[tuple[Account, str]]:
    """Writes spans, one file per hour if they arrive in order; yields each request with the path of its file.

    A file exists once the next hour begins, or at the end. `counted` counts the spans by path.
    """
    aside, hour = folder / f"{uuid.uuid4().hex}.gz", -1
    path, file = "", None
    try:
        for one, trace in traces:
            if one.start_ns // HOUR_NS != hour or file is None:
                _done(place, file, aside, path)
                hour, path = one.start_ns // HOUR_NS, spans_path(one.start_ns)
                file = gzip.open(aside, "wb", compresslevel=6)  # noqa: SIM115 - closed with the hour
            file.write(dump_line(trace.spans).encode())
            if counted is not None:
                counted[path] += len(trace.spans)
            yield one, path
        _done(place, file, aside, path)
        file = None
    finally:
        if file is not None:
            file.close()


def _done(place: Place, file: gzip.GzipFile | None, aside: Path, path: str) -> None:
    if file is not None:
        file.close()
        place.put(aside, path)


def plain(source: Source, folder: Path) -> Source:
    """A file with random access to its lines; a gzip file is decompressed into `folder`."""
    if not source.path.is_file() or not is_compressed(source) or not source.path.name.endswith(".gz"):
        return source
    path = folder / uuid.uuid4().hex
    with gzip.open(source.path, "rb") as packed, path.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return source._replace(path=path)
