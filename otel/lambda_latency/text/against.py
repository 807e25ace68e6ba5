"""The comparison with a baseline as text: a sentence, and a table of the parts that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency import COMPARABLE_REQUESTS
from lambda_latency.text.classes import OWNED, instant_of, owned
from lambda_latency.text.shapes import calls_sentence, shape_pieces
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
)

if TYPE_CHECKING:
    from lambda_latency.latency import Against, CallChange, Cell, Change, Estimate, Fresh, Rate, RouteChange

HEAD = ("Against the baseline", "owner", "then", "now", "difference", "between", "")
LONGER = "longer in the slowest requests"
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
    """The table; `everything` lists the parts without a difference too. Without rows, nothing."""
    rows = against_rows(one, style, everything=everything)
    if not rows:
        return []
    lines = _table(rows, style)
    rest = len(one.cells) + 1 - len(rows)
    return [*lines, [Piece(f"{plural(rest, 'more part')}: no difference", "dim")]] if rest else lines


def against_sentence(one: Against, style: Style) -> list[Piece]:
    """The answer: what became slower or faster, with its difference and bounds, or that nothing can be told."""
    then, now = (number(count) for count in one.requests)
    if one.answer == "few" or one.whole is None:
        text = f"Too few requests to compare with the baseline ({then} then, {now} now): it takes "
        return [Piece(f"{text}{COMPARABLE_REQUESTS} of one route on both sides.")]
    counts = f"{then} requests then, {now} now"
    standing = [rate for rate in one.rates if rate.stands]
    told = {"same": _same, "unsure": _unsure, "disturbed": _disturbed, "shape": _shape}.get(one.answer, _changed)
    pieces = told(one, counts, style)
    pieces += [Piece(f" {_rate(rate, style)}") for rate in standing]
    if one.timeouts[0] != one.timeouts[1] and not any(rate.of == "timeouts" for rate in standing):
        pieces.append(Piece(f" Timeouts: {number(one.timeouts[0])} then, {number(one.timeouts[1])} now."))
    if one.left_out:
        names = clean(", ".join(one.left_out), style)
        pieces.append(Piece(f" Not compared, because one side has too few requests: {names}."))
    return pieces


def _same(one: Against, counts: str, style: Style) -> list[Piece]:
    assert one.whole is not None
    if any(rate.stands for rate in one.rates):
        return [Piece(f"Times do not differ from the baseline ({counts}), but rates do", "bold"), Piece(".")]
    shown = one.whole.typical or one.whole.mean
    return [
        Piece(f"No difference from the baseline ({counts})", "bold"),
        Piece(f": a typical request takes {_by(shown, style)}, which may be noise."),
    ]


def _unsure(one: Against, counts: str, style: Style) -> list[Piece]:
    route = next((route for route in one.by_route if route.is_doubled), None)
    if route is not None:
        before, now = (ms(ns, style) for ns in route.p95_ns)
        seen = f"the p95 of {clean(route.route, style)} rose from {before} to {now}"
    else:
        assert one.whole is not None
        assert one.whole.tested.stretch is not None
        seen = f"requests were slower{_between(one.whole.tested.stretch)}"
    pieces = [
        Piece(f"Unsure ({counts}): "),
        Piece(seen, "bold"),
        Piece(", and no part is sure to be the cause: give more requests."),
    ]
    named = [clean(cause.cells[0].label, style) for cause in one.causes[:MOST_ALSO]]
    return [*pieces, Piece(f" Candidates: {', '.join(named)}.")] if named else pieces


def _shape(one: Against, counts: str, style: Style) -> list[Piece]:
    return shape_pieces(one.shapes, counts, style)


def _disturbed(one: Against, counts: str, style: Style) -> list[Piece]:
    del style
    slower = sum(change.tested.kind == "slower" for change in one.cells)
    return [
        Piece(f"Disturbed ({counts}): "),
        Piece("nearly all parts became slower alike", "bold"),
        Piece(f" ({number(slower)} of {number(len(one.cells))} surely): the machine, not a part. Run it again."),
    ]


def _changed(one: Against, counts: str, style: Style) -> list[Piece]:
    assert one.whole is not None
    when = _between(one.stretch) if one.stretch is not None else ""
    direction = f"{'Slower' if one.answer == 'slower' else 'Faster'} than the baseline{when} ({counts}): "
    changed = one.changed
    route = one.by_route[0] if one.by_route else None
    if not changed and one.answer == "slower" and route is not None and route.is_slower:
        return [Piece(direction), *_route(one, route, style)]
    calls = _first_calls(one)
    if not changed and calls is None:
        shown = one.whole.real or one.whole.mean
        pieces = [
            Piece(f"{direction}a typical request takes " if one.whole.by_typical else f"{direction}requests take ")
        ]
        amount = LONGER if _is_only_longer(one.whole) else _by(shown, style)
        return [*pieces, Piece(amount, "bold"), Piece(", and no single part explains it.")]
    if calls is not None:
        pieces = [Piece(direction), Piece(calls_sentence(calls, style), "bold"), Piece(". The cause is internal.")]
    else:
        pieces = [Piece(direction), *_first(one, changed[0], style), *_calls(one, changed[0], style)]
        cause = one.causes[0] if one.causes and one.causes[0].origin == "caller" else None
        told = cause.cells if cause is not None and changed[0].cell in cause.cells else ()
        changed = tuple([each for each in changed[1:] if each.cell not in told])
    also = [_also(each, style) for each in changed[:MOST_ALSO]]
    more = len(changed) - len(also)
    return [*pieces, Piece(f" Also: {', '.join(also)}{f', and {more} more' if more else ''}.")] if also else pieces


def _between(stretch: tuple[int, int]) -> str:
    begin, end = map(instant_of, stretch)
    return f" from {begin} to {end}"


def against_rows(one: Against, style: Style, *, everything: bool = False) -> list[Row]:
    """The rows of the parts that changed, and of the whole request; none without a change."""
    if one.whole is None or not (one.changed or one.whole.real or everything):
        return []
    parts = one.cells if everything else one.changed
    return [_row(each, style) for each in (*parts, one.whole)]


def _rate(one: Rate, style: Style) -> str:
    """`More errors: 2 of 120 then, 40 of 120 now (between +20 % and +43 %).`"""
    (some, every), (more, all_now) = one.then, one.now
    how = "More" if one.difference > 0 else "Fewer"
    low, high = (f"{100 * bound:+.0f}{style.space}%" for bound in (one.low, one.high))
    counts = f"{number(some)} of {number(every)} then, {number(more)} of {number(all_now)} now"
    return f"{how} {one.of}: {counts} (between {low} and {high})."


def _first_calls(one: Against) -> CallChange | None:
    """The calls that requests make more of, if they are the first cause."""
    if one.answer != "slower" or not one.causes or one.causes[0].origin != "shape":
        return None
    caller = one.causes[0].service
    its = [each for each in one.shapes.calls if each.cell.caller == caller and each.kind in ("more", "new")]
    return its[0] if its else None


def _route(one: Against, route: RouteChange, style: Style) -> list[Piece]:
    """`GET /a takes 21 % more typically (36 ms then, 43 ms now), because of ...`."""
    then, now = (ms(ns, style) for ns in (route.p50_ns if route.how == "typical" else route.p95_ns))
    what = "typically" if route.how == "typical" else "at p95"
    pieces = [
        Piece(f"{clean(route.route, style)} takes "),
        Piece(f"{route.percent:.0f}{style.space}% more {what} ({then} then, {now} now)", "bold"),
    ]
    calls = _first_calls(one)
    if calls is not None:
        return [*pieces, Piece(f": {calls_sentence(calls, style)}. The cause is internal.")]
    if not one.causes or not one.causes[0].asserted:
        return [*pieces, Piece(", and no part is sure to be the cause.")]
    cell, ns = one.causes[0].cells[0], one.causes[0].score_ns
    more = ms(round(ns), style)
    because = f", because of {clean(cell.label, style)} ({more} more a call). "
    return [*pieces, Piece(because), *owned(cell.part, style)]


def _first(one: Against, change: Change, style: Style) -> list[Piece]:
    assert change.cell is not None
    assert change.real is not None
    if change.tested.fresh is not None:
        return _slow(change.cell, change.tested.fresh, style)
    label = clean(change.cell.label, style)
    pieces: list[Piece] = []
    cause = one.causes[0] if one.causes and one.answer == "slower" else None
    if cause is not None and cause.origin == "caller" and change.cell in cause.cells:
        caller = clean(cause.service, style) or "the function"
        pieces.append(Piece(f"the calls of {caller} slowed alike, so it is the cause; "))
    pieces += [Piece(f"{label} takes "), Piece(_amount(one, change, style), "bold"), Piece(".")]
    if not change.by_typical:
        if change.tested.how == "tail" and change.waited[0]:
            pieces.append(Piece(" The tail changed, not the typical request."))
        then, now = (f"{number(some)} of {number(every)}" for some, every in _shares(change))
        if change.waited != change.requests:
            pieces.append(Piece(f" {now} requests wait for it, {then} did."))
    return [*pieces, Piece(" "), *owned(change.cell.part, style)]


def _slow(cell: Cell, one: Fresh, style: Style) -> list[Piece]:
    """`13 of 343 requests of GET /a wait 936 ms longer than a typical one for b: own code; none of 353 did then.`"""
    slow, every = (number(counts[1]) for counts in (one.slow, one.requests))
    routes = clean(one.routes[0], style) if len(one.routes) == 1 else f"{number(len(one.routes))} routes"
    did = f"{number(one.slow[0])} of {number(one.requests[0])} did then" if one.slow[0] else "none did then"
    many = (
        f", in {number(one.calls[1])} calls instead of {number(max(one.calls[0], 1))}" if one.calls is not None else ""
    )
    return [
        Piece(f"{slow} of {every} requests of {routes} wait "),
        Piece(f"{ms(one.excess_ns, style)} longer", "bold"),
        Piece(f" than a typical one for {clean(cell.label, style)}{many}; {did}. "),
        *([Piece(OWNED["ours"])] if one.calls is not None else owned(cell.part, style)),
    ]


def _calls(one: Against, change: Change, style: Style) -> list[Piece]:
    """The number of calls, if it is what changed."""
    its = [each for each in one.shapes.calls if each.cell == change.cell]
    if not its and change.cell is not None and change.cell.is_own:
        its = [each for each in one.shapes.calls if change.cell.caller in (each.cell.caller, each.cell.part.name)]
    more = next((each for each in its if each.kind in ("more", "new")), None)
    return [Piece(f" And {calls_sentence(more, style)}.")] if more is not None else []


def _also(change: Change, style: Style) -> str:
    assert change.cell is not None
    assert change.real is not None
    amount = LONGER if _is_only_longer(change) else f"{_more(change.real, style)} {_how(change)}"
    return f"{clean(change.cell.label, style)} {amount}"


def _is_only_longer(change: Change) -> bool:
    """Whether a cell is slower in its tail only, and no mean shows it: the baseline had a few very long calls."""
    return change.tested.kind == "slower" and change.real is not None and change.real.difference_ns <= 0


def _amount(one: Against, change: Change, style: Style) -> str:
    """`100 ms more each time (between ...)`, or that the tail is longer, with the p95 of the route that shows it."""
    assert change.real is not None
    if not _is_only_longer(change):
        return _by(change.real, style, _how(change), sure=True)
    route = one.by_route[0] if one.by_route else None
    if route is None or not route.is_slower or route.how == "typical":
        return LONGER
    then, now = (ms(ns, style) for ns in route.p95_ns)
    return f"{LONGER} (p95 of {clean(route.route, style)}: {then} then, {now} now)"


def _shares(change: Change) -> list[tuple[int, int]]:
    return list(zip(change.waited, change.requests, strict=True))


def _how(change: Change) -> str:
    return "each time" if change.by_typical else "on average"


def _more(one: Estimate, style: Style) -> str:
    return f"{ms(abs(one.difference_ns), style)} {'more' if one.difference_ns >= 0 else 'less'}"


def _by(one: Estimate, style: Style, how: str = "", *, sure: bool = False) -> str:
    """`100 ms more each time (between +92 ms and +108 ms)`; no bounds of a `sure` change that they do not show."""
    amount = f"{_more(one, style)}{f' {how}' if how else ''}"
    between = f"between {signed(one.low_ns, style)} and {signed(one.high_ns, style)}"
    return amount if sure and one.low_ns <= 0 <= one.high_ns else f"{amount} ({between})"


def _row(change: Change, style: Style) -> Row:
    shown = change.real or change.typical or change.mean
    return Row(
        name=clean(change.cell.label, style) if change.cell is not None else "the whole request",
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
