"""The page's data about changes since a baseline: rows of the comparison, both distributions, both flame graphs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple

from lambda_latency.latency import Breakdowns, Component, Report, Stack
from lambda_latency.page.facts import NumberOf
from lambda_latency.text import Style, change_rows, clean

STYLE = Style()
# Before a number; the page's tables have the minus sign of its scripts
HYPHEN = re.compile(r"(?<!\S)-(?=\d)")
BINS = 60
LEAST_NS = 10_000  # the start of the logarithmic axis
# Frames below this fraction (1/1000) of a request are too narrow to be visible
LEAST_SHARE = 1_000


def change_values(report: Report, number_of: NumberOf) -> dict[str, object] | None:
    """Return the rows; `bins`: edges in nanoseconds, and the share of requests per bin then and now; `frames`: as in
    the flame graph, with the mean nanoseconds of a request now and then. None without a baseline.
    """
    if report.against is None:
        return None
    rows = [astuple(row) for row in change_rows(report.against, STYLE)]
    counts = "{:,} requests then, {:,} now".format(*report.against.requests)
    change: dict[str, object] = {
        "rows": [[HYPHEN.sub("\N{MINUS SIGN}", edge) for edge in row] for row in rows],
        "says": f"{clean(', '.join(report.against.sources), STYLE)}: {counts}.",
    }
    old, new = report.baseline, report.breakdowns
    if not old or not new:
        return {**change, "bins": None, "frames": []}
    frames = _frames(_means(old), _means(new), number_of)
    return {**change, "bins": _bins(old, new), "frames": frames}


def _bins(old: Breakdowns, new: Breakdowns) -> dict[str, list[object]]:
    walls_ns = (old.walls_ns, new.walls_ns)
    low = max(LEAST_NS, min(map(min, walls_ns)))
    high = max(*map(max, walls_ns), low + 1)
    step = math.log(high / low) / BINS
    return {
        "edges_ns": [round(low * math.exp(step * index)) for index in range(BINS + 1)],
        "then": _shares(old.walls_ns, low, step),
        "now": _shares(new.walls_ns, low, step),
    }


def _shares(walls_ns: Sequence[int], low: int, step: float) -> list[object]:
    counts = [0] * BINS
    for wall in walls_ns:
        counts[min(BINS - 1, max(0, int(math.log(max(wall, low) / low) / step)))] += 1
    return [round(count / len(walls_ns), 5) for count in counts]


def _means(breakdowns: Breakdowns) -> dict[Stack, tuple[int, Component]]:
    """Return the mean time of a request by route, function and part; a baseline has only breakdowns, no spans."""
    by_number: dict[tuple[int, int], int] = {}
    for kind_number, times in zip(breakdowns.kind_of, breakdowns.times_of_each(), strict=True):
        for edge_number, ns in times:
            by_number[kind_number, edge_number] = by_number.get((kind_number, edge_number), 0) + ns
    kinds, components = list(breakdowns.kinds), [edge.component for edge in breakdowns.edges]
    sums: dict[Stack, tuple[int, Component]] = {}
    for (kind_number, edge_number), ns in by_number.items():
        kind, component = kinds[kind_number], components[edge_number]
        stack = (clean(kind.route, STYLE), clean(kind.function or "unknown", STYLE), clean(component.label, STYLE))
        sums[stack] = (sums.get(stack, (0, component))[0] + ns, component)
    return {stack: (ns // len(breakdowns), component) for stack, (ns, component) in sums.items()}


def _frames(
    old: dict[Stack, tuple[int, Component]], new: dict[Stack, tuple[int, Component]], number_of: NumberOf
) -> list[list[object]]:
    """Frames whose width is the larger of both means, so that removed frames are visible, too."""
    means, total_ns = {**old, **new}, 0
    now_ns, then_ns, width_ns = Counter[Stack](), Counter[Stack](), Counter[Stack]()
    for stack, (_, component) in means.items():
        (new_ns, _), (old_ns, _) = new.get(stack, (0, component)), old.get(stack, (0, component))
        total_ns += max(new_ns, old_ns)
        for frame in with_callers(stack):
            now_ns[frame] += new_ns
            then_ns[frame] += old_ns
            width_ns[frame] += max(new_ns, old_ns)
    shown = [frame for frame, ns in width_ns.items() if ns > total_ns // LEAST_SHARE]
    shown.sort(key=lambda frame: [(-width_ns[caller], caller[-1]) for caller in with_callers(frame)])
    numbers = {frame: number_of(means[frame][1]) for frame in shown if frame in means}
    return [
        [len(frame) - 1, frame[-1], width_ns[frame], now_ns[frame], then_ns[frame], numbers.get(frame, -1)]
        for frame in shown
    ]


def with_callers(frame: Stack) -> list[Stack]:
    """Return a frame and those above it, the root first."""
    return [frame[:depth] for depth in range(1, len(frame) + 1)]
