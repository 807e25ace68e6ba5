"""Parses instants (RFC 3339) and numbers as nanoseconds since 1970. Python's own parser stops at microseconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?\s*",
    re.IGNORECASE,
)
# The unit of a number is that in which it is a time of this century, from 2000 to 2100.
CENTURY_S = range(946_684_800, 4_102_444_800)
UNITS = (1, 10**3, 10**6, 10**9)  # per second
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant_ns(text: object) -> int:
    """Nanoseconds since 1970. An instant without a zone is UTC. Raises `ValueError` if it is not an instant."""
    match = INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"times must be like 2026-11-27T08:00:00.123456789Z, got {text!r:.60}")
    day = datetime.fromisoformat(f"{match['date']}T{match['time']}+00:00")
    seconds = (day - EPOCH) // timedelta(seconds=1) - _zone_s(match["zone"] or "Z")
    return seconds * 10**9 + int((match["fraction"] or "0").ljust(9, "0"))


def time_ns(time: object) -> int:
    """An instant or a number of seconds to nanoseconds as nanoseconds since 1970.

    Raises `ValueError` for one that is no time of this century.
    """
    if isinstance(time, str):
        if not time.replace(".", "", 1).isdigit():
            return instant_ns(time)
        time = float(time) if "." in time else int(time)
    if isinstance(time, (int, float)):
        for unit in UNITS:
            if int(time // unit) in CENTURY_S:
                return round(time * (10**9 // unit))
    raise ValueError(f"times must be from 2000 to 2100, got {time!r:.60}")


def _zone_s(zone: str) -> int:
    if zone[0] not in "+-":
        return 0
    seconds = 3600 * int(zone[1:3]) + 60 * int(zone[-2:])
    return seconds if zone[0] == "+" else -seconds
