"""The lines about all requests: percentiles and bars, counts, the cost of a cold start, the share of traffic, savings.

Lambda bills the init of a cold start, since August 2025 for every function.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import datetime, timezone
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from lambda_latency.latency import UNKNOWN, Tally, Traffic, Unknown, at_rank, by_hour, by_route
from lambda_latency.prices import read_prices
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import cells, clean, ms, number, percent, plural, wrap, wrap_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.latency import Report, Saving, Share

BILLION = Decimal(10**9)
MOST_ROUTES = 4
BOUND = "At most, because another call may take its place on the critical path."
NOTHING = "What if: no part alone would make the 95th percentile of requests shorter."


def facts(tally: Tally, style: Style, *, traffic: Traffic | Unknown = UNKNOWN) -> list[Line]:
    """`p50 172 ms · ... · cold 9 · errors 2 · timeouts 1 · seen 5 %`: one line, or more if the width is small.

    `traffic` is the number of all requests, if the source has it.
    """
    seen = number(tally.requests)
    if isinstance(traffic, Traffic) and tally.requests - traffic.beside <= traffic.total:
        seen = percent(tally.requests - traffic.beside, traffic.total, style)
    walls = sorted(tally.walls_ns)
    words = [f"p{percent} {ms(at_rank(walls, percent), style)}" for percent in (50, 95, 99)]
    words += [
        f"max {ms(max(walls, default=0), style)}",
        f"cold {number(tally.cold_starts)}",
        f"errors {number(tally.errors)}",
        f"timeouts {number(tally.timeouts)}",
        f"seen {seen}",
    ]
    lines: list[str] = []
    for word in words:
        if lines and cells(lines[-1] + style.dot + word) <= style.width:
            lines[-1] += style.dot + word
        else:
            lines.append(word)
    return [[Piece(line, "dim")] for line in lines]


def cold_mean_ns(tally: Tally) -> int:
    """The mean of the known cold start times, in nanoseconds; 0 without one."""
    known = [ns for part, one in tally.parts.items() if part.bucket == "cold start" for ns in one.each_ns]
    return sum(known) // max(len(known), 1)


def cold_cost(tally: Tally, style: Style) -> list[Line]:
    """A sentence about the price of a cold start, in GB-seconds and US dollars; empty if it has none."""
    values = cold_values(tally)
    if values is None or not values["gb_seconds"]:
        return []
    money = Decimal(str(values["dollars_a_million"]))
    text = f"A cold start costs {values['gb_seconds']:.3f} GB-s and ${money:,.2f} a million for each GB of memory"
    return wrap(f"{text} (x86_64, {values['prices']}).", style.width)


def cold_values(tally: Tally) -> dict[str, object] | None:
    """The cost of a mean cold start with 1 GB of memory, as JSON values; it is proportional to the memory.

    None for cold starts of a machine that stands for AWS: Lambda's take another time.
    """
    if any(part.bucket == "laptop" for part in tally.parts):
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
    """The share of the traffic that was traced, or a sentence that it is unknown."""
    seen, traffic = report.totals.requests, report.traffic
    if isinstance(traffic, Unknown):
        return f"{plural(seen, 'request')} seen; how many were not sampled {traffic.why}."
    counted = seen - traffic.beside
    if counted > traffic.total:  # the count is delayed or incomplete: the share is unknown
        return (
            f"{plural(seen, 'request')} seen, and only {number(traffic.total)} counted so far: the share of the "
            "traffic is unknown."
        )
    part = f"{number(counted)} of {number(traffic.total)}"
    text = f"{percent(counted, traffic.total, style)} of the traffic seen ({part})."
    if traffic.beside:
        text += f" {plural(traffic.beside, 'more request')} came another way, which is not counted."
    return text + _routes(by_route(traffic, report.accounts), style) + _hours(by_hour(traffic, report.accounts), style)


def _routes(shares: list[Share], style: Style) -> str:
    if len(shares) < 2:
        return ""
    told = [f"{one.of} {percent(one.seen, one.total, style)}" for one in shares[:MOST_ROUTES]]
    more = f", and {number(len(shares) - MOST_ROUTES)} more" if len(shares) > MOST_ROUTES else ""
    return f" By route: {', '.join(told)}{more}."


def _hours(shares: list[Share], style: Style) -> str:
    if len(shares) < 2:
        return ""
    least, most = (choose(shares, key=lambda one: one.seen / one.total) for choose in (min, max))
    return f" By hour: from {_hour(least, style)} to {_hour(most, style)}."


def _hour(share: Share, style: Style) -> str:
    begin = datetime.fromtimestamp(int(share.of) // 1_000_000_000, timezone.utc)
    return f"{percent(share.seen, share.total, style)} ({begin:%m-%d %H}:00Z)"


def saving_pieces(one: Saving, style: Style) -> list[Piece]:
    """`payments.example.com: saves at most 1,224 ms (p95 1,315 ms -> 91 ms at best)`."""
    arrow = "\u2192" if style.unicode else "->"
    return [
        Piece(clean(one.part.label, style), "bold"),
        Piece(": saves at most "),
        Piece(ms(one.saves_ns, style), "bold"),
        Piece(f" (p95 {ms(one.p95_ns, style)} {arrow} {ms(one.best_p95_ns, style)} at best)"),
    ]


def what_if_lines(report: Report, style: Style) -> list[Line]:
    """A line for each of the largest parts, and an explanation of the bound."""
    from lambda_latency.latency import savings  # few reports ask what if

    found = savings(report.accounts)
    if not found:
        return [[Piece(NOTHING)]]
    lines: list[Line] = [[Piece("What if a part took no time", "bold")]]
    for one in found:
        lines += wrap_pieces(saving_pieces(one, style), style.width)
    return [*lines, [Piece(BOUND, "dim")]]


INDENT = "  "
BEYOND = 12  # cells of the indent and the last label


def distribution(walls_ns: Sequence[int], slow_ns: int | None, style: Style) -> list[Line]:
    """The bars and their axis; `slow_ns` is the limit of slow requests."""
    if not walls_ns:
        return []
    low, high = _limits(min(walls_ns) / 1e6, max(walls_ns) / 1e6)
    width = style.width - BEYOND

    def column(value: float) -> int:
        at = int((math.log(max(value, low)) - math.log(low)) / (math.log(high) - math.log(low)) * (width - 1))
        return max(0, min(width - 1, at))

    walls = sorted(walls_ns)
    ends = [bisect_right(walls, at, key=lambda wall: column(wall / 1e6)) for at in range(width)]
    counts = [end - begin for begin, end in pairwise([0, *ends])]
    bars = [_height(count, max(counts), style) for count in counts]
    if slow_ns is not None:
        border = column(slow_ns / 1e6) + 1
        if border < width and bars[border] == " ":
            bars[border] = style.border
    axis = ""
    for value in _marks(low, high):
        # A label that would touch the previous one is omitted.
        if not axis or column(value) > len(axis):
            axis = axis.ljust(column(value)) + _label(value, style, first=not axis)
    return [[Piece(INDENT + "".join(bars))], [Piece(INDENT + axis, "dim")]]


def _limits(least: float, most: float) -> tuple[float, float]:
    """The nearest of 1, 2, 5, 10, ... ms below the least and above the most."""
    low = 1.0
    for value in _ladder():
        if value > least:
            break
        low = value
    return low, next(value for value in _ladder() if value > max(most, low))


def _marks(low: float, high: float) -> Iterator[float]:
    for value in _ladder():
        if value > high:
            return
        if value >= low:
            yield value


def _ladder() -> Iterator[float]:
    step = 1.0
    while True:
        yield step
        yield 2 * step
        yield 5 * step
        step *= 10


def _label(value: float, style: Style, *, first: bool) -> str:
    if value >= 1000:
        return f"{value / 1000:,.0f}{style.space}s"
    return f"{value:.0f}{style.space}ms" if first else f"{value:.0f}"


def _height(count: int, most: int, style: Style) -> str:
    steps = len(style.heights) - 1
    return style.heights[max(1, -(-count * steps // most))] if count else " "
