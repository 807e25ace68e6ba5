"""The line of facts: percentiles of the wall clock, and the number of cold starts, errors and timeouts."""

from __future__ import annotations

from lambda_latency.latency import UNKNOWN, Tally, Traffic, Unknown, at_rank
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import cells, ms, number, percent

__all__ = ["facts"]


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
