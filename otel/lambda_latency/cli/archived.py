"""Archives as the input of a report: `DIR` or `s3://...`; a baseline may also be `DIR@7d`, the last 7 days."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency import ReportError, instant, of_time

if TYPE_CHECKING:
    from lambda_latency.archive import Kept

__all__ = ["Chosen", "kept_of"]

MARK = "archive.version"
FILES = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".pb", ".binpb")


class Chosen(NamedTuple):
    """A selection of requests (times in epoch nanoseconds), and whether the report needs their spans."""

    since_ns: int | None = None
    until_ns: int | None = None
    route: str | None = None
    of_spans: bool = False


def kept_of(sources: Sequence[object], chosen: Chosen, *, age: bool = False) -> Kept | None:
    """Returns the selected requests of an archive; None if the input must be read as trace files.

    `age`: the name may end with an age, such as `DIR@7d`. If the report needs spans, or if there are several inputs, a
    local archive is read as trace files. Raises `ReportError` if the spans of a remote archive are needed, or if no
    request has the selected route.
    """
    if len(sources) != 1 or not isinstance(sources[0], str | Path):
        return None
    where, since_ns, until_ns = str(sources[0]), chosen.since_ns, chosen.until_ns
    if age:
        where, since_ns, until_ns = _aged(where)
    if not _is_archive(where):
        return None
    if "://" in where and where.lower().endswith(FILES):
        what = f"{where} is the address of a file, and a report reads addresses of archives"
        raise ReportError(what, "download the file and name it")
    if chosen.of_spans:
        if "://" in where:
            raise ReportError(
                f"the report reads no spans of {where}", "remove --from, --no-skew, --follow-links, --redact"
            )
        return None
    from lambda_latency.archive import read_kept

    kept = read_kept(where, since_ns, until_ns, chosen.route)
    if age and since_ns is not None and kept.accounts:
        kept = kept._replace(accounts=of_time(kept.accounts, since_ns, until_ns))
    if chosen.route is not None and not kept.accounts:
        raise ReportError(f"no request of the route {chosen.route!r} in {where}", "archive query lists the routes")
    return kept


def _aged(where: str) -> tuple[str, int | None, int | None]:
    """Splits `DIR@7d` into the archive and the time (epoch nanoseconds) from which it is read."""
    name, _, ago = where.rpartition("@")
    if not name or not _is_archive(name):
        return where, None, None
    try:
        return name, instant(ago, time.time_ns()), None
    except ValueError as error:
        raise ReportError(f"--against {where}: {error}") from error


def _is_archive(where: str) -> bool:
    """The same check as `lambda_latency.archive.is_archive`, without the slow import of that package."""
    return "://" in where or os.path.isfile(Path(where, MARK))  # noqa: PTH113 - False in a folder without permission
