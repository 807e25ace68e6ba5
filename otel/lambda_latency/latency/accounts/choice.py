"""Selection of the requests of a report, by route or by time, and the error of a report that cannot be made."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts


class ReportError(Exception):
    """A report cannot be made: `what` is wrong, `todo` the remedy. The command ends with status 1."""

    exit_status = 1

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what}\n  {todo}" if todo else what)
        self.what, self.todo = what, todo


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(text: str, now_ns: int) -> int:
    """A point in time in nanoseconds since 1970: ISO 8601 (UTC without an offset), or an age such as `24h`.

    The units of an age are s, m, h and d. Raises `ValueError` for any other text.
    """
    ago = re.fullmatch(r"(\d+)([smhd])", text.strip())
    if ago is not None:
        return now_ns - int(ago[1]) * UNITS[ago[2]] * 1_000_000_000
    try:
        at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got {text!r}") from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)
    since = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def of_route(accounts: Accounts, route: str | None) -> Accounts:
    """The accounts of a route; None selects all. Raises `ReportError` if there are accounts, but none of the route."""
    if route is None or not accounts:
        return accounts
    wanted = {number for kind, number in accounts.kinds.items() if kind.route == route}
    if not wanted:
        routes = sorted({kind.route for kind in accounts.kinds})
        more = f", and {len(routes) - 8} more" if len(routes) > 8 else ""
        raise ReportError(f"no request of the route {route!r}", f"routes seen: {', '.join(routes[:8])}{more}")
    return accounts.take([at for at, one in enumerate(accounts.kind_of) if one in wanted])


def of_time(accounts: Accounts, since_ns: int | None, until_ns: int | None) -> Accounts:
    """The accounts that started at `since_ns` or later and before `until_ns`; None is no limit.

    Raises `ReportError` if there are accounts, but none in this time.
    """
    starts = accounts.starts_ns
    if not accounts or (since_ns is None and until_ns is None):
        return accounts
    since_ns, until_ns = since_ns or 0, max(starts) + 1 if until_ns is None else until_ns
    found = [at for at, start in enumerate(starts) if since_ns <= start < until_ns]
    if not found:
        raise ReportError("no request in this time", f"requests seen: from {_iso(min(starts))} to {_iso(max(starts))}")
    return accounts.take(found)


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).isoformat().replace("+00:00", "Z")
