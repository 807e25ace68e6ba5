"""The page's data about changes since a baseline: rows of the comparison, both distributions, both flame graphs."""

from __future__ import annotations

import math
import re
from dataclasses import astuple
from typing import TYPE_CHECKING

from lambda_latency.text import Style, change_rows, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_latency.latency import Accounts, Against, Part, Report

STYLE = Style()
HYPHEN = re.compile(r"(?<!\S)-(?=\d)")  # before a number; the page's tables have the minus sign of its scripts
BINS = 60
LEAST_NS = 10_000  # the start of the logarithmic axis
LEAST_SHARE = 1_000  # frames below this fraction (1/1000) of a request are too narrow to be visible


def change_values(report: Report, number_of: Callable[[Part], int]) -> dict[str, object] | None:
    """The rows; `bins`: edges in nanoseconds, and the share of requests per bin then and now; `frames`: as in the flame
    graph, with the mean nanoseconds of a request now and then. None without a baseline.
    """
    if report.against is None:
        return None
    found: dict[str, object] = {
        "rows": [
            [HYPHEN.sub("\N{MINUS SIGN}", cell) for cell in astuple(row)] for row in change_rows(report.against, STYLE)
        ]
    }
    found["says"] = _says(report.against)
    if report.baseline is None or not report.baseline or not report.accounts:
        return {**found, "bins": None, "frames": []}
    before, now = report.baseline, report.accounts
    return {**found, "bins": _bins(before, now), "frames": _frames(_means(before), _means(now), number_of)}


def _says(one: Against) -> str:
    then, now = one.requests
    return f"{clean(', '.join(one.sources), STYLE)}: {then:,} requests then, {now:,} now."


def _bins(before: Accounts, now: Accounts) -> dict[str, list[object]]:
    ends = [end(side.walls_ns) for end in (min, max) for side in (before, now)]
    least = min(ends)
    low = max(LEAST_NS, least)
    high = max(*ends, low + 1)
    step = math.log(high / low) / BINS
    return {
        "edges_ns": [round(low * math.exp(step * at)) for at in range(BINS + 1)],
        "then": _shares(before.walls_ns, low, step),
        "now": _shares(now.walls_ns, low, step),
    }


def _shares(walls_ns: Sequence[int], low: int, step: float) -> list[object]:
    counts = [0] * BINS
    for wall in walls_ns:
        counts[min(BINS - 1, max(0, int(math.log(max(wall, low) / low) / step)))] += 1
    return [round(count / len(walls_ns), 5) for count in counts]


def _means(every: Accounts) -> dict[tuple[str, ...], tuple[int, Part]]:
    """The mean time of a request by route, function and part; a baseline has only accounts, no spans."""
    sums: dict[tuple[int, int], int] = {}
    for kind, (first, last) in zip(every.kind_of, every.cells_of_each(), strict=True):
        for number, ns in zip(every.cell_of[first:last], every.cell_ns[first:last], strict=True):
            sums[kind, number] = sums.get((kind, number), 0) + ns
    kinds, parts = list(every.kinds), [cell.part for cell in every.cells]
    found: dict[tuple[str, ...], tuple[int, Part]] = {}
    for (kind, number), ns in sums.items():
        known, part = kinds[kind], parts[number]
        stack = (clean(known.route, STYLE), clean(known.function or "unknown", STYLE), clean(part.label, STYLE))
        found[stack] = (found.get(stack, (0, part))[0] + ns, part)
    return {stack: (ns // len(every), part) for stack, (ns, part) in found.items()}


def _frames(
    before: dict[tuple[str, ...], tuple[int, Part]],
    now: dict[tuple[str, ...], tuple[int, Part]],
    number_of: Callable[[Part], int],
) -> list[list[object]]:
    """Frames whose width is the larger of both means, so that removed frames are visible, too."""
    sums: dict[tuple[str, ...], list[int]] = {}
    parts: dict[tuple[str, ...], Part] = {}
    for stack in {*before, *now}:
        both = [side[stack][0] if stack in side else 0 for side in (now, before)]
        parts[stack] = (now.get(stack) or before[stack])[1]
        for end in range(1, len(stack) + 1):
            each = sums.setdefault(stack[:end], [0, 0, 0])
            for at, ns in enumerate((*both, max(both))):
                each[at] += ns
    least = sum(each[2] for stack, each in sums.items() if len(stack) == 1) // LEAST_SHARE
    order = sorted(
        sums, key=lambda stack: [(-sums[stack[:end]][2], stack[end - 1]) for end in range(1, len(stack) + 1)]
    )
    return [
        [len(stack) - 1, stack[-1], sums[stack][2], *sums[stack][:2], number_of(parts[stack]) if stack in parts else -1]
        for stack in order
        if sums[stack][2] > least
    ]
