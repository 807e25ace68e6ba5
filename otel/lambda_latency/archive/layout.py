"""Where things are in an archive: spans by hour, accounts by day and route.

    archive.version
    spans/2026-11-27/14/NAME.jsonl.gz                  OTLP/JSON, a trace a line
    accounts/day=2026-11-27/route=POST%20%2Forders/NAME.parquet

Days and hours are in UTC, of the begin of a request. The names of files are never used twice.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import quote, unquote

__all__ = [
    "ACCOUNTS",
    "MARK",
    "SPANS",
    "AccountsFile",
    "accounts_path",
    "day_of",
    "in_path",
    "new_name",
    "parse",
    "spans_path",
    "written_s",
]

MARK, SPANS, ACCOUNTS = "archive.version", "spans", "accounts"
SECOND_NS = 1_000_000_000
LONGEST = 150  # bytes of a route in a path, of 255 that a file's name may have


class AccountsFile(NamedTuple):
    """A file of accounts: its path, its day, and its route as it is in the path."""

    path: str
    day: str
    route: str


def day_of(ns: int) -> str:
    """`2026-11-27`."""
    return datetime.fromtimestamp(ns // SECOND_NS, timezone.utc).date().isoformat()


def spans_path(ns: int) -> str:
    """A new file for spans of the hour of this instant."""
    hour = datetime.fromtimestamp(ns // SECOND_NS, timezone.utc)
    return f"{SPANS}/{hour.date().isoformat()}/{hour.hour:02}/{new_name()}.jsonl.gz"


def accounts_path(day: str, route: str) -> str:
    """A new file for accounts."""
    return f"{ACCOUNTS}/day={day}/route={in_path(route)}/{new_name()}.parquet"


def in_path(route: str) -> str:
    """A route in a path; a long one is cut, and told apart by a hash."""
    whole = quote(route, safe="")
    if len(whole) <= LONGEST:
        return whole
    return f"{whole[:LONGEST]}~{hashlib.sha256(route.encode()).hexdigest()[:16]}"


def parse(path: str) -> AccountsFile | None:
    """What the path of a file of accounts says; None for another file."""
    parts = path.split("/")
    if len(parts) != 4 or parts[0] != ACCOUNTS or not path.endswith(".parquet"):
        return None
    if not parts[1].startswith("day=") or not parts[2].startswith("route="):
        return None
    return AccountsFile(path, parts[1].removeprefix("day="), unquote(parts[2].removeprefix("route=")))


def new_name() -> str:
    """A name that no other writer takes; it begins with the second in which it was made."""
    return f"{int(time.time()):010x}-{uuid.uuid4().hex[:20]}"


def written_s(path: str) -> int:
    """When the name of a file was made; 0 where it is not one of ours."""
    try:
        return int(path.rpartition("/")[2].partition("-")[0], 16)
    except ValueError:
        return 0
