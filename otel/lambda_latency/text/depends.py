"""What slow requests depend on, and since when they are slow, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import ABSENT
from lambda_latency.text.classes import instant_of
from lambda_latency.text.style import Piece
from lambda_latency.text.words import clean, fit, ms, number, percent, plural, wrap_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_latency.latency import Finding, OfChange, Report, Since, Value
    from lambda_latency.text.style import Style

WIDTH, MOST_LINES = 100, 2
# What a sentence shows of long names: cells of a name or value, other values of the same requests, cells of routes. The
# first that fits into `MOST_LINES` is taken.
FITS = ((48, 2, 96), (48, 1, 96), (48, 0, 96), (40, 0, 60), (30, 0, 40), (22, 0, 24), (16, 0, 16), (8, 0, 8), (8, 0, 0))
MOST_ROUTES = 2


def depends_sentence(one: Finding, style: Style, routes: Sequence[str] = (), which: str = "") -> list[Piece]:
    """`It depends: all 31 have tenant.id = acme; 3 % of the other requests do.`

    `routes`: those of a finding about all their slow requests; without it, a finding about a class, or about `which`
    requests.
    """
    return _fitting(lambda longest, same, most: _depends(one, style, routes, which, (longest, same, most)))


def _fitting(told: Callable[[int, int, int], list[Piece]]) -> list[Piece]:
    """The sentence that shows most and has two lines in a terminal of usual width."""
    pieces: list[Piece] = []
    for fits in FITS:
        pieces = told(*fits)
        if len(wrap_pieces(pieces, WIDTH)) <= MOST_LINES:
            break
    return pieces


def _depends(one: Finding, style: Style, routes: Sequence[str], which: str, fits: tuple[int, int, int]) -> list[Piece]:
    longest, same, most = fits
    slow, of_slow = one.slow
    others, of_others = one.others
    count = f"all {number(slow)}" if slow == of_slow else f"{number(slow)} of {number(of_slow)}"
    of = f" {_short(which, longest + 12, style)}" if which else ""
    if routes:
        named = clean(", ".join(routes[:MOST_ROUTES]), style)
        more = f" and {number(len(routes) - MOST_ROUTES)} more" if len(routes) > MOST_ROUTES else ""
        shown = f"{_short(named, most, style)}{more}" if most else plural(len(routes), "route")
        of = f" slow requests of {shown}"
    pieces = [Piece(f"It depends: {count}{of} have ")]
    for at, value in enumerate(one.values):
        pieces += [Piece(" and ")] if at else []
        pieces.append(Piece(value_text(value, style, longest), "bold"))
    share = "none" if not others else percent(others, of_others, style)
    pieces.append(Piece(f"; {share} of the other requests do"))
    if one.same[:same]:
        named = " and ".join(value_text(value, style, longest) for value in one.same[:same])
        pieces.append(Piece(f" (the same requests: {named})"))
    return [*pieces, Piece(".")]


def depending(report: Report, number: int, style: Style, *, bare: bool = True) -> list[list[Piece]]:
    """The sentences about a class, by its number. `bare`: also a time at which nothing else begins."""
    told = [depends_sentence(one, style) for one in report.depends.of_class(number)]
    since = report.depends.since_of(number)
    return [*told, *([since_sentence(since, style)] if since is not None and (bare or since.values) else [])]


def depending_change(report: Report, style: Style) -> list[list[Piece]]:
    """The sentences about the requests that changed since a baseline."""
    return [change_depends(one, style) for one in report.depends.of_changes]


def change_depends(one: OfChange, style: Style) -> list[Piece]:
    """`It depends: all 48 slower requests have tenant.id = acme; ...`, or `48 of 50 requests without mail have`."""
    callee = clean(one.callee, style)
    which = f"requests {'without' if one.lacks else 'with'} {callee}" if one.callee else "slower requests"
    return depends_sentence(one.finding, style, which=which)


def depending_routes(report: Report, style: Style, *, bare: bool = True) -> list[list[Piece]]:
    """The sentences about all slow requests of some routes, and about routes that became slow."""
    told = [depends_sentence(one.finding, style, one.routes) for one in report.depends.of_routes]
    return [*told, *(since_sentence(one, style) for one in report.depends.since_routes if bare or one.values)]


def since_sentence(one: Since, style: Style) -> list[Piece]:
    """`Since 2026-11-29T14:02:11Z, with service.version = 37.`"""
    return _fitting(lambda longest, _, most: _since(one, style, longest, most))


def _since(one: Since, style: Style, longest: int, most: int) -> list[Piece]:
    begin = instant_of(one.start_ns)
    if one.kind == "drift":
        pieces = [Piece("They take longer and longer" if not one.before_ns else _longer(one, style, most))]
    else:
        end = f" to {instant_of(one.end_ns)}" if one.end_ns is not None else ""
        time = f"{'From' if end else 'Since'} {begin}{end}"
        pieces = [Piece(f"{time}: {_longer(one, style, most)}" if one.before_ns else time)]
    for at, value in enumerate(one.values):
        pieces += [Piece(", with " if at == 0 else " and "), Piece(value_text(value, style, longest), "bold")]
    return [*pieces, Piece(".")]


def _longer(one: Since, style: Style, most: int) -> str:
    """`GET /a takes longer and longer, 120 ms at first and 260 ms at last, mostly ...`."""
    named = _short(clean(", ".join(one.routes[:MOST_ROUTES]), style), max(most // 2, 4), style)
    more = f" and {number(len(one.routes) - MOST_ROUTES)} more" if len(one.routes) > MOST_ROUTES else ""
    then, now = ms(one.before_ns, style), ms(one.after_ns, style)
    part = f" ({_short(clean(one.cell.label, style), max(most // 2, 4), style)})" if one.cell is not None else ""
    if one.kind == "drift":
        return f"A typical {named}{more} takes longer and longer: {then} at first, {now} at last{part}"
    return f"a typical {named}{more} takes {now} instead of {then}{part}"


def value_text(value: Value, style: Style, longest: int = FITS[0][0]) -> str:
    """`tenant.id = acme`, `size >= 60000`, `points from 400 to below 490`, `no tenant.id`."""
    name = _short(clean(value.attribute, style), longest, style)
    if value.text == ABSENT:
        return f"no {name}"
    if value.text is not None:
        return f"{name} = {_short(clean(value.text, style), longest, style)}"
    low, high = (f"{one:,.15g}" if one is not None else "" for one in (value.low, value.high))
    if low and high:
        return f"{name} from {low} to below {high}"
    return f"{name} >= {low}" if low else f"{name} < {high}"


def _short(text: str, longest: int, style: Style) -> str:
    """A text in so many cells; one in quotes keeps them."""
    quote = text[-1:] if text[:1] == text[-1:] == '"' else ""
    return fit(text.removesuffix(quote) if quote else text, longest, style, quote)
