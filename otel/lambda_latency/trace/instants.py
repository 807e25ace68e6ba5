"""Parses instants (RFC 3339) as nanoseconds since 1970. Python's own parser stops at microseconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

__all__ = ["instant_ns"]

INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?\s*",
    re.IGNORECASE,
)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant_ns(text: object) -> int:
    """Nanoseconds since 1970. An instant without a zone is UTC. Raises `ValueError` if it is not an instant."""
    found = INSTANT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"times must be like 2026-11-27T08:00:00.123456789Z, got {text!r:.60}")
    day = datetime.fromisoformat(f"{found['date']}T{found['time']}+00:00")
    seconds = (day - EPOCH) // timedelta(seconds=1) - _zone_s(found["zone"] or "Z")
    return seconds * 10**9 + int((found["fraction"] or "0").ljust(9, "0"))


def _zone_s(zone: str) -> int:
    if zone[0] not in "+-":
        return 0
    seconds = 3600 * int(zone[1:3]) + 60 * int(zone[-2:])
    return seconds if zone[0] == "+" else -seconds
