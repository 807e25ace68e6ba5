"""Chooses the requests whose spans a page contains: all if they fit, otherwise the most informative ones."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_latency.latency import Kind, Report

__all__ = ["ALL", "HUGE", "ROOM", "worth_keeping"]

ALL = 1000  # requests; up to this number all are kept
ROOM = 2_000_000  # characters of all spans together, except those of one huge request
HUGE = ROOM // 2  # characters; at most one request of this size is kept
SLOWEST, ERRORS, COLD, TYPICAL = 100, 60, 20, 10


def worth_keeping(report: Report) -> list[str]:
    """Trace ids by importance: evidence of the verdict, timeouts, the slowest, errors, cold starts, and some typical
    requests of each route."""
    return list(dict.fromkeys(_in_order(report)))


def _in_order(report: Report) -> Iterator[str]:
    found, every = report.verdict, report.accounts
    yield from (one.account.trace_id for one in (found.proof, found.against) if one is not None)
    for candidate in found.candidates:
        yield from islice((one.account.trace_id for one in report.cohorts.slow if one.part == candidate.part), 1)
    yield from (one.trace_id for one in report.timeouts)
    slowest = every.slowest(len(every))
    known = list(every.kinds)
    kinds = [known[every.kind_of[at]] for at in slowest]
    chosen = [
        *slowest[:SLOWEST],
        *islice((at for at, kind in zip(slowest, kinds, strict=True) if kind.error), ERRORS),
        *islice((at for at, kind in zip(slowest, kinds, strict=True) if kind.cold_start), COLD),
        *_of_the_middle(zip(slowest, kinds, strict=True)),
    ]
    yield from map(every.trace_id, chosen[:SLOWEST])
    yield from (one.account.trace_id for one in report.cohorts.slow)
    yield from map(every.trace_id, chosen if len(every) > ALL else [*chosen, *range(len(every))])


def _of_the_middle(slowest: Iterable[tuple[int, Kind]]) -> Iterator[int]:
    routes: dict[str, list[int]] = {}
    for at, kind in slowest:
        routes.setdefault(kind.route, []).append(at)
    for members in routes.values():
        first = max(0, (len(members) - TYPICAL) // 2)
        yield from members[first : first + TYPICAL]
