"""The lines about all requests: percentiles and bars, counts, the cost of a cold start, the share of traffic, savings.

Lambda bills the init of a cold start, since August 2025 for every function.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from itertools import pairwise

from lambda_latency.latency import UNKNOWN, Report, Saving, Share, Tally, Traffic, Unknown, at_rank, by_hour, by_route
from lambda_latency.prices import read_prices
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, display_width, listed, ms, number, percent, plural, wrap, wrap_pieces

BILLION = Decimal(10**9)
MOST_ROUTES = 4
BOUND = "At most, because another call may take its place on the critical path."
NOTHING = "What if: no part alone would make the 95th percentile of requests shorter."


def facts(tally: Tally, style: Style, *, traffic: Traffic | Unknown = UNKNOWN) -> list[Line]:
    """`p50 172 ms · ... · cold 9 · errors 2 · timeouts 1 · seen 5 %`: one line, or more if the width is small.

    `traffic` is the number of all requests, if the source has it.
    """
    traced = number(tally.requests)
    if isinstance(traffic, Traffic) and tally.requests - traffic.without_stage <= traffic.total:
        traced = percent(tally.requests - traffic.without_stage, traffic.total, style)
    walls = sorted(tally.walls_ns)
    words = [f"p{percent} {ms(at_rank(walls, percent), style)}" for percent in (50, 95, 99)]
    words += [
        f"max {ms(max(walls, default=0), style)}",
        f"cold {number(tally.cold_starts)}",
        f"errors {number(tally.errors)}",
        f"timeouts {number(tally.timeouts)}",
        f"seen {traced}",
    ]
    lines: list[str] = []
    for word in words:
        if lines and display_width(lines[-1] + style.marks.dot + word) <= style.width:
            lines[-1] += style.marks.dot + word
        else:
            lines.append(word)
    return [[Piece(line, "dim")] for line in lines]


def cold_mean_ns(tally: Tally) -> int:
    """Return the mean of the known cold start times, in nanoseconds; 0 without one."""
    components = [times for component, times in tally.components.items() if component.category == "cold start"]
    return sum(times.total_ns for times in components) // max(sum(times.requests for times in components), 1)


def cold_cost(tally: Tally, style: Style) -> list[Line]:
    """Return a sentence about the price of a cold start, in GB-seconds and US dollars; empty if it has none."""
    values = cold_values(tally)
    if values is None or not values["gb_seconds"]:
        return []
    money = Decimal(str(values["dollars_a_million"]))
    text = f"A cold start costs {values['gb_seconds']:.3f} GB-s and ${money:,.2f} a million for each GB of memory"
    return wrap(f"{text} (x86_64, {values['prices']}).", style.width)


def cold_values(tally: Tally) -> dict[str, object] | None:
    """Return the cost of a mean cold start with 1 GB of memory, as JSON values; it is proportional to the memory.

    None for cold starts of a machine that stands for AWS: Lambda's take another time.
    """
    if any(component.category == "laptop" for component in tally.components):
        return None
    prices = read_prices()
    gb_seconds = cold_mean_ns(tally) / BILLION
    money = gb_seconds * prices.gb_second("x86_64") * 10**6
    return {
        "memory_mb": 1024,
        "gb_seconds": round(float(gb_seconds), 6),
        "dollars_a_million": round(float(money), 2),
        "prices": prices.source("lambda_gb_second_x86_64"),
    }


def sampling(report: Report, style: Style) -> str:
    """Return the share of the traffic that was traced, or a sentence that it is unknown."""
    requests, traffic = report.totals.requests, report.traffic
    if isinstance(traffic, Unknown):
        return f"{plural(requests, 'request')} seen; how many were not sampled {traffic.why}."
    counted = requests - traffic.without_stage
    # The count is delayed or incomplete: the share is unknown
    if counted > traffic.total:
        counts = f"{plural(requests, 'request')} seen, and only {number(traffic.total)} counted so far"
        return f"{counts}: the share of the traffic is unknown."
    component = f"{number(counted)} of {number(traffic.total)}"
    text = f"{percent(counted, traffic.total, style)} of the traffic seen ({component})."
    if traffic.without_stage:
        text += f" {plural(traffic.without_stage, 'more request')} came another way, which is not counted."
    return (
        text + _routes(by_route(traffic, report.breakdowns), style) + _hours(by_hour(traffic, report.breakdowns), style)
    )


def _routes(shares: list[Share], style: Style) -> str:
    if len(shares) < 2:
        return ""
    routes = [f"{share.subject} {percent(share.requests, share.total, style)}" for share in shares]
    return f" By route: {listed(routes, MOST_ROUTES)}."


def _hours(shares: list[Share], style: Style) -> str:
    if len(shares) < 2:
        return ""
    lowest, highest = (choose(shares, key=lambda share: share.requests / share.total) for choose in (min, max))
    return f" By hour: from {_hour(lowest, style)} to {_hour(highest, style)}."


def _hour(share: Share, style: Style) -> str:
    begin = datetime.fromtimestamp(int(share.subject) // 1_000_000_000, timezone.utc)
    return f"{percent(share.requests, share.total, style)} ({begin:%m-%d %H}:00Z)"


def saving_pieces(saving: Saving, style: Style) -> list[Piece]:
    """`payments.example.com: saves at most 1,224 ms (p95 1,315 ms -> 91 ms at best)`."""
    arrow = "\u2192" if style.unicode else "->"
    return [
        Piece(clean(saving.component.label, style), "bold"),
        Piece(": saves at most "),
        Piece(ms(saving.saves_ns, style), "bold"),
        Piece(f" (p95 {ms(saving.p95_ns, style)} {arrow} {ms(saving.best_p95_ns, style)} at best)"),
    ]


def what_if_lines(report: Report, style: Style) -> list[Line]:
    """Return a line for each of the largest parts, and an explanation of the bound."""
    from lambda_latency.latency import savings  # few reports ask what if

    largest = savings(report.breakdowns)
    if not largest:
        return [[Piece(NOTHING)]]
    lines: list[Line] = [[Piece("What if a part took no time", "bold")]]
    for saving in largest:
        lines += wrap_pieces(saving_pieces(saving, style), style.width)
    return [*lines, [Piece(BOUND, "dim")]]


INDENT = "  "
BEYOND = 12  # cells of the indent and the last label
LADDER = [digit * 10.0**power for power in range(14) for digit in (1, 2, 5)]  # milliseconds


def distribution(walls_ns: Sequence[int], slow_ns: int | None, style: Style) -> list[Line]:
    """Return the bars and their axis; `slow_ns` is the limit of slow requests."""
    if not walls_ns:
        return []
    steps_ms, width = _steps_ms(min(walls_ns) / 1e6, max(walls_ns) / 1e6), style.width - BEYOND
    low, high = math.log(steps_ms[0]), math.log(steps_ms[-1])

    def column(time_ms: float) -> int:
        index = int((math.log(max(time_ms, steps_ms[0])) - low) / (high - low) * (width - 1))
        return max(0, min(width - 1, index))

    walls = sorted(walls_ns)
    ends = [bisect_right(walls, index, key=lambda wall: column(wall / 1e6)) for index in range(width)]
    counts = [end - begin for begin, end in pairwise([0, *ends])]
    heights, highest = style.marks.heights, max(counts)
    bars = [heights[-(-count * (len(heights) - 1) // highest)] for count in counts]
    if slow_ns is not None:
        border = column(slow_ns / 1e6) + 1
        if border < width and bars[border] == " ":
            bars[border] = style.marks.border
    axis = _axis([(step_ms, column(step_ms)) for step_ms in steps_ms], style)
    return [[Piece(INDENT + "".join(bars))], [Piece(INDENT + axis, "dim")]]


def _axis(steps: Iterable[tuple[float, int]], style: Style) -> str:
    """Return the labels of times (ms) at their columns; one that would touch the previous label is omitted."""
    axis = ""
    for step_ms, column in steps:
        if not axis or column > len(axis):
            axis = axis.ljust(column) + _label(step_ms, style, with_unit=not axis)
    return axis


def _steps_ms(shortest_ms: float, longest_ms: float) -> list[float]:
    """Return the steps of the axis (1, 2, 5, ... ms): the last below the shortest to the first above the longest."""
    low = max((step for step in LADDER if step <= shortest_ms), default=LADDER[0])
    high = next(step for step in LADDER if step > max(longest_ms, low))
    return [step for step in LADDER if low <= step <= high]


def _label(time_ms: float, style: Style, *, with_unit: bool) -> str:
    if time_ms >= 1000:
        return f"{time_ms / 1000:,.0f}{style.space}s"
    return f"{time_ms:.0f}{style.space}ms" if with_unit else f"{time_ms:.0f}"
