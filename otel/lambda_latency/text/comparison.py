"""The table of a verdict: each part in typical and in slow requests, the largest difference first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency import Calls
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.table import LONGEST_NAME, OWNER_INK, SHORTEST_NAME, TITLE, trouble_of
from lambda_latency.text.words import cells, clean, explained, fit, is_zero, left, ms, number, owner, right, signed

if TYPE_CHECKING:
    from lambda_latency.latency import Compared, Report

BAR = 10
HEAD = (TITLE, "owner", "typical", "slow", "difference", "", "calls", "")


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    owner: str
    typical: str
    slow: str
    more: str
    share: str
    calls: str
    trouble: str
    bar: str = ""


def comparison(report: Report, style: Style) -> list[Line]:
    """The table; parts under one percent of the difference without errors or throttles are folded into one line."""
    compared = report.cohorts
    if not compared.slow:
        return []
    most = max(one.slow_ns for one in compared.parts)
    shown, rest = shown_and_folded(report)
    rows = [_row(one, report, most, style) for one in shown]
    return _lines(rows, rest, style)


def shown_and_folded(report: Report) -> tuple[list[Compared], list[Compared]]:
    """The parts with a row of their own, and those under one percent of the difference that share a line."""
    compared = report.cohorts
    shown: list[Compared] = []
    rest: list[Compared] = []
    for one in compared.parts:
        calls = _calls(report, one)
        small = 100 * abs(one.difference_ns) < abs(compared.difference_ns) and not calls.errors and not calls.throttles
        (rest if small else shown).append(one)
    if len(rest) == 1:  # a line "1 more part" takes as much space as the part
        return list(compared.parts), []
    return shown, rest


def _calls(report: Report, one: Compared) -> Calls:
    tally = report.totals.parts.get(one.part)
    return tally.calls if tally is not None else Calls()


def _row(one: Compared, report: Report, most: int, style: Style) -> _Row:
    calls = _calls(report, one)
    return _Row(
        name=clean(one.part.label, style),
        owner=owner(one.part),
        typical=ms(one.typical_ns, style),
        slow=ms(one.slow_ns, style),
        more=signed(one.difference_ns, style),
        share=explained(one, report.cohorts.difference_ns, style) if one.difference_ns >= 0 else "",
        calls=number(calls.calls) if calls.calls else "-",
        trouble=trouble_of(calls),
        bar=_bar(one, most, style),
    )


def _lines(rows: list[_Row], rest: list[Compared], style: Style) -> list[Line]:
    table = [_Row(*HEAD), *rows]
    longest = min(LONGEST_NAME, max(cells(row.name) for row in table))
    widths = {
        field: max(cells(getattr(row, field)) for row in table)
        for field in ("owner", "typical", "slow", "more", "share", "calls", "trouble")
    }
    numbers = sum(2 + widths[field] for field in ("typical", "slow", "more", "share"))
    owned = 2 + widths["owner"]
    how = 2 + widths["calls"] + (2 + widths["trouble"] if widths["trouble"] else 0)
    short = min(longest, SHORTEST_NAME)
    # A narrow terminal loses the bars first, then the ends of names, then the calls, then the owners.
    with_calls = short + numbers + owned + how <= style.width
    with_owner = short + numbers + owned <= style.width
    beside = numbers + (owned if with_owner else 0) + (how if with_calls else 0)
    with_bar = short + beside + 2 + BAR <= style.width
    name = min(longest, style.width - beside - (2 + BAR if with_bar else 0))
    lines: list[Line] = []
    for row in table:
        head, first = not lines, len(lines) == 1
        ink = "bold" if head or first else ""
        line = [Piece(left(fit(row.name, name, style), name), ink)]
        if with_owner:
            inked = "bold" if head else OWNER_INK.get(row.owner, "")
            line += [Piece("  "), Piece(left(row.owner, owned - 2), inked)]
        line += [Piece("  " + right(row.typical, widths["typical"]), "bold" if head else "")]
        line += [Piece("  " + right(row.slow, widths["slow"]), "bold" if head else "")]
        if with_bar:
            line += [Piece("  "), Piece(left(row.bar, BAR), ink)]
        line += [
            Piece("  " + right(row.more, widths["more"]), ink),
            Piece("  " + right(row.share, widths["share"]), ink),
        ]
        if with_calls:
            line += [Piece("  " + right(row.calls, widths["calls"]), "bold" if head else "")]
            line += [Piece("  "), Piece(row.trouble, "red")]
        lines.append(line)
    if rest:
        typical, slow = sum(one.typical_ns for one in rest), sum(one.slow_ns for one in rest)
        more = signed(slow - typical, style)
        together = "the same in both" if is_zero(more) else f"{more} together"
        line = [Piece(left(fit(f"{len(rest)} more parts", name, style), name))]
        line += [Piece(" " * owned)] if with_owner else []
        line += [Piece("  " + right(ms(typical, style), widths["typical"]))]
        line += [Piece("  " + right(ms(slow, style), widths["slow"])), Piece("  " + together)]
        lines.append(line)
    return lines


def _bar(one: Compared, most: int, style: Style) -> str:
    """The typical time and the extra time of slow requests, on one axis for all parts."""
    if not one.slow_ns or not most:
        return ""
    usual = (2 * min(one.typical_ns, one.slow_ns) * BAR + most) // (2 * most)
    whole = (2 * one.slow_ns * BAR + most) // (2 * most)
    drawn = style.usual * usual + style.waited * (whole - usual)
    return drawn or (style.tick if 500 * one.slow_ns >= most else "")
