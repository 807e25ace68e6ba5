"""Everything that was compared with a baseline, changed or not, as rows: parts, percentiles, rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.against import HEAD, Row, against_rows
from lambda_latency.text.words import ms, number, percent, signed

if TYPE_CHECKING:
    from lambda_latency.latency import Against, Rate
    from lambda_latency.text.style import Style

__all__ = ["change_rows"]

MOST_PARTS = 12


def change_rows(one: Against, style: Style) -> list[Row]:
    """The head, then parts and the whole request (the largest change first), percentiles, and rates.

    Percentiles have no bounds: their cells are empty.
    """
    parts = against_rows(one, style, everything=True)
    parts = [*parts[:-1][:MOST_PARTS], *parts[-1:]]
    walls = [
        Row(f"p{rank} of all requests", "", ms(then, style), ms(now, style), signed(now - then, style), "", "")
        for rank, then, now in one.percentiles
    ]
    return [Row(*HEAD), *parts, *walls, *(_rate(rate, style) for rate in one.rates)]


def _rate(one: Rate, style: Style) -> Row:
    then, now = (
        f"{number(some)} of {number(every)} ({percent(some, every, style)})" for some, every in (one.then, one.now)
    )
    low, high, difference = (f"{100 * share:+.1f}{style.space}%" for share in (one.low, one.high, one.difference))
    return Row(one.of, "", then, now, difference, f"{low} to {high}", "" if one.stands else "may be noise")
