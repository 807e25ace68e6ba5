"""Reads requests from an archive: accounts by days and route, and the spans of selected traces."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.layout import ACCOUNTS, MARK, AccountsFile, day_of, in_path, parse
from lambda_latency.archive.places import Place, need, place_of, working
from lambda_latency.files import unwritable
from lambda_latency.trace import PLAIN, Source, Span, Trace, View, find_spans, find_traces

if TYPE_CHECKING:
    from lambda_latency.latency import Accounts

VERSION = 1
MOST_FILES = 32  # of spans that are read for what slow requests depend on
TRIES = 5  # a concurrent compaction may remove listed files


class Kept(NamedTuple):
    """Requests of an archive. `paths`: a table of trace ids and the files of their spans.

    `beside` contains no requests, only the parts and kinds of other routes' requests on the same days.
    """

    place: Place
    accounts: Accounts
    paths: Any
    beside: Accounts | None = None

    def files(self, trace_ids: Collection[str]) -> dict[str, str]:
        """The paths of spans files, by trace id."""
        import pyarrow as pa
        import pyarrow.compute as pc

        some = self.paths.filter(pc.is_in(self.paths["trace_id"], pa.array(list(trace_ids), pa.string())))
        return dict(zip(some["trace_id"].to_pylist(), some["spans"].to_pylist(), strict=True))

    def find(self, trace_ids: Collection[str], view: View = PLAIN) -> dict[str, Trace]:
        """Traces by id; a trace whose file was removed is absent."""
        found: dict[str, Trace] = {}
        for source, wanted in self._sources(trace_ids):
            found |= find_traces([source], wanted, view=view)
        return found

    def spans_of(self, trace_ids: Collection[str]) -> Iterator[Span]:
        """The spans of traces, from the `MOST_FILES` files with most of them: a file is read as a whole."""
        for source, wanted in self._sources(trace_ids, MOST_FILES):
            yield from find_spans([source], wanted)

    def _sources(self, trace_ids: Collection[str], most: int | None = None) -> Iterator[tuple[Source, list[str]]]:
        """The files with spans of some traces, and which of the traces each has. A file that was removed is absent."""
        by_file: dict[str, list[str]] = {}
        for one, file in self.files(trace_ids).items():
            by_file.setdefault(file, []).append(one)
        chosen = sorted(by_file.items(), key=lambda one: (-len(one[1]), one[0]))[:most]
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
            for file, wanted in chosen:
                try:
                    path = self.place.local(file, Path(folder))
                except FileNotFoundError:
                    continue
                yield Source(file, path), wanted


def is_archive(where: str) -> bool:
    """Whether a folder is an archive; every URL is taken for one."""
    if "://" in where:
        return True
    return os.path.isfile(Path(where, MARK))  # noqa: PTH113 - False in a folder without permission


def open_archive(where: str, *, make: bool = False) -> Place:
    """The archive's storage; `make` creates a missing one. Raises ArchiveError if it is not an archive."""
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
                mark = Path(folder, MARK)
                mark.write_text(json.dumps({"archive": VERSION}) + "\n")
                try:
                    _put_mark(place, mark)
                except OSError as error:
                    raise ArchiveError(unwritable(where, error)) from error
                return place
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(where, error) from error
    if version != VERSION:
        raise ArchiveError(f"{where} has archive version {version}, this command supports {VERSION}", "update it")
    return place


def rows_of(
    place: Place,
    since_ns: int | None = None,
    until_ns: int | None = None,
    route: str | None = None,
    *,
    other: bool = False,
) -> tuple[Any, list[str]]:
    """The newest row of each trace of the days and the route, and the files that were read.

    Whole days are read, whatever the times of day. `other`: all routes but that one. Raises OSError.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lambda_latency.archive.table import SCHEMA, newest, with_callers

    for left in reversed(range(TRIES)):
        files = [one.path for one in _chosen(place, since_ns, until_ns, route, other=other)]
        try:
            with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
                tables = [with_callers(pq.read_table(place.local(one, Path(folder)), schema=SCHEMA, partitioning=None))
                          for one in files]  # fmt: skip
        except FileNotFoundError:
            if not left:
                raise
            continue
        break
    table = pa.concat_tables([SCHEMA.empty_table(), *tables]).unify_dictionaries()
    return newest(table), files


def read_kept(where: str, since_ns: int | None = None, until_ns: int | None = None, route: str | None = None) -> Kept:
    """The requests of the days and the route. Raises ArchiveError."""
    place = open_archive(where)
    from lambda_latency.archive.table import accounts_of

    try:
        table, _ = rows_of(place, since_ns, until_ns, route)
        beside = _names(place, since_ns, until_ns, route) if route is not None else None
    except OSError as error:
        raise _unreadable(where, error) from error
    return Kept(place, accounts_of(table), table.select(["trace_id", "spans"]), beside)


def _names(place: Place, since_ns: int | None, until_ns: int | None, route: str) -> Accounts:
    """The parts of other routes' requests: a service that is traced there counts as the app's own here, too."""
    from lambda_latency.archive.table import accounts_of

    table, _ = rows_of(place, since_ns, until_ns, route, other=True)
    every = accounts_of(table)
    return every.take([])


def _chosen(
    place: Place, since_ns: int | None, until_ns: int | None, route: str | None, *, other: bool
) -> list[AccountsFile]:
    first = day_of(since_ns) if since_ns is not None else ""
    last = day_of(until_ns) if until_ns is not None else "9999"
    wanted = f"/route={in_path(route)}/" if route is not None else ""
    named = (name for name in place.names(ACCOUNTS) if (wanted in name) is not other)
    found = [one for name in named if (one := parse(name)) is not None]
    return [one for one in found if first <= one.day <= last]


def _put_mark(place: Place, mark: Path) -> None:
    with working(place) as folder:
        aside = folder / MARK
        aside.write_bytes(mark.read_bytes())
        place.put(aside, MARK)


def _unreadable(where: str, error: Exception) -> ArchiveError:
    reason = error.strerror or str(error) if isinstance(error, OSError) else f"{MARK} cannot be read: {error}"
    return ArchiveError(f"{where} cannot be read: {reason}", "check the path, the bucket and the permission to read it")
