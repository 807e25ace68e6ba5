"""The flame graph of a page: the critical paths of all requests, whether the page keeps their spans or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import Part, sections_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from lambda_latency.latency import Report, Stack
    from lambda_latency.trace import Trace

__all__ = ["flame"]

MOST_BY_SPAN = 2_000  # requests; of more, whose spans take seconds to walk, the stacks are route, function and part
AT_ONCE = 1_000
LEAST_SHARE = 2_000  # a frame with less than one part in so many of all time is too thin to be seen


def flame(
    report: Report, find: Callable[[Collection[str]], Mapping[str, Trace]], number_of: Callable[[Part], int]
) -> list[list[object]]:
    """The frames, each before those inside it: depth, name, its nanoseconds in all requests and in the slow ones, the
    number of the part that owns most of it.
    """
    slow = {one.account.trace_id for one in report.cohorts.slow}
    all_ns: dict[Stack, int] = {}
    slow_ns: dict[Stack, int] = {}
    parts: dict[Stack, dict[Part, int]] = {}
    for trace_id, stack, part, ns in _sections(report, find):
        for end in range(1, len(stack) + 1):
            frame = stack[:end]
            all_ns[frame] = all_ns.get(frame, 0) + ns
            if trace_id in slow:
                slow_ns[frame] = slow_ns.get(frame, 0) + ns
            owned = parts.setdefault(frame, {})
            owned[part] = owned.get(part, 0) + ns
    least = report.totals.wall_ns // LEAST_SHARE
    return [
        [len(frame) - 1, frame[-1], all_ns[frame], slow_ns.get(frame, 0), number_of(_largest(parts[frame]))]
        for frame in sorted(
            all_ns, key=lambda frame: [(-all_ns[frame[:end]], frame[end - 1]) for end in range(1, len(frame) + 1)]
        )
        if all_ns[frame] > least
    ]


def _largest(owned: Mapping[Part, int]) -> Part:
    return min(owned, key=lambda part: (-owned[part], part))


def _sections(
    report: Report, find: Callable[[Collection[str]], Mapping[str, Trace]]
) -> Iterator[tuple[str, Stack, Part, int]]:
    every = report.accounts
    if len(every) > MOST_BY_SPAN:
        for account in every.made(range(len(every)), with_calls=False):
            for part, ns in account.parts:
                yield account.trace_id, (account.route, account.function or "unknown", part.label), part, ns
        return
    for first in range(0, len(every), AT_ONCE):
        wanted = [every.trace_id(at) for at in range(first, min(len(every), first + AT_ONCE))]
        traces = find(wanted)
        for trace_id in wanted:
            if trace_id in traces:
                for stack, part, ns in sections_of(traces[trace_id], report.owners):
                    yield trace_id, stack, part, ns
