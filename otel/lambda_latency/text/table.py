"""The table "Where the time goes" of all requests, and that of an attribute's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lambda_latency.latency import By, ByValue, Calls, Component, ComponentTally, Tally
from lambda_latency.text.correlation import value_text
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, display_width, fit, left, ms, number, owner, percent, plural, right

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


class Layout(NamedTuple):
    """The columns that fit into a terminal; `width` is that of all columns but the names and the bars."""

    widths: Mapping[str, int]
    longest_name: int
    shortest_name: int
    with_owner: bool
    with_calls: bool
    width: int


def widths_of(rows: Sequence[object], fields: Sequence[str]) -> dict[str, int]:
    """Return the width of the longest cell of each column, by the field of its rows."""
    return {field: max(display_width(getattr(row, field)) for row in rows) for field in fields}


def owner_pieces(owned_by: str, width: int, head_ink: str) -> list[Piece]:
    """Return the cell of an owner, in the colour of the owner, or in the ink of the head."""
    return [Piece("  "), Piece(left(owned_by, width), head_ink or OWNER_INK.get(owned_by, ""))]


def _layout(widths: Mapping[str, int], numbers: int, style: Style) -> Layout:
    """Choose the columns; `numbers` is the width of those that are never left out."""
    owners = 2 + widths["owner"]
    calls = 2 + widths["calls"] + (2 + widths["trouble"] if widths["trouble"] else 0)
    longest = min(LONGEST_NAME, widths["name"])
    shortest = min(longest, SHORTEST_NAME)
    # A narrow terminal loses the bars first, then the ends of names, then the calls, then the owners.
    with_owner = shortest + numbers + owners <= style.width
    with_calls = shortest + numbers + owners + calls <= style.width
    width = numbers + (owners if with_owner else 0) + (calls if with_calls else 0)
    return Layout(widths, longest, shortest, with_owner, with_calls, width)


def where(tally: Tally, style: Style) -> list[Line]:
    """Return the table of requests: mean time per request, share of all time, calls, errors and throttles.

    Parts under one percent without errors or throttles are folded into the last line.
    """
    shown: list[tuple[Component, ComponentTally]] = []
    folded: list[tuple[Component, ComponentTally]] = []
    for component, times in tally.largest_first():
        small = 100 * times.total_ns < tally.wall_ns and not times.calls.errors and not times.calls.throttles
        (folded if small else shown).append((component, times))
    if len(folded) == 1:  # a line "1 more part" takes as much space as the part
        shown += folded
        folded = []
    rows = [_row(component, times, tally, style) for component, times in shown]
    if folded:
        total_ns = sum(times.total_ns for _, times in folded)
        mean, share = ms(_mean(total_ns, tally), style), percent(total_ns, tally.wall_ns, style)
        rows.append(_Row(f"{len(folded)} more parts", "", mean, 0, share, "", ""))
    return _lines(rows, "time" if tally.requests == 1 else "mean", style)


def _row(component: Component, times: ComponentTally, tally: Tally, style: Style) -> _Row:
    mean = _mean(times.total_ns, tally)
    return _Row(
        name=clean(component.label, style),
        owner=owner(component),
        mean=ms(mean, style),
        mean_ns=mean,
        share=percent(times.total_ns, tally.wall_ns, style),
        calls=number(times.calls.calls) if times.calls.calls else "-",
        trouble=trouble_of(times.calls),
    )


def trouble_of(calls: Calls) -> str:
    """`2 errors, 5 throttled`; empty without errors."""
    trouble = [plural(calls.errors, "error")] if calls.errors else []
    trouble += [f"{number(calls.throttles)} throttled"] if calls.throttles else []
    return ", ".join(trouble)


def _mean(total_ns: int, tally: Tally) -> int:
    return (2 * total_ns + tally.requests) // (2 * tally.requests) if tally.requests else 0


def _lines(rows: list[_Row], mean_head: str, style: Style) -> list[Line]:
    table = [_Row(TITLE, "owner", mean_head, 0, "share", "calls", ""), *rows]
    widths = {**widths_of(table, ("name", "mean", "calls", "trouble")), "owner": len("platform"), "share": len("share")}
    layout = _layout(widths, 2 + widths["mean"] + 2 + widths["share"], style)
    name = min(layout.longest_name, style.width - layout.width)
    bar = min(WIDEST_BAR, style.width - layout.width - name - 2)
    longest_ns = max((row.mean_ns for row in rows), default=0)
    lines: list[Line] = []
    for index, row in enumerate(table):
        drawn = left(_bar(row.mean_ns, longest_ns, bar, style), bar) if bar >= NARROWEST_BAR else ""
        lines.append(_line(row, index, name, drawn, layout, style))
    return lines


def _line(row: _Row, index: int, name: int, bar: str, layout: Layout, style: Style) -> Line:
    widths, ink = layout.widths, "" if index else "bold"
    line = [Piece(left(fit(row.name, name, style), name), "bold" if index < 2 else "")]
    line += owner_pieces(row.owner, widths["owner"], ink) if layout.with_owner else []
    line += [Piece("  "), Piece(right(row.mean, widths["mean"]), ink)]
    line += [Piece("  "), Piece(bar, "bold" if index == 1 else "")] if bar else []
    line += [Piece("  "), Piece(right(row.share, widths["share"]), ink)]
    if layout.with_calls:
        line += [Piece("  "), Piece(right(row.calls, widths["calls"]), ink), Piece("  "), Piece(row.trouble, "red")]
    return line


def _bar(ns: int, longest_ns: int, width: int, style: Style) -> str:
    if not ns:
        return ""
    if not style.unicode:
        return "#" * max(1, (2 * ns * width + longest_ns) // (2 * longest_ns))
    eighths = max(1, 8 * ns * width // longest_ns)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


BY_HEAD = ("requests", "p50", "p95", "slow", "most of the time, mean")
LONGEST, SHORTEST = 40, 12
LEAST_PERCENT = 1  # of a row's time: smaller parts are not listed


def by_rows(by: By, style: Style) -> list[tuple[str, ...]]:
    """Return the cells of each row: value, requests, p50, p95, the share of slow requests, and the largest parts."""
    return [_by_row(by_value, by, style) for by_value in by.rows]


def by_lines(by: By, style: Style) -> list[Line]:
    """Return the table as lines. A narrow terminal loses the ends of the parts and of the values."""
    rows = [(clean(by.attribute, style), *BY_HEAD), *by_rows(by, style)]
    longest, *widths, _ = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    room = style.width - sum(widths) - 5 * 2
    name_width = max(min(longest, LONGEST, room - SHORTEST), SHORTEST)
    room -= name_width
    lines: list[Line] = []
    for name, *numbers, components in rows:
        ink = "" if lines else "bold"
        line = [Piece(left(fit(name, name_width, style), name_width), ink)]
        for text, width in zip(numbers, widths, strict=True):
            line += [Piece("  "), Piece(right(text, width), ink)]
        line += [Piece("  "), Piece(fit(components, room, style), ink)] if room >= SHORTEST else []
        lines.append(line)
    return lines


def _by_row(by_value: ByValue, by: By, style: Style) -> tuple[str, ...]:
    if by_value.value is None:
        name = plural(by.further, "other value")
    else:
        name = value_text(by_value.value, style).removeprefix(f"{clean(by.attribute, style)} ").removeprefix("= ")
    least_ns = LEAST_PERCENT * sum(ns for _, ns in by_value.components)
    components = [
        f"{clean(component.label, style)} {ms(ns, style)}"
        for component, ns in by_value.components
        if 100 * ns >= least_ns
    ]
    slow = percent(by_value.slow, by_value.requests, style)
    times = (ms(by_value.p50_ns, style), ms(by_value.p95_ns, style))
    return name, number(by_value.requests), *times, slow, ", ".join(components)
