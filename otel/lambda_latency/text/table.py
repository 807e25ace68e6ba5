"""The table "Where the time goes": the parts of all requests, the largest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import cells, clean, fit, left, ms, number, owner, percent, plural, right

if TYPE_CHECKING:
    from lambda_latency.latency import Calls, Part, PartTally, Tally

TITLE = "Where the time goes"
OWNER_INK = {"external": "blue", "internal": "yellow"}
LONGEST_NAME, SHORTEST_NAME = 36, 24
WIDEST_BAR, NARROWEST_BAR = 30, 6
EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    owner: str
    mean: str
    mean_ns: int
    share: str
    calls: str
    trouble: str


def where(tally: Tally, style: Style) -> list[Line]:
    """The table of requests: mean time per request, share of all time, calls, errors and throttles.

    Parts under one percent without errors or throttles are folded into the last line.
    """
    shown: list[tuple[Part, PartTally]] = []
    rest: list[tuple[Part, PartTally]] = []
    for part, one in tally.largest_first():
        small = 100 * one.total_ns < tally.wall_ns and not one.calls.errors and not one.calls.throttles
        (rest if small else shown).append((part, one))
    if len(rest) == 1:  # a line "1 more part" takes as much space as the part
        shown += rest
        rest = []
    rows = [_row(part, one, tally, style) for part, one in shown]
    if rest:
        rows.append(_folded([one for _, one in rest], tally, style))
    return _lines(rows, "time" if tally.requests == 1 else "mean", style)


def _row(part: Part, one: PartTally, tally: Tally, style: Style) -> _Row:
    mean = _mean(one.total_ns, tally)
    return _Row(
        name=clean(part.label, style),
        owner=owner(part),
        mean=ms(mean, style),
        mean_ns=mean,
        share=percent(one.total_ns, tally.wall_ns, style),
        calls=number(one.calls.calls) if one.calls.calls else "-",
        trouble=trouble_of(one.calls),
    )


def trouble_of(calls: Calls) -> str:
    """`2 errors, 5 throttled`; empty without errors."""
    trouble = [plural(calls.errors, "error")] if calls.errors else []
    trouble += [f"{number(calls.throttles)} throttled"] if calls.throttles else []
    return ", ".join(trouble)


def _folded(rest: list[PartTally], tally: Tally, style: Style) -> _Row:
    total = sum(one.total_ns for one in rest)
    share = percent(total, tally.wall_ns, style)
    return _Row(f"{len(rest)} more parts", "", ms(_mean(total, tally), style), 0, share, "", "")


def _mean(total_ns: int, tally: Tally) -> int:
    return (2 * total_ns + tally.requests) // (2 * tally.requests) if tally.requests else 0


def _lines(rows: list[_Row], of: str, style: Style) -> list[Line]:
    longest = min(LONGEST_NAME, max([len(TITLE), *(cells(row.name) for row in rows)]))
    mean = max([len(of), *(cells(row.mean) for row in rows)])
    calls = max([len("calls"), *(cells(row.calls) for row in rows)])
    trouble = max((cells(row.trouble) for row in rows), default=0)
    # A narrow terminal loses the bars first, then the ends of names, then the calls, then the owners.
    numbers = 2 + mean + 2 + len("share")
    owned = 2 + len("platform")
    how = 2 + calls + (2 + trouble if trouble else 0)
    with_calls = min(longest, SHORTEST_NAME) + numbers + owned + how <= style.width
    with_owner = min(longest, SHORTEST_NAME) + numbers + owned <= style.width
    beside = numbers + (owned if with_owner else 0) + (how if with_calls else 0)
    name = min(longest, style.width - beside)
    bar = min(WIDEST_BAR, style.width - beside - name - 2)
    bar = bar if bar >= NARROWEST_BAR else 0
    most = max((row.mean_ns for row in rows), default=0)
    lines: list[Line] = []
    for row in [_Row(TITLE, "owner", of, 0, "share", "calls", ""), *rows]:
        head = not lines
        ink = "bold" if head else ""
        first = len(lines) == 1
        line = [Piece(left(fit(row.name, name, style), name), "bold" if head or first else "")]
        if with_owner:
            line += [Piece("  "), Piece(left(row.owner, owned - 2), ink or OWNER_INK.get(row.owner, ""))]
        line += [Piece("  "), Piece(right(row.mean, mean), ink)]
        if bar:
            line += [Piece("  "), Piece(left(_bar(row.mean_ns, most, bar, style), bar), "bold" if first else "")]
        line += [Piece("  "), Piece(right(row.share, len("share")), ink)]
        if with_calls:
            line += [Piece("  "), Piece(right(row.calls, calls), ink), Piece("  "), Piece(row.trouble, "red")]
        lines.append(line)
    return lines


def _bar(value: int, most: int, width: int, style: Style) -> str:
    if not value:
        return ""
    if not style.unicode:
        return "#" * max(1, (2 * value * width + most) // (2 * most))
    eighths = max(1, 8 * value * width // most)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
