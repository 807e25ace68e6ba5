"""The selection of traces, also as an X-Ray filter expression, and the account that they come from.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import NamedTuple

from lambda_latency.fetch.errors import SelectionError

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
RETENTION_NS = 30 * 24 * HOUR_NS  # by X-Ray
ROUTE = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*)\Z")
METHOD = re.compile(r"[A-Z]+\Z")
PARAMETER = re.compile(r"\{[^}]*\}")
PLAIN = re.compile(r"[A-Za-z0-9/_.~-]+\Z")  # unescaped in a URL


class Choice(NamedTuple):
    """The options that select traces, with their time: `xray_filter` is a filter expression of X-Ray."""

    xray_filter: str | None = None
    slower_ns: int | None = None
    errors: bool = False
    route: str | None = None


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True)
class Place:
    """Account and region as boto3 names them; None selects boto3's default.

    `endpoint_url` is the address of an emulator of AWS's services.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
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
    def period(self) -> str:
        """Return the time range as text."""
        return f"{iso(self.since_ns)} to {iso(self.until_ns)}"

    @property
    def expression(self) -> str | None:
        """Return the choice as an X-Ray filter expression; None selects all traces."""
        xray_filter, slower_ns, errors, route = self.choice
        return filter_expression(xray_filter, slower_ns=slower_ns, errors=errors, route=route)


def resolve(
    since_ns: int | None,
    until_ns: int | None,
    *,
    now_ns: int,
    choice: Choice = EVERYTHING,
    most: int | None = None,
    trace_id: str | None = None,
    most_billed: int | None = None,
) -> Selection:
    """Return the selection; its time range defaults to the last hour. Raises SelectionError for an invalid time."""
    if trace_id is not None:
        plain = trace_id.strip().lower().removeprefix("1-").replace("-", "")
        if re.fullmatch(r"[0-9a-f]{32}", plain) is None:
            raise SelectionError(
                f"{trace_id!r} is not a trace id",
                "a trace id looks like 1-5759e988-bd862e3fe1be46a994272793, or has 32 hex digits",
            )
        trace_id = f"1-{plain[:8]}-{plain[8:]}"
    until = now_ns if until_ns is None else min(until_ns, now_ns)
    since = until - HOUR_NS if since_ns is None else since_ns
    if trace_id is None and since >= until:
        raise SelectionError(
            f"--since must be before --until and before now, got {iso(since)} and {iso(until)}",
            "use a duration, such as --since 24h",
        )
    if trace_id is None and since < now_ns - RETENTION_NS - HOUR_NS:
        raise SelectionError(f"X-Ray keeps traces for 30 days, --since is {iso(since)}", "use --since 30d")
    return Selection(since, until, choice, most, trace_id, most_billed)


def iso(ns: int) -> str:
    """Write an instant as `2026-11-25T08:00:00Z`."""
    return datetime.fromtimestamp(ns // SECOND_NS, timezone.utc).isoformat().replace("+00:00", "Z")


def filter_expression(
    xray_filter: str | None = None, *, slower_ns: int | None = None, errors: bool = False, route: str | None = None
) -> str | None:
    """Return the conjunction of all options; None without any.

    The expression of a route may match more than that route, because X-Ray does not know path parameters; the report
    filters again.
    """
    terms = [xray_filter.strip()] if xray_filter and xray_filter.strip() else []
    if slower_ns is not None:
        terms.append(f"responsetime > {slower_ns / 1e9:.9f}".rstrip("0").rstrip("."))
    if errors:
        terms.append("error = true OR fault = true")
    if route is not None:
        terms += _of_route(route)
    if len(terms) < 2:
        return terms[0] if terms else None
    return " AND ".join(f"({term})" if " OR " in term.upper() else term for term in terms)


def _of_route(route: str) -> list[str]:
    match = ROUTE.match(route)
    if match is None:  # named after a service
        method, _, name = route.rpartition(" ")
        by_method = [f"http.method = {quoted(method)}"] if METHOD.match(method) else []
        return [*by_method, f"service({quoted(name if by_method else route)})"]
    pieces = [piece for piece in PARAMETER.split(match["path"]) if PLAIN.match(piece) and piece != "/"]
    method = f"http.method = {quoted(match['method'])}"
    return [method, *(f"http.url CONTAINS {quoted(piece)}" for piece in pieces)]


def quoted(text: str) -> str:
    """Quote a text as a string of X-Ray's filter expressions and of Logs Insights."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
