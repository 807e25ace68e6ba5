"""The comparison with a baseline as text: a sentence, and a table of the parts that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency import COMPARABLE_REQUESTS
from lambda_latency.text.prose import OWNED
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.table import LONGEST_NAME, OWNER_INK
from lambda_latency.text.words import (
    cells,
    clean,
    fit,
    left,
    ms,
    number,
    owner,
    percent,
    plural,
    right,
    signed,
    wrap_pieces,
)

if TYPE_CHECKING:
    from lambda_latency.latency import Against, Change, Estimate, Rate

__all__ = ["HEAD", "Row", "against_lines", "against_rows", "against_sentence", "change_rows"]

HEAD = ("Against the baseline", "owner", "then", "now", "difference", "between", "")
MOST_ALSO = 3
MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, each cell as it is printed."""

    name: str
    owner: str
    then: str
    now: str
    difference: str
    between: str
    how: str


def against_lines(one: Against, style: Style, *, everything: bool = False) -> list[Line]:
    """The sentence and the table; `everything` lists the parts without a difference too."""
    lines = wrap_pieces(against_sentence(one, style), style.width)
    rows = against_rows(one, style, everything=everything)
    if not rows:
        return lines
    lines += [[], *_table(rows, style)]
    rest = len(one.parts) + 1 - len(rows)
    return [*lines, [Piece(f"{plural(rest, 'more part')}: no difference", "dim")]] if rest else lines


def against_sentence(one: Against, style: Style) -> list[Piece]:
    """The part that became slower or faster, with its difference and bounds, or a sentence that none did."""
    then, now = (number(count) for count in one.requests)
    whole, changed = one.whole, one.changed
    if whole is None or whole.typical is None:
        text = f"Too few requests to compare with the baseline ({then} then, {now} now): it takes "
        return [Piece(f"{text}{COMPARABLE_REQUESTS} of one route on both sides.")]
    counts = f"{then} requests then, {now} now"
    standing = [rate for rate in one.rates if rate.stands]
    if not changed and whole.real is None and standing:
        pieces = [Piece(f"Times do not differ from the baseline ({counts}), but rates do", "bold"), Piece(".")]
    elif not changed and whole.real is None:
        pieces = [Piece(f"No difference from the baseline ({counts})", "bold")]
        pieces += [Piece(f": a typical request takes {_by(whole.typical, style)}, which may be noise.")]
    elif not changed:
        assert whole.real is not None
        pieces = [Piece(f"{_direction(whole.real)} than the baseline ({counts}): a typical request takes ")]
        pieces += [Piece(_by(whole.real, style), "bold"), Piece(", and no single part explains it.")]
    else:
        pieces = _first(changed[0], counts, style)
        also = [_also(each, style) for each in changed[1 : 1 + MOST_ALSO]]
        more = len(changed) - 1 - len(also)
        pieces += [Piece(f" Also: {', '.join(also)}{f', and {more} more' if more else ''}.")] if also else []
    pieces += [Piece(f" {_rate(rate, style)}") for rate in standing]
    if one.timeouts[0] != one.timeouts[1] and not any(rate.of == "timeouts" for rate in standing):
        pieces.append(Piece(f" Timeouts: {number(one.timeouts[0])} then, {number(one.timeouts[1])} now."))
    if one.left_out:
        names = clean(", ".join(one.left_out), style)
        pieces.append(Piece(f" Not compared, because one side has too few requests: {names}."))
    return pieces


def against_rows(one: Against, style: Style, *, everything: bool = False) -> list[Row]:
    """The rows of the parts that changed, and of the whole request; none without a change."""
    if one.whole is None or not (one.changed or one.whole.real or everything):
        return []
    parts = one.parts if everything else one.changed
    return [_row(each, style) for each in (*parts, one.whole)]


def _rate(one: Rate, style: Style) -> str:
    """`More errors: 2 of 120 then, 40 of 120 now (between +20 % and +43 %).`"""
    (some, every), (more, all_now) = one.then, one.now
    how = "More" if one.difference > 0 else "Fewer"
    low, high = (f"{100 * bound:+.0f}{style.space}%" for bound in (one.low, one.high))
    counts = f"{number(some)} of {number(every)} then, {number(more)} of {number(all_now)} now"
    return f"{how} {one.of}: {counts} (between {low} and {high})."


