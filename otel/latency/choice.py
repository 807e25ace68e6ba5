"""Which requests a report is on: those of a route, or of a time."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from otel.latency.errors import ReportError

if TYPE_CHECKING:
    from otel.latency.account import Account

__all__ = ["instant", "of_route", "of_time"]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(text: str, now_ns: int) -> int:
    """A point in time: ISO 8601 (UTC where it says nothing else), or how long ago, such as `24h`."""
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


def of_route(accounts: list[Account], route: str | None) -> list[Account]:
    """Those of a route. Raises `ReportError` where there are some, but none of it."""
    if route is None:
        return accounts
    found = [one for one in accounts if one.route == route]
    if accounts and not found:
        routes = sorted({one.route for one in accounts})
        more = f", and {len(routes) - 8} more" if len(routes) > 8 else ""
        raise ReportError(f"no request of the route {route!r}", f"routes seen: {', '.join(routes[:8])}{more}")
    return found


def of_time(accounts: list[Account], since_ns: int | None, until_ns: int | None) -> list[Account]:
    """Those that started at `since_ns` or later, and before `until_ns`. Raises `ReportError` where none did."""
    found = accounts
    if since_ns is not None:
        found = [one for one in found if one.start_ns >= since_ns]
    if until_ns is not None:
        found = [one for one in found if one.start_ns < until_ns]
    if accounts and not found:
        seen = [_iso(min(one.start_ns for one in accounts)), _iso(max(one.start_ns for one in accounts))]
        raise ReportError("no request in this time", f"requests seen: from {seen[0]} to {seen[1]}")
    return found


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).isoformat().replace("+00:00", "Z")
