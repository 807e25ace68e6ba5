"""The paths in an archive: spans by hour, breakdowns by day and route.

    archive.version
    spans/2026-11-27/14/NAME.jsonl.gz                  OTLP/JSON, a trace a line
    samples/2026-11-27/NAME.sample                     the same, of the requests whose spans a report reads
    accounts/day=2026-11-27/route=POST%20%2Forders/NAME.parquet
    archive.hourly, incoming/                          of the function that archives an account each hour

Days and hours are those of a request's start, in UTC. File names are unique.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import quote, unquote

MARK, SPANS, SAMPLES, ACCOUNTS = "archive.version", "spans", "samples", "accounts"
STATE, INCOMING = "archive.hourly", "incoming"
SECOND_NS = 1_000_000_000
LONGEST = 150  # bytes of a route; a file name has 255


class AccountsFile(NamedTuple):
    """A file of breakdowns: its path, its day, and its route (possibly shortened, see `in_path`)."""

    path: str
    day: str
    route: str


def day_of(ns: int) -> str:
    """Return the day of an instant (nanoseconds since 1970) in UTC: `2026-11-27`."""
    return datetime.fromtimestamp(ns // SECOND_NS, timezone.utc).date().isoformat()


def spans_path(ns: int) -> str:
    """Return the path of a new spans file for the hour of an instant (nanoseconds since 1970)."""
    return f"{spans_hour(ns)}/{new_name()}.jsonl.gz"


def sample_path(ns: int) -> str:
    """Return the path of a new file of samples for the day of an instant (nanoseconds since 1970).

    It has no ending of a trace file: a report that reads the spans of the folder must not read these twice.
    """
    return f"{SAMPLES}/{day_of(ns)}/{new_name()}.sample"


def spans_hour(ns: int) -> str:
    """Return the folder of the spans files for the hour of an instant (nanoseconds since 1970)."""
    hour = datetime.fromtimestamp(ns // SECOND_NS, timezone.utc)
    return f"{SPANS}/{hour.date().isoformat()}/{hour.hour:02}"


def breakdowns_path(day: str, route: str) -> str:
    """Return the path of a new file of breakdowns."""
    return f"{ACCOUNTS}/day={day}/route={in_path(route)}/{new_name()}.parquet"


def in_path(route: str) -> str:
    """Encode a route as a path component; a long one is shortened, with a hash that makes it unique."""
    encoded = quote(route, safe="")
    if len(encoded) <= LONGEST:
        return encoded
    return f"{_whole_letters(encoded[:LONGEST])}~{hashlib.sha256(route.encode()).hexdigest()[:16]}"


def _whole_letters(encoded: str) -> str:
    """Remove a letter that is encoded in part at the end: DuckDB cannot read a folder of such a name."""
    encoded = re.sub(r"%[0-9A-F]?\Z", "", encoded)
    while True:
        try:
            unquote(encoded, errors="strict")
        except UnicodeDecodeError:
            encoded = encoded[:-3]
        else:
            return encoded


def breakdowns_files(names: Iterable[str]) -> list[AccountsFile]:
    """Return the files of breakdowns among names of files."""
    return [file for name in names if (file := _parse(name)) is not None]


def _parse(path: str) -> AccountsFile | None:
    parts = path.split("/")
    if len(parts) != 4 or parts[0] != ACCOUNTS or not path.endswith(".parquet"):
        return None
    if not parts[1].startswith("day=") or not parts[2].startswith("route="):
        return None
    return AccountsFile(path, parts[1].removeprefix("day="), unquote(parts[2].removeprefix("route=")))


def new_name() -> str:
    """Return a unique file name. It has the current second and nanosecond in hex: names of one writer sort by time."""
    second, nanosecond = divmod(time.time_ns(), 1_000_000_000)
    return f"{second:010x}-{nanosecond:08x}{uuid.uuid4().hex[:12]}"


def written_s(path: str) -> int:
    """Return the second in a file name from `new_name`; 0 for other names."""
    try:
        return int(path.rpartition("/")[2].partition("-")[0], 16)
    except ValueError:
        return 0
