"""The flame graph of a page: the critical paths of all requests, including those whose spans the page omits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import Part, sections_of
from lambda_latency.page.facts import MOST_READ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_latency.latency import Report, Stack
    from lambda_latency.trace import Trace

LEAST_SHARE = 2_000  # frames below this fraction (1/2000) of all time are too narrow to be visible


class Flame:
    """Collects the frames.

    For more than `MOST_READ` requests, whose spans would take seconds to read, a stack is route, function and part.
    """

    def __init__(self, report: Report, number_of: Callable[[Part], int]) -> None:
        self._report, self._number_of = report, number_of
        self._slow = {one.account.trace_id for one in report.cohorts.slow}
        self._all_ns: dict[Stack, int] = {}
        self._slow_ns: dict[Stack, int] = {}
        self._parts: dict[Stack, dict[Part, int]] = {}
        self._by_span = len(report.accounts) <= MOST_READ

    def add(self, trace: Trace) -> None:
        """Adds a request whose spans were read."""
        if self._by_span:
            for stack, part, ns in sections_of(trace, self._report.owners):
                self._add(trace.trace_id, stack, part, ns)

    def frames(self) -> list[list[object]]:
        """The frames, parents before children: depth, name, nanoseconds in all and in slow requests, and the number of
        the part with the largest share."""
        every = self._report.accounts
        if not self._by_span:
            for account in every.made(range(len(every)), with_calls=False):
                for part, ns in account.parts:
                    stack = (account.route, account.function or "unknown", part.label)
                    self._add(account.trace_id, stack, part, ns)
        all_ns = self._all_ns
        least = self._report.totals.wall_ns // LEAST_SHARE
        return [
            [len(frame) - 1, frame[-1], all_ns[frame], self._slow_ns.get(frame, 0), self._owner(self._parts[frame])]
            for frame in sorted(
                all_ns, key=lambda frame: [(-all_ns[frame[:end]], frame[end - 1]) for end in range(1, len(frame) + 1)]
            )
            if all_ns[frame] > least
        ]

    def _add(self, trace_id: str, stack: Stack, part: Part, ns: int) -> None:
        for end in range(1, len(stack) + 1):
            frame = stack[:end]
            self._all_ns[frame] = self._all_ns.get(frame, 0) + ns
            if trace_id in self._slow:
                self._slow_ns[frame] = self._slow_ns.get(frame, 0) + ns
            owned = self._parts.setdefault(frame, {})
            owned[part] = owned.get(part, 0) + ns

    def _owner(self, owned: Mapping[Part, int]) -> int:
        return self._number_of(min(owned, key=lambda part: (-owned[part], part)))
