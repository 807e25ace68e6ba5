"""How many requests there were, seen or not, for what a report says about sampling."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.latency.accounts import Accounts


__all__ = ["HOUR_NS", "UNKNOWN", "Share", "Traffic", "Unknown", "by_hour", "by_route"]

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the source has counted: `total` requests, those of each route and of each whole hour where it knows them.

    Hours are named by the nanosecond in which they begin. `beside` requests were seen that `total` does not count.
    """

    total: int
    by_route: Mapping[str, int] = field(default_factory=dict)
    by_hour: Mapping[int, int] = field(default_factory=dict)
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody told how many requests there were; `why` goes on after "how many were not sampled"."""

    why: str = "is not in the traces"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Share:
    """Of the `total` requests of a route or of an hour so many were seen."""

    of: str | int
    seen: int
    total: int


def by_route(traffic: Traffic, accounts: Accounts) -> list[Share]:
    """The share of each route that was counted, the largest first; none where accounts have other names for them."""
    counts = Counter(accounts.kind_of)
    seen: Counter[str] = Counter()
    for kind, number in accounts.kinds.items():
        seen[kind.route] += counts[number]
    shares = [Share(route, seen[route], total) for route, total in traffic.by_route.items()]
    return sorted(shares, key=lambda one: (-one.total, str(one.of))) if any(one.seen for one in shares) else []


def by_hour(traffic: Traffic, accounts: Accounts) -> list[Share]:
    """The share of each whole hour in which there were requests, in their order."""
    seen = Counter([start_ns // HOUR_NS * HOUR_NS for start_ns in accounts.starts_ns])
    return [Share(hour, seen[hour], total) for hour, total in sorted(traffic.by_hour.items()) if total]