def _first(change: Change, counts: str, style: Style) -> list[Piece]:
    assert change.part is not None
    assert change.real is not None
    label = clean(change.part.label, style)
    pieces = [Piece(f"{_direction(change.real)} than the baseline ({counts}): ")]
    pieces += [Piece(f"{label} takes "), Piece(_by(change.real, style, _how(change)), "bold"), Piece(".")]
    if not change.by_typical:
        then, now = (f"{number(some)} of {number(every)}" for some, every in _shares(change))
        pieces.append(Piece(f" {now} requests wait for it, {then} did."))
    whose = OWNED["unknown" if change.part.bucket == "unknown" else change.part.owner]
    return [*pieces, Piece(f" {whose}")]


def _also(change: Change, style: Style) -> str:
    assert change.part is not None
    assert change.real is not None
    return f"{clean(change.part.label, style)} {_more(change.real, style)} {_how(change)}"


def _shares(change: Change) -> list[tuple[int, int]]:
    return list(zip(change.waited, change.requests, strict=True))


def _how(change: Change) -> str:
    return "each time" if change.by_typical else "on average"


def _direction(one: Estimate) -> str:
    return "Slower" if one.difference_ns > 0 else "Faster"


def _more(one: Estimate, style: Style) -> str:
    return f"{ms(abs(one.difference_ns), style)} {'more' if one.difference_ns >= 0 else 'less'}"


def _by(one: Estimate, style: Style, how: str = "") -> str:
    """`100 ms more each time (between +92 ms and +108 ms)`."""
    between = f"between {signed(one.low_ns, style)} and {signed(one.high_ns, style)}"
    return f"{_more(one, style)}{f' {how}' if how else ''} ({between})"


def _row(change: Change, style: Style) -> Row:
    shown = change.real or change.typical or change.mean
    return Row(
        name=clean(change.part.label, style) if change.part is not None else "the whole request",
        owner=owner(change.part) if change.part is not None else "",
        then=ms(shown.before_ns, style),
        now=ms(shown.now_ns, style),
        difference=signed(shown.difference_ns, style),
        between=f"{signed(shown.low_ns, style)} to {signed(shown.high_ns, style)}",
        how=_told(change, shown),
    )


def _told(change: Change, shown: Estimate) -> str:
    kind = "on average" if shown is change.mean else "typically" if change.part is None else "each time"
    return kind if change.real is not None else f"{kind}, may be noise"


def _table(rows: list[Row], style: Style) -> list[Line]:
    table = [Row(*HEAD), *rows]
    longest = min(LONGEST_NAME, max(cells(row.name) for row in table))
    fields = ("owner", "then", "now", "difference", "between", "how")
    widths = {field: max(cells(getattr(row, field)) for row in table) for field in fields}
    numbers = sum(2 + widths[field] for field in ("then", "now", "difference"))
    # In a narrow terminal the last columns are left out first.
    shown: tuple[str, ...] = ("owner", "between", "how")
    while shown and 20 + numbers + sum(2 + widths[field] for field in shown) > style.width:
        shown = shown[:-1]
    name = min(longest, style.width - numbers - sum(2 + widths[field] for field in shown))
    lines: list[Line] = []
    for row in table:
        ink = "" if lines else "bold"
        line = [Piece(left(fit(row.name, name, style), name), "bold" if len(lines) < 2 else "")]
        if "owner" in shown:
            line += [Piece("  "), Piece(left(row.owner, widths["owner"]), ink or OWNER_INK.get(row.owner, ""))]
        for field in ("then", "now", "difference", *shown[1:]):
            cell = getattr(row, field)
            aligned = left(cell, widths[field]) if field == "how" else right(cell, widths[field])
            line.append(Piece(f"  {aligned}", ink))
        lines.append(line)
    return lines


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
    return [Row(*HEAD), *parts, *walls, *(_rate_row(rate, style) for rate in one.rates)]


def _rate_row(one: Rate, style: Style) -> Row:
    then, now = (
        f"{number(some)} of {number(every)} ({percent(some, every, style)})" for some, every in (one.then, one.now)
    )
    low, high, difference = (f"{100 * share:+.1f}{style.space}%" for share in (one.low, one.high, one.difference))
    return Row(one.of, "", then, now, difference, f"{low} to {high}", "" if one.stands else "may be noise")
