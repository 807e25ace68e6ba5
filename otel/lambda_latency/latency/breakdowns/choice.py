"""Selection of the requests of a report, by route or by time, and the error of a report that cannot be made."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from lambda_latency.latency.breakdowns.columns import Breakdowns


class ReportError(Exception):
    """A report cannot be made: `what` is wrong, `todo` the remedy. The command ends with status 1."""

    exit_status = 1

    def __init__(self, problem: str, todo: str = "") -> None:
        super().__init__(f"{problem}\n  {todo}" if todo else problem)
        self.what, self.todo = problem, todo


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(text: str, now_ns: int) -> int:
    """A point in time in nanoseconds since 1970: ISO 8601 (UTC without an offset), or an age such as `24h`.

    The units of an age are s, m, h and d. Raises `ValueError` for any other text.
    """
    ago = re.fullmatch(r"(\d+)([smhd])", text.strip())
    if ago is not None:
        return now_ns - int(ago[1]) * UNITS[ago[2]] * 1_000_000_000
    try:
        time = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got {text!r}") from None
    time = time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)
    return (time - EPOCH) // timedelta(microseconds=1) * 1000


def instant_of(ns: int, precision: str = "seconds") -> str:
    """Return a time as ISO 8601."""
    try:
        return (EPOCH + timedelta(microseconds=ns // 1000)).isoformat(timespec=precision).replace("+00:00", "Z")
    except OverflowError:  # the time is beyond Python's last year, 9999
        return f"{ns} ns"


def of_route(breakdowns: Breakdowns, route: str | None) -> Breakdowns:
    """Return the breakdowns of a route; None selects all. Raises `ReportError` if breakdowns exist, but none of it."""
    if route is None or not breakdowns:
        return breakdowns
    routes = sorted({kind.route for kind in breakdowns.kinds})
    if route not in routes:
        more = f", and {len(routes) - 8} more" if len(routes) > 8 else ""
        raise ReportError(f"no request of the route {route!r}", f"routes seen: {', '.join(routes[:8])}{more}")
    return breakdowns.take(breakdowns.of_kind(lambda kind: kind.route == route))


def of_time(breakdowns: Breakdowns, since_ns: int | None, until_ns: int | None) -> Breakdowns:
    """Return the breakdowns that started at `since_ns` or later and before `until_ns`; None is no limit.

    Raises `ReportError` if there are breakdowns, but none in this time.
    """
    starts = breakdowns.starts_ns
    if not breakdowns or (since_ns is None and until_ns is None):
        return breakdowns
    since_ns, until_ns = since_ns or 0, max(starts) + 1 if until_ns is None else until_ns
    indices = [index for index, start in enumerate(starts) if since_ns <= start < until_ns]
    if not indices:
        begin, end = instant_of(min(starts)), instant_of(max(starts))
        raise ReportError("no request in this time", f"requests seen: from {begin} to {end}")
    return breakdowns.take(indices)
