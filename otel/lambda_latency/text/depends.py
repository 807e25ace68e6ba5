"""What slow requests depend on, and since when they are slow, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import ABSENT
from lambda_latency.text.classes import instant_of
from lambda_latency.text.style import Piece
from lambda_latency.text.words import clean, fit, ms, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Finding, OfChange, Report, Since, Value
    from lambda_latency.text.style import Style

__all__ = [
    "change_depends",
    "depending",
    "depending_change",
    "depending_routes",
    "depends_sentence",
    "since_sentence",
    "value_text",
]

LONGEST = 48  # cells of an attribute or a value
MOST_SAME = 2  # other values of the same requests that a sentence names
MOST_ROUTES = 2


def depends_sentence(one: Finding, style: Style, routes: Sequence[str] = (), which: str = "") -> list[Piece]:
    """`It depends: all 31 have tenant.id = acme; 3 % of the other requests do.`

    `routes`: those of a finding about all their slow requests; without it, a finding about a class, or about `which`
    requests.
    """
    slow, of_slow = one.slow
    others, of_others = one.others
    count = f"all {number(slow)}" if slow == of_slow else f"{number(slow)} of {number(of_slow)}"
    of = f" {which}" if which else ""
    if routes:
        named = clean(", ".join(routes[:MOST_ROUTES]), style)
        more = f" and {number(len(routes) - MOST_ROUTES)} more" if len(routes) > MOST_ROUTES else ""
        of = f" slow requests of {fit(named, 2 * LONGEST, style)}{more}"
    pieces = [Piece(f"It depends: {count}{of} have ")]
    for at, value in enumerate(one.values):
        pieces += [Piece(" and ")] if at else []
        pieces.append(Piece(value_text(value, style), "bold"))
    share = "none" if not others else percent(others, of_others, style)
    pieces.append(Piece(f"; {share} of the other requests do"))
    if one.same:
        named = " and ".join(value_text(value, style) for value in one.same[:MOST_SAME])
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
    callee = fit(clean(one.callee, style), LONGEST, style)
    which = f"requests {'without' if one.lacks else 'with'} {callee}" if one.callee else "slower requests"
    return depends_sentence(one.finding, style, which=which)


def depending_routes(report: Report, style: Style, *, bare: bool = True) -> list[list[Piece]]:
    """The sentences about all slow requests of some routes, and about routes that became slow."""
    told = [depends_sentence(one.finding, style, one.routes) for one in report.depends.of_routes]
    return [*told, *(since_sentence(one, style) for one in report.depends.since_routes if bare or one.values)]


def since_sentence(one: Since, style: Style) -> list[Piece]:
    """`Since 2026-11-29T14:02:11Z, with service.version = 37.`"""
    begin = instant_of(one.start_ns)
    if one.kind == "drift":
        pieces = [Piece("They take longer and longer" if not one.before_ns else _longer(one, style))]
    else:
        end = f" to {instant_of(one.end_ns)}" if one.end_ns is not None else ""
        time = f"{'From' if end else 'Since'} {begin}{end}"
        pieces = [Piece(f"{time}: {_longer(one, style)}" if one.before_ns else time)]
    for at, value in enumerate(one.values):
        pieces += [Piece(", with " if at == 0 else " and "), Piece(value_text(value, style), "bold")]
    return [*pieces, Piece(".")]


def _longer(one: Since, style: Style) -> str:
    """`GET /a takes longer and longer, 120 ms at first and 260 ms at last, mostly ...`."""
    named = fit(clean(", ".join(one.routes[:MOST_ROUTES]), style), LONGEST, style)
    more = f" and {number(len(one.routes) - MOST_ROUTES)} more" if len(one.routes) > MOST_ROUTES else ""
    then, now = ms(one.before_ns, style), ms(one.after_ns, style)
    part = f" ({fit(clean(one.cell.label, style), LONGEST, style)})" if one.cell is not None else ""
    if one.kind == "drift":
        return f"A typical {named}{more} takes longer and longer: {then} at first, {now} at last{part}"
    return f"a typical {named}{more} takes {now} instead of {then}{part}"


def value_text(value: Value, style: Style) -> str:
    """`tenant.id = acme`, `size >= 60000`, `points from 400 to below 490`, `no tenant.id`."""
    name = fit(clean(value.attribute, style), LONGEST, style)
    if value.text == ABSENT:
        return f"no {name}"
    if value.text is not None:
        return f"{name} = {fit(clean(value.text, style), LONGEST, style)}"
    low, high = (f"{one:,.15g}" if one is not None else "" for one in (value.low, value.high))
    if low and high:
        return f"{name} from {low} to below {high}"
    return f"{name} >= {low}" if low else f"{name} < {high}"
