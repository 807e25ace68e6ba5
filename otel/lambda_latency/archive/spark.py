"""Accounts of an archive's spans on Spark, made by the functions that make those of a report.

Lines are grouped by trace id, and each group is judged by itself. The executors need this package with its extra
`archive`; for a bucket, also fsspec's package for it.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.layout import SPANS, day_of, spans_hour, written_s
from lambda_latency.archive.places import place_of
from lambda_latency.archive.reading import Kept, open_archive
from lambda_latency.archive.sql import COLUMNS, type_of
from lambda_latency.latency import USUAL, Accounts, Judge, Terms
from lambda_latency.trace import Problem, Reader

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LINES = "trace_id string, spans string, line binary"
ROWS = ", ".join(f"{name} {type_of(kind)}" for name, kind in (*COLUMNS, ("day", "string"), ("route", "string")))
TRACE_ID = re.compile(rb'"traceId":"([0-9a-f]{32})"')  # in a string of JSON its quotes would be escaped
MOST_TASKS = 1_000  # that read files
LINES_BYTES = 4 * 1024 * 1024  # in one batch between Python and Spark
AT_ONCE = 200  # lines that are parsed together


def accounts(
    session: SparkSession, where: str, since_ns: int | None = None, until_ns: int | None = None, terms: Terms = USUAL
) -> DataFrame:
    """A row for each request, with the columns of the view `accounts`; the spans are read when Spark asks for them.

    `since_ns` and `until_ns` (since 1970) choose whole hours. Raises ArchiveError if `where` is not an archive.
    """
    place = open_archive(where)
    first = spans_hour(since_ns) if since_ns is not None else ""
    last = spans_hour(until_ns) + "0" if until_ns is not None else "~"  # "0" sorts after "/"
    try:
        files = [one for one in place.names(SPANS) if first <= one < last]
    except OSError as error:
        raise ArchiveError(f"{where} cannot be read: {error}") from error
    paths = session.createDataFrame([(one,) for one in files], "path string")
    every = paths.repartition(max(1, min(len(files), MOST_TASKS))).mapInArrow(partial(lines, where), LINES)
    sorted_ = every.repartition("trace_id").sortWithinPartitions("trace_id")
    return sorted_.mapInArrow(partial(judged, terms=terms), ROWS)


def collect(frame: DataFrame, where: str) -> Kept:
    """The requests of `accounts` on the driver, as `report` reads them from an archive: about 150 bytes a request."""
    from lambda_latency.archive.table import accounts_of

    table = frame.toArrow()
    return Kept(place_of(where), accounts_of(table).in_order(), table.select(["trace_id", "spans"]))


def lines(where: str, batches: Iterable[Any]) -> Iterator[Any]:
    """The lines of spans files with their trace ids, from Arrow batches of paths. Raises ArchiveError."""
    place = place_of(where)
    for batch in batches:
        for path in batch.column("path").to_pylist():
            with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
                try:
                    with gzip.open(place.local(path, Path(folder)), "rb") as file:
                        yield from _of_file(path, file)
                except FileNotFoundError:
                    raise ArchiveError(f"{path} was removed while it was to be read", "run the job again") from None


def _of_file(path: str, file: Iterable[bytes]) -> Iterator[Any]:
    import pyarrow as pa

    def batch() -> Any:
        columns = [pa.array(ids, pa.string()), pa.array([path] * len(ids)), pa.array(some, pa.binary())]
        return pa.RecordBatch.from_arrays(columns, ["trace_id", "spans", "line"])

    ids: list[str] = []
    some: list[bytes] = []
    size = 0
    for line in file:
        found = TRACE_ID.search(line)
        if found is None:
            raise ArchiveError(f"{path} has a line without a trace id", "restore the file, or remove it")
        ids.append(found[1].decode())
        some.append(line)
        size += len(line)
        if size >= LINES_BYTES:
            yield batch()
            ids, some, size = [], [], 0
    if some:
        yield batch()


def judged(batches: Iterable[Any], terms: Terms = USUAL) -> Iterator[Any]:
    """The accounts of traces, from Arrow batches of their lines, sorted by trace id. Raises ArchiveError."""
    reader, files, last = Reader(), dict[str, str](), ""
    for batch in batches:
        found = Accounts()
        judge = Judge(found, terms)
        ids, paths, some = (batch.column(name).to_pylist() for name in ("trace_id", "spans", "line"))
        for trace_id, path in zip(ids, paths, strict=True):
            files[trace_id] = max(files.get(trace_id, ""), path, key=_written)
        for first in range(0, len(some), AT_ONCE):
            reader.read(some[first : first + AT_ONCE], _broken)
            last = ids[min(first + AT_ONCE, len(ids)) - 1]
            rows = reader.traces.pop(last)  # more of them may come
            judge.take(reader.traces, [])
            reader.traces[last] = rows
        if found:
            yield from _rows(found, files)
            files = {last: files[last]}
    if reader.traces:
        found, problems = Accounts(), list[Problem]()
        Judge(found, terms).take(reader.traces, problems)
        yield from _rows(found, files)


def _written(path: str) -> tuple[int, str]:
    return written_s(path), path


def _broken(_: int, reason: str) -> None:
    raise ArchiveError(f"a line of the archive cannot be read: {reason}", "restore its file, or remove it")


def _rows(found: Accounts, files: dict[str, str]) -> Iterator[Any]:
    import pyarrow as pa

    from lambda_latency.archive.table import plain, table_of

    table = table_of(found, [files[found.trace_id(at)] for at in range(len(found))], time.time_ns())
    table = table.append_column("day", pa.array(map(day_of, found.starts_ns), pa.string()))
    names = [*(name for name, _ in COLUMNS), "day", "route"]
    yield from plain(table.select(names)).to_batches()
