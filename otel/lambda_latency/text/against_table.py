"""The comparison with a baseline as a table of the parts that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.table import LONGEST_NAME, owner_pieces, widths_of
from lambda_latency.text.words import clean, fit, left, ms, number, owner, percent, plural, right, signed

if TYPE_CHECKING:
    from lambda_latency.latency import Against, ChangeEstimate, EdgeChange, Rate

HEAD = ("Against the baseline", "owner", "then", "now", "difference", "between", "")
MOST_PARTS = 12
NUMBERS, OTHERS = ("baseline", "current", "difference"), ("owner", "between", "how")  # columns
SHORTEST_NAME = 20


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the table, each cell as it is printed."""

    name: str
    owner: str
    baseline: str
    current: str
    difference: str
    between: str = ""
    how: str = ""


def against_lines(diff: Against, style: Style, *, everything: bool = False) -> list[Line]:
    """Return the table; `everything` lists the parts without a difference too. Without rows, nothing."""
    rows = against_rows(diff, style, everything=everything)
    if not rows:
        return []
    lines = _table(rows, style)
    unlisted = len(diff.edges) + 1 - len(rows)
    return [*lines, [Piece(f"{plural(unlisted, 'more part')}: no difference", "dim")]] if unlisted else lines


def against_rows(diff: Against, style: Style, *, everything: bool = False) -> list[DiffRow]:
    """Return the rows of the parts that changed, and of the whole request; none without a change."""
    whole = diff.whole
    if whole is None or not (diff.changed or whole.difference or everything):
        return []
    changes = diff.edges if everything else diff.changed
    return [_row(change, style) for change in (*changes, whole)]


def _row(change: EdgeChange, style: Style) -> DiffRow:
    shown = change.difference or change.typical or change.mean
    return DiffRow(
        name=clean(change.edge.label, style) if change.edge is not None else "the whole request",
        owner=owner(change.component) if change.component is not None else "",
        baseline=ms(shown.before_ns, style),
        current=ms(shown.now_ns, style),
        difference=signed(shown.difference_ns, style),
        between=f"{signed(shown.low_ns, style)} to {signed(shown.high_ns, style)}",
        how=_how_measured(change, shown),
    )


def _how_measured(change: EdgeChange, shown: ChangeEstimate) -> str:
    kind = "typically" if change.component is None else "each time"
    if shown is change.mean:
        kind = "on average"
    return kind if change.difference is not None else f"{kind}, may be noise"


def _table(rows: list[DiffRow], style: Style) -> list[Line]:
    table = [DiffRow(*HEAD), *rows]
    widths = widths_of(table, ("name", *NUMBERS, *OTHERS))
    room = style.width - _width(NUMBERS, widths)
    # In a narrow terminal the last columns are left out first.
    shown: tuple[str, ...] = OTHERS
    while shown and SHORTEST_NAME + _width(shown, widths) > room:
        shown = shown[:-1]
    widths["name"] = min(widths["name"], LONGEST_NAME, room - _width(shown, widths))
    return [_table_line(row, index, widths, shown, style) for index, row in enumerate(table)]


def _width(fields: Iterable[str], widths: Mapping[str, int]) -> int:
    """Return the cells of these columns, each with the space before it."""
    return sum(2 + widths[field] for field in fields)


def _table_line(row: DiffRow, index: int, widths: Mapping[str, int], shown: Sequence[str], style: Style) -> Line:
    ink = "" if index else "bold"
    line = [Piece(left(fit(row.name, widths["name"], style), widths["name"]), "bold" if index < 2 else "")]
    if "owner" in shown:
        line += owner_pieces(row.owner, widths["owner"], ink)
    for field in (*NUMBERS, *shown[1:]):
        edge = getattr(row, field)
        aligned = left(edge, widths[field]) if field == "how" else right(edge, widths[field])
        line.append(Piece(f"  {aligned}", ink))
    return line


def change_rows(diff: Against, style: Style) -> list[DiffRow]:
    """Return the head, then parts and the whole request (the largest change first), percentiles, and rates.

    Percentiles have no bounds: their cells are empty.
    """
    components = against_rows(diff, style, everything=True)
    components = [*components[:-1][:MOST_PARTS], *components[-1:]]
    walls = [
        DiffRow(f"p{rank} of all requests", "", ms(old, style), ms(new, style), signed(new - old, style))
        for rank, old, new in diff.percentiles
    ]
    return [DiffRow(*HEAD), *components, *walls, *(_rate_row(rate, style) for rate in diff.rates)]


def _rate_row(rate: Rate, style: Style) -> DiffRow:
    old, new = (
        f"{number(count)} of {number(requests)} ({percent(count, requests, style)})"
        for count, requests in (rate.old, rate.new)
    )
    bounds = (rate.low, rate.high, rate.difference)
    low, high, difference = (f"{100 * share:+.1f}{style.space}%" for share in bounds)
    noise = "" if rate.stands else "may be noise"
    return DiffRow(rate.name, "", old, new, difference, f"{low} to {high}", noise)
