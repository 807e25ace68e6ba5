"""The number of all requests, seen or not: the basis of what a report says about sampling."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.latency.accounts.columns import Accounts


__all__ = ["HOUR_NS", "UNKNOWN", "Share", "Traffic", "Unknown", "by_hour", "by_route"]

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """The counts of the source: `total` requests, and those of each route and whole hour, if it knows them.

    The key of an hour is its first nanosecond since 1970. `beside` is the number of requests seen that `total` does not
    include.
    """

    total: int
    by_route: Mapping[str, int] = field(default_factory=dict)
    by_hour: Mapping[int, int] = field(default_factory=dict)
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """The number of all requests is unknown; `why` continues the words "how many were not sampled"."""

    why: str = "is not in the traces"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Share:
    """`seen` of the `total` requests of a route or of an hour."""

    of: str | int
    seen: int
    total: int


def by_route(traffic: Traffic, accounts: Accounts) -> list[Share]:
    """The share of each counted route, the largest route first; empty if no account has one of these routes."""
    counts = Counter(accounts.kind_of)
    seen: Counter[str] = Counter()
    for kind, number in accounts.kinds.items():
        seen[kind.route] += counts[number]
    shares = [Share(route, seen[route], total) for route, total in traffic.by_route.items()]
    return sorted(shares, key=lambda one: (-one.total, str(one.of))) if any(one.seen for one in shares) else []


def by_hour(traffic: Traffic, accounts: Accounts) -> list[Share]:
    """The share of each whole hour with requests, in the order of time."""
    seen = Counter([start_ns // HOUR_NS * HOUR_NS for start_ns in accounts.starts_ns])
    return [Share(hour, seen[hour], total) for hour, total in sorted(traffic.by_hour.items()) if total]
