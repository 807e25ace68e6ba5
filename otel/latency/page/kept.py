"""Of which requests a page keeps the spans: of all of them while there is room, else of those that tell most."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel.latency.account import Account
    from otel.latency.report import Report

__all__ = ["ALL", "ROOM", "worth_keeping"]

ALL = 1000  # requests: up to so many are all kept
ROOM = 2_000_000  # letters for all spans together
SLOWEST, ERRORS, COLD, TYPICAL = 100, 60, 20, 10


def worth_keeping(report: Report) -> list[str]:
    """Trace ids, those that are missed first at the front: what the verdict rests on, timeouts, the slowest, errors,
    cold starts, and some of the middle of each route."""
    return list(dict.fromkeys(one.trace_id for one in _in_order(report)))


def _in_order(report: Report) -> Iterator[Account]:
    found = report.verdict
    yield from (one.account for one in (found.proof, found.against) if one is not None)
    for candidate in found.candidates:
        yield from islice((one.account for one in report.cohorts.slow if one.part == candidate.part), 1)
    told = {one.trace_id for one in report.timeouts}
    yield from (one for one in report.accounts if one.trace_id in told)
    slowest = sorted(report.accounts, key=lambda one: (-one.wall_ns, one.trace_id))
    yield from slowest[:SLOWEST]
    yield from islice((one for one in slowest if one.error), ERRORS)
    yield from islice((one for one in slowest if one.cold_start), COLD)
    yield from _of_the_middle(slowest)
    if len(slowest) <= ALL:
        yield from report.accounts


def _of_the_middle(slowest: Iterable[Account]) -> Iterator[Account]:
    routes: dict[str, list[Account]] = {}
    for one in slowest:
        routes.setdefault(one.route, []).append(one)
    for members in routes.values():
        first = max(0, (len(members) - TYPICAL) // 2)
        yield from members[first : first + TYPICAL]
