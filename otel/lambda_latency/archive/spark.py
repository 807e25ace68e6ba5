"""Makes breakdowns of an archive's spans on Spark, by the functions that make those of a report.

Lines are grouped by trace id, and each group is judged alone. The executors need this package with its extra
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

from lambda_latency.archive.layout import SPANS, day_of, spans_hour, written_s
from lambda_latency.archive.places import ArchiveError, place_of
from lambda_latency.archive.reading import PATHS, ArchivedRequests, open_archive
from lambda_latency.archive.sql import COLUMNS, type_of
from lambda_latency.latency import DEFAULT_OPTIONS, AnalysisOptions, Analyzer, Breakdowns
from lambda_latency.trace import Problem, Reader

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LINES = "trace_id string, spans string, line binary"
ROWS = ", ".join(f"{name} {type_of(kind)}" for name, kind in (*COLUMNS, ("day", "string"), ("route", "string")))
TRACE_ID = re.compile(rb'"traceId":"([0-9a-f]{32})"')  # in a string its quotes are escaped
MOST_TASKS = 1_000  # that read files
LINES_BYTES = 4 * 1024 * 1024  # of a batch
AT_ONCE = 200  # lines that are parsed together


def accounts(
    session: SparkSession,
    where: str,
    since_ns: int | None = None,
    until_ns: int | None = None,
    options: AnalysisOptions = DEFAULT_OPTIONS,
) -> DataFrame:
    """Return a row for each request, with the columns of the view `accounts`; Spark reads the spans when it needs them.

    `since_ns` and `until_ns` (since 1970) choose whole hours. Raises ArchiveError if `where` is not an archive.
    """
    place = open_archive(where)
    first_hour = spans_hour(since_ns) if since_ns is not None else ""
    last_hour = spans_hour(until_ns) + "0" if until_ns is not None else "~"  # "0" sorts after "/"
    try:
        files = [name for name in place.names(SPANS) if first_hour <= name < last_hour]
    except OSError as error:
        raise ArchiveError(f"{where} cannot be read: {error}") from error
    paths = session.createDataFrame([(file,) for file in files], "path string")
    spans_lines = paths.repartition(max(1, min(len(files), MOST_TASKS))).mapInArrow(partial(lines, where), LINES)
    sorted_lines = spans_lines.repartition("trace_id").sortWithinPartitions("trace_id")
    return sorted_lines.mapInArrow(partial(judged, options=options), ROWS)


def collect(frame: DataFrame, where: str) -> ArchivedRequests:
    """Return the requests of `accounts` on the driver, as `report` reads them: about 150 bytes per request."""
    from lambda_latency.archive.table import breakdowns_of

    table = frame.toArrow()
    return ArchivedRequests(place_of(where), breakdowns_of(table).in_order(), table.select(PATHS))


def lines(where: str, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the lines of spans files with their trace ids, from Arrow batches of paths. Raises ArchiveError."""
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
        columns = [pa.array(ids, pa.string()), pa.array([path] * len(ids)), pa.array(buffered, pa.binary())]
        return pa.RecordBatch.from_arrays(columns, ["trace_id", "spans", "line"])

    ids: list[str] = []
    buffered: list[bytes] = []
    size = 0
    for line in file:
        match = TRACE_ID.search(line)
        if match is None:
            raise ArchiveError(f"{path} has a line without a trace id", "restore the file, or remove it")
        ids.append(match[1].decode())
        buffered.append(line)
        size += len(line)
        if size >= LINES_BYTES:
            yield batch()
            ids, buffered, size = [], [], 0
    if buffered:
        yield batch()


def judged(batches: Iterable[Any], options: AnalysisOptions = DEFAULT_OPTIONS) -> Iterator[Any]:
    """Yield the breakdowns of traces, from Arrow batches of their lines, sorted by trace id. Raises ArchiveError."""
    reader, files, last_id = Reader(), dict[str, str](), ""
    for batch in batches:
        batch_breakdowns = Breakdowns()
        analyzer = Analyzer(batch_breakdowns, options)
        ids, paths, trace_lines = (batch.column(name).to_pylist() for name in ("trace_id", "spans", "line"))
        for trace_id, path in zip(ids, paths, strict=True):
            files[trace_id] = max(files.get(trace_id, ""), path, key=lambda name: (written_s(name), name))
        for start in range(0, len(trace_lines), AT_ONCE):
            reader.read(trace_lines[start : start + AT_ONCE], _broken)
            last_id = ids[min(start + AT_ONCE, len(ids)) - 1]
            rows = reader.traces.pop(last_id)  # more of them may come
            analyzer.take(reader.traces, [])
            reader.traces[last_id] = rows
        if batch_breakdowns:
            yield from _rows(batch_breakdowns, files)
            files = {last_id: files[last_id]}
    if reader.traces:
        batch_breakdowns, problems = Breakdowns(), list[Problem]()
        Analyzer(batch_breakdowns, options).take(reader.traces, problems)
        yield from _rows(batch_breakdowns, files)


def _broken(_: int, reason: str) -> None:
    raise ArchiveError(f"a line of the archive cannot be read: {reason}", "restore its file, or remove it")


def _rows(requests: Breakdowns, files: dict[str, str]) -> Iterator[Any]:
    import pyarrow as pa

    from lambda_latency.archive.table import plain, table_of

    paths = [files[requests.trace_id(index)] for index in range(len(requests))]
    table = table_of(requests, paths, time.time_ns(), [None] * len(requests))
    table = table.append_column("day", pa.array(map(day_of, requests.starts_ns), pa.string()))
    names = [*(name for name, _ in COLUMNS), "day", "route"]
    yield from plain(table.select(names)).to_batches()
