"""An archive as the input of a report: `DIR` or `s3://...`, as a baseline also `DIR@7d`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency import ReportError, instant, of_time

if TYPE_CHECKING:
    from lambda_latency.archive import Kept

__all__ = ["Chosen", "kept_of"]

MARK = "archive.version"


class Chosen(NamedTuple):
    """Of which requests, and whether their spans have to be read for it."""

    since_ns: int | None = None
    until_ns: int | None = None
    route: str | None = None
    of_spans: bool = False


def kept_of(sources: Sequence[object], chosen: Chosen, *, age: bool = False) -> Kept | None:
    """The requests of an archive, of the days and the route that are asked for; None where the input is files.

    `age`: a name may end with how far back it is read. Files beside an archive, or another way to look at traces, have
    the spans of a folder read in place of its accounts: then it is an input as any other.
    """
    if len(sources) != 1 or not isinstance(sources[0], str | Path):
        return None
    where, since_ns, until_ns = str(sources[0]), chosen.since_ns, chosen.until_ns
    if age:
        where, since_ns, until_ns = _aged(where)
    if not _is_archive(where):
        return None
    if chosen.of_spans:
        if "://" in where:
            raise ReportError(
                f"{where} is read by its accounts", "leave out --from, --no-skew, --follow-links, --redact"
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
    """`DIR@7d`: the place, and the time from which on it is read."""
    name, _, ago = where.rpartition("@")
    if not name or not _is_archive(name):
        return where, None, None
    try:
        return name, instant(ago, time.time_ns()), None
    except ValueError as error:
        raise ReportError(f"--against {where}: {error}") from error


def _is_archive(where: str) -> bool:
    """As `lambda_latency.archive.is_archive`, which a report on files does not import."""
    return "://" in where or Path(where, MARK).is_file()
