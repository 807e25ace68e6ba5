"""The distribution of the wall clock, as one line of bars over a logarithmic axis."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["distribution"]

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
