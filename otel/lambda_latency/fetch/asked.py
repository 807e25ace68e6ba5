"""The selection of traces, and the account that they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from lambda_latency.fetch.errors import UsageError
from lambda_latency.fetch.expression import EVERYTHING, Choice, filter_expression

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
KEPT_NS = 30 * 24 * HOUR_NS  # X-Ray keeps a trace for 30 days


@dataclass(frozen=True, slots=True)
class Place:
    """Account and region in boto3's terms; None selects boto3's default."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A selection: the newest `most` traces that began from `since_ns` on and before `until_ns`, and match.

    Times are nanoseconds since 1970. A `trace_id` selects that trace alone, at any time. `most_billed`: the limit of
    scanned bytes, where AWS charges for scanning.
    """

    since_ns: int
    until_ns: int
    choice: Choice = EVERYTHING
    most: int | None = None
    trace_id: str | None = None
    most_billed: int | None = None

    @property
    def expression(self) -> str | None:
        """The choice as an X-Ray filter expression; None selects all traces."""
        own, slower_ns, errors, route = self.choice
        return filter_expression(own, slower_ns=slower_ns, errors=errors, route=route)


def resolve(
    since_ns: int | None,
    until_ns: int | None,
    *,
    now_ns: int,
    choice: Choice = EVERYTHING,
    most: int | None = None,
    trace_id: str | None = None,
    most_billed: int | None = None,
) -> Asked:
    """The selection; its time range defaults to the last hour. Raises UsageError for an invalid time."""
    if trace_id is not None:
        plain = trace_id.strip().lower().removeprefix("1-").replace("-", "")
        if re.fullmatch(r"[0-9a-f]{32}", plain) is None:
            raise UsageError(
                f"{trace_id!r} is not a trace id",
                "a trace id looks like 1-5759e988-bd862e3fe1be46a994272793, or has 32 hex digits",
            )
        trace_id = f"1-{plain[:8]}-{plain[8:]}"
    until = now_ns if until_ns is None else min(until_ns, now_ns)
    since = until - HOUR_NS if since_ns is None else since_ns
    if trace_id is None and since >= until:
        raise UsageError(
            f"--since must be before --until and before now, got {iso(since)} and {iso(until)}",
            "use a duration, such as --since 24h",
        )
    if trace_id is None and since < now_ns - KEPT_NS - HOUR_NS:
        raise UsageError(f"X-Ray keeps traces for 30 days, --since is {iso(since)}", "use --since 30d")
    return Asked(since, until, choice, most, trace_id, most_billed)


def iso(ns: int) -> str:
    """An instant as `2026-11-25T08:00:00Z`."""
    return datetime.fromtimestamp(ns // SECOND_NS, timezone.utc).isoformat().replace("+00:00", "Z")
