"""Reads requests from an archive: breakdowns by days and route, and the spans of selected traces."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lambda_latency.archive.layout import ACCOUNTS, MARK, breakdowns_files, day_of, in_path
from lambda_latency.archive.places import ArchiveError, Place, need, place_of, put_text
from lambda_latency.files import unwritable
from lambda_latency.latency import Breakdowns, is_read
from lambda_latency.trace import AttributedSpan, Source, Span, Trace, find_attributes, find_traces

VERSION = 1
MOST_FILES = 32  # files of spans
PATHS = ("trace_id", "spans", "sample")
T = TypeVar("T")
TRIES = 5  # a compaction may remove listed files


class ArchivedRequests(NamedTuple):
    """Requests of an archive. `paths`: a table of trace ids and the files of their spans, `PATHS`.

    `other_routes` has no requests, only the components and kinds of other routes' requests on the same days.
    """

    place: Place
    breakdowns: Breakdowns
    paths: Any
    other_routes: Breakdowns | None = None

    def files(self, trace_ids: Collection[str]) -> dict[str, str]:
        """Return the paths of the files with spans, by trace id: that of the sample, if the trace is in one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self.paths.filter(pc.is_in(self.paths["trace_id"], pa.array(list(trace_ids), pa.string())))
        columns = (rows[name].to_pylist() for name in PATHS)
        return {trace_id: sample or spans for trace_id, spans, sample in zip(*columns, strict=True)}

    def find(self, trace_ids: Collection[str]) -> dict[str, Trace]:
        """Find traces by id; a trace whose file was removed is absent."""
        traces: dict[str, Trace] = {}
        for source, ids in self._sources(trace_ids):
            traces |= find_traces([source], ids)
        return traces

    def spans_of(
        self, trace_ids: Collection[str], names: Callable[[str], bool] = is_read
    ) -> Iterator[Span | AttributedSpan]:
        """Yield the spans of traces, from the `MOST_FILES` files with most of them: a file is read as a whole.

        They have at least their attributes of these `names`.
        """
        for source, ids in self._sources(trace_ids, MOST_FILES):
            yield from find_attributes([source], ids, names)

    def _sources(self, trace_ids: Collection[str], limit: int | None = None) -> Iterator[tuple[Source, list[str]]]:
        """Yield the files with spans of traces, each with its trace ids. A file that was removed is absent."""
        by_file: dict[str, list[str]] = {}
        for trace_id, file in self.files(trace_ids).items():
            by_file.setdefault(file, []).append(trace_id)
        chosen = sorted(by_file, key=lambda file: (-len(by_file[file]), file))[:limit]
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
            for file in chosen:
                try:
                    path = self.place.local(file, Path(folder))
                except FileNotFoundError:
                    continue
                yield Source(file, path), by_file[file]


def is_archive(where: str) -> bool:
    """Return whether a folder is an archive; every URL counts as one."""
    if "://" in where:
        return True
    return os.path.isfile(Path(where, MARK))  # noqa: PTH113 - False in a folder without permission


def open_archive(where: str, *, make: bool = False) -> Place:
    """Return the archive's storage; `make` creates a missing one. Raises ArchiveError if it is not an archive."""
    need("pyarrow")
    place = place_of(where)
    try:
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
            try:
                version = json.loads(place.local(MARK, Path(folder)).read_text())["archive"]
            except FileNotFoundError:
                if not make:
                    raise ArchiveError(
                        f"{where} is not an archive",
                        f"create one: lambda-latency archive add FILE --archive {where}",
                        exit_status=2,
                    ) from None
                try:
                    put_text(place, MARK, json.dumps({"archive": VERSION}) + "\n")
                except OSError as error:
                    raise ArchiveError(unwritable(where, error)) from error
                return place
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(where, error) from error
    if version != VERSION:
        raise ArchiveError(f"{where} has archive version {version}, this command supports {VERSION}", "update it")
    return place


def rows_of(
    place: Place, since_ns: int | None = None, until_ns: int | None = None, route: str | None = None
) -> tuple[Any, list[str]]:
    """Return the newest row of each trace of the days and the route, and the files that were read.

    Whole days are read, whatever the times of day. Raises OSError.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lambda_latency.archive.table import SCHEMA, newest, with_callers

    def read(paths: Sequence[Path]) -> Any:
        tables = [with_callers(pq.read_table(path, schema=SCHEMA, partitioning=None)) for path in paths]
        return newest(pa.concat_tables([SCHEMA.empty_table(), *tables]).unify_dictionaries())

    return _read(place, lambda: _chosen(place, since_ns, until_ns, route), read)


def _read(place: Place, choose: Callable[[], list[str]], read: Callable[[Sequence[Path]], T]) -> tuple[T, list[str]]:
    """Read the chosen files of accounts; return also their names. Raises OSError."""
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):
            return _read_once(place, choose(), read)
    return _read_once(place, choose(), read)


def _read_once(place: Place, files: list[str], read: Callable[[Sequence[Path]], T]) -> tuple[T, list[str]]:
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())  # other pools retain what is released
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        paths = [place.local(file, Path(folder)) for file in files]
        try:
            return read(paths), files
        except pa.ArrowInvalid as error:
            broken = [file for file, path in zip(files, paths, strict=True) if not _has_footer(path)]
            raise ArchiveError(
                f"not accounts: {', '.join(broken) or error}", "remove it: archive compact reads its spans again"
            ) from error


def _has_footer(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(path)
    except pa.ArrowInvalid:
        return False
    return True


def read_requests(
    where: str, since_ns: int | None = None, until_ns: int | None = None, route: str | None = None
) -> ArchivedRequests:
    """Read the requests of the days and the route. Raises ArchiveError."""
    place = open_archive(where)
    from lambda_latency.archive.table import requests_in

    try:
        (breakdowns, paths), _ = _read(place, lambda: _chosen(place, since_ns, until_ns, route), requests_in)
        other_routes = None
        if route is not None:
            # A service that is traced on other routes is internal here, too.
            choose = partial(_chosen, place, since_ns, until_ns, route, other_routes=True)
            (excluded, _), _ = _read(place, choose, requests_in)
            other_routes = excluded.take([])
    except OSError as error:
        raise _unreadable(where, error) from error
    return ArchivedRequests(place, breakdowns, paths, other_routes)


def _chosen(
    place: Place, since_ns: int | None, until_ns: int | None, route: str | None, *, other_routes: bool = False
) -> list[str]:
    """Return the files of accounts of some days and a route, or with `other_routes` of all routes but that one."""
    first_day = day_of(since_ns) if since_ns is not None else ""
    last_day = day_of(until_ns) if until_ns is not None else "9999"
    part = f"/route={in_path(route)}/" if route is not None else ""
    names = (name for name in place.names(ACCOUNTS) if (part in name) is not other_routes)
    return [file.path for file in breakdowns_files(names) if first_day <= file.day <= last_day]


def _unreadable(where: str, error: Exception) -> ArchiveError:
    reason = error.strerror or str(error) if isinstance(error, OSError) else f"{MARK} cannot be read: {error}"
    return ArchiveError(f"{where} cannot be read: {reason}", "check the path, the bucket and the permission to read it")
