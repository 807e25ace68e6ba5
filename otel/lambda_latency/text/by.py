"""The table of requests by the values of one attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.depends import value_text
from lambda_latency.text.style import Line, Piece
from lambda_latency.text.words import cells, clean, fit, left, ms, number, percent, plural, right

if TYPE_CHECKING:
    from lambda_latency.latency import By, ByValue
    from lambda_latency.text.style import Style

BY_HEAD = ("requests", "p50", "p95", "slow", "most of the time, mean")
LONGEST, SHORTEST = 40, 12
LEAST_PERCENT = 1  # of a row's time: smaller parts are not listed


def by_rows(found: By, style: Style) -> list[tuple[str, ...]]:
    """The cells of each row: the value, requests, p50, p95, the share of slow requests, and its largest parts."""
    return [_row(one, found, style) for one in found.rows]


def by_lines(found: By, style: Style) -> list[Line]:
    """The table as lines. A narrow terminal loses the ends of the parts and of the values."""
    rows = [(clean(found.attribute, style), *BY_HEAD), *by_rows(found, style)]
    widths = [max(cells(row[at]) for row in rows) for at in range(5)]
    name = max(min(widths[0], LONGEST, style.width - sum(widths[1:]) - 4 * 2 - 2 - SHORTEST), SHORTEST)
    rest = style.width - name - sum(widths[1:]) - 5 * 2
    lines: list[Line] = []
    for row in rows:
        ink = "" if lines else "bold"
        line = [Piece(left(fit(row[0], name, style), name), ink)]
        for at in range(1, 5):
            line += [Piece("  "), Piece(right(row[at], widths[at]), ink)]
        line += [Piece("  "), Piece(fit(row[5], rest, style), ink)] if rest >= SHORTEST else []
        lines.append(line)
    return lines


def _row(one: ByValue, found: By, style: Style) -> tuple[str, ...]:
    name = plural(found.others, "other value") if one.value is None else value_text(one.value, style)
    if one.value is not None:
        name = name.removeprefix(f"{clean(found.attribute, style)} ").removeprefix("= ")
    whole = sum(ns for _, ns in one.parts)
    parts = [
        f"{clean(part.label, style)} {ms(ns, style)}" for part, ns in one.parts if 100 * ns >= LEAST_PERCENT * whole
    ]
    slow = percent(one.slow, one.requests, style)
    return name, number(one.requests), ms(one.p50_ns, style), ms(one.p95_ns, style), slow, ", ".join(parts)
