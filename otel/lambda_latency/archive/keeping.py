"""Maintains an archive: merges small files, and removes old days.

Both are safe beside writers and readers: new files are written before old ones are removed, a duplicate row counts
once, and only files that were read are removed.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.archive.adding import plain, traces_of_accounts, write_accounts, write_spans
from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.layout import ACCOUNTS, SPANS, day_of, parse, written_s
from lambda_latency.archive.places import Place, working
from lambda_latency.archive.reading import open_archive, rows_of
from lambda_latency.files import unwritable
from lambda_latency.latency import Accounts, load
from lambda_latency.trace import LineIndex, Source

if TYPE_CHECKING:
    from lambda_latency.latency import Account

SECOND_NS = 1_000_000_000
DAY_NS = 24 * 3600 * SECOND_NS
SETTLED_S = 3600


class Compacted(NamedTuple):
    """The numbers of files before and after, and the number of traces recovered from a killed writer."""

    before: int
    after: int
    found: int


def compact(where: str, settled_s: float = SETTLED_S) -> Compacted:
    """Merges the files of each hour, and of each day and route. Raises ArchiveError.

    Spans written less than `settled_s` seconds ago stay: their writer may not have written their accounts yet.
    """
    place = open_archive(where)
    try:
        before = len(place.names(SPANS)) + len(place.names(ACCOUNTS))
        days = {name.split("/")[1] for name in place.names(SPANS)}
        days |= {one.day for name in place.names(ACCOUNTS) if (one := parse(name)) is not None}
        place.sweep(settled_s)
        found = sum(_compact_day(place, day, settled_s) for day in sorted(days))
        return Compacted(before, len(place.names(SPANS)) + len(place.names(ACCOUNTS)), found)
    except OSError as error:
        raise ArchiveError(unwritable(where, error), "nothing was lost: the old files still exist") from error


def prune(where: str, before_ns: int) -> int:
    """Removes the days that ended before `before_ns` (since 1970), and returns their number. Raises ArchiveError."""
    place = open_archive(where)
    last = day_of(before_ns - DAY_NS)
    try:
        # Accounts first: a compaction would recover spans without accounts, but never accounts without spans.
        accounts = [one for name in place.names(ACCOUNTS) if (one := parse(name)) is not None and one.day <= last]
        spans = [name for name in place.names(SPANS) if name.split("/")[1] <= last]
        for path in (*(one.path for one in accounts), *spans):
            place.remove(path)
    except OSError as error:
        raise ArchiveError(unwritable(where, error)) from error
    return len({one.day for one in accounts} | {name.split("/")[1] for name in spans})


def _compact_day(place: Place, day: str, settled_s: float) -> int:
    """Merges a day's files; returns the number of traces recovered that had no account."""
    from lambda_latency.archive.table import accounts_of

    begin = int(datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp()) * SECOND_NS
    table, files = rows_of(place, begin, begin + DAY_NS - 1)
    rows = accounts_of(table)
    of = dict(zip(table["trace_id"].to_pylist(), table["spans"].to_pylist(), strict=True))
    named = set(of.values())
    hours: dict[str, list[str]] = defaultdict(list)
    for name in place.names(f"{SPANS}/{day}"):
        if time.time() - written_s(name) >= settled_s:
            hours[name.rpartition("/")[0]].append(name)
    hours = {hour: names for hour, names in hours.items() if len(names) > 1 or not named.issuperset(names)}
    routes = Counter(one.rpartition("/")[0] for one in files)
    if not hours and max(routes.values(), default=0) < 2:
        return 0
    with working(place) as folder:
        done, paths = Accounts(), dict(of)
        for names in hours.values():
            for one, path in _hour(place, folder, set(names), of):
                done.append(one)
                paths[one.trace_id] = path
        ids = {one.trace_id for one in done}
        kept = [at for at in range(len(rows)) if rows.trace_id(at) not in ids]
        together = rows.take(kept)
        together.extend(done)
        write_accounts(place, folder, together.in_order(), paths)
    for name in (*files, *(name for names in hours.values() for name in names)):
        place.remove(name)
    return len(ids - of.keys())


def _hour(place: Place, folder: Path, names: set[str], of: Mapping[str, str]) -> Iterator[tuple[Account, str]]:
    """The requests of an hour's files, each with the path of the new file of its spans.

    A trace with a newer version in another file is skipped.
    """
    index = LineIndex()
    sources = [plain(Source(name, place.local(name, folder)), folder) for name in sorted(names)]
    accounts = load(sources, [], index=index).in_order()
    mine = [at for at in range(len(accounts)) if of.get(accounts.trace_id(at), min(names)) in names]
    yield from write_spans(place, folder, traces_of_accounts(accounts.take(mine), sources, index))
