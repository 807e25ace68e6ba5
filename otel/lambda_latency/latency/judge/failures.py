"""The requests that failed: most of which route and status, and a call that failed in most of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Part

__all__ = ["Failures", "failures"]


@dataclass(frozen=True, slots=True)
class Failures:
    """The `count` failed requests that did not time out; `of_most` of them have `route` and `status_code`.

    In `of_part` of them, and in at least half, a call to `part` failed or was throttled; None if there is no such part.
    `trace_id` is an example, with such a call if there is a part.
    """

    count: int
    route: str
    status_code: int | None
    of_most: int
    part: Part | None
    of_part: int
    trace_id: str


def failures(every: Accounts) -> Failures | None:
    """The failures among these requests; None without any."""
    failed = {number: kind for kind, number in every.kinds.items() if kind.error and not kind.timed_out}
    members = [at for at, kind in enumerate(every.kind_of) if kind in failed] if failed else []
    if not members:
        return None
    counts = Counter((failed[every.kind_of[at]].route, failed[every.kind_of[at]].status_code) for at in members)
    (route, status_code), of_most = max(counts.items(), key=lambda one: (one[1], one[0][0], one[0][1] or 0))
    parts = _failed_parts(every, members)
    part = max(parts, key=lambda one: (len(parts[one]), one.label), default=None)
    if part is not None and 2 * len(parts[part]) < len(members):
        part = None
    shown = parts[part] if part is not None else members
    return Failures(
        count=len(members),
        route=route,
        status_code=status_code,
        of_most=of_most,
        part=part,
        of_part=len(shown) if part is not None else 0,
        trace_id=every.trace_id(shown[0]),
    )


def _failed_parts(every: Accounts, members: list[int]) -> dict[Part, list[int]]:
    """The parts with a failed call, and the indices of the requests with one."""
    part_of = [cell.part if calls.errors or calls.throttles else None for cell, calls in every.calls]
    found: dict[Part, list[int]] = {}
    for at in members:
        calls = every.call_of[every.calls_end[at] : every.calls_end[at + 1]]
        for part in {part for call in calls if (part := part_of[call]) is not None}:
            found.setdefault(part, []).append(at)
    return found
