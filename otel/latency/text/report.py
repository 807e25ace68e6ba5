"""The plain account as text: facts, distribution, where the time goes, the slowest request, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel.latency.account import Account, account
from otel.latency.advice import advice
from otel.latency.text.distribution import distribution
from otel.latency.text.facts import facts
from otel.latency.text.style import Line, Piece, Style, paint
from otel.latency.text.table import where
from otel.latency.text.waterfall import waterfall
from otel.latency.text.words import clean, ms, plural, wrap
from otel.latency.totals import Totals, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel.latency.part import Part
    from otel.trace import Trace

__all__ = ["render_account", "render_waterfall"]

SLOW_PERCENT = 95


def render_account(
    traces: Sequence[Trace], style: Style, *, traffic: int | None = None, notes: Sequence[str] = ()
) -> str:
    """The account of some traces as text.

    `traffic` is how many requests there were in all, seen or not; `notes` are printed dim at the end.
    """
    if not traces:
        return paint([[Piece("No requests: no trace was read.")]], style)
    accounts = [account(trace) for trace in traces]
    tally = Totals.of(accounts).all_routes()
    over = percentile(tally.walls_ns, SLOW_PERCENT)
    slow = [one for one in accounts if one.wall_ns > over]
    at = max(range(len(accounts)), key=lambda one: (accounts[one].wall_ns, accounts[one].trace_id))
    lines = facts(tally, style, traffic=traffic)
    lines += distribution(tally.walls_ns, over if slow else None, style)
    lines += [[], *where(tally, style)]
    title = "The slowest" if len(traces) > 1 else "The request"
    lines += [[], *waterfall(traces[at], style, title=title)]
    lines += [[], *_next(slow or [accounts[at]], over if slow else None, style)]
    for note in notes:
        lines += wrap(note, style.width, "dim")
    return paint(lines, style)


def render_waterfall(trace: Trace, style: Style, *, title: str = "The request") -> str:
    """The waterfall of one request as text."""
    return paint(waterfall(trace, style, title=title), style)


def _next(slow: list[Account], over_ns: int | None, style: Style) -> list[Line]:
    """What one can do about the largest part of the slow requests."""
    sums: dict[Part, int] = {}
    for one in slow:
        for part, ns in one.parts:
            sums[part] = sums.get(part, 0) + ns
    if not sums:
        return []
    part = max(sums, key=lambda one: (sums[one], one))
    whose = f" It is {part.owner}." if part.owner != "platform" else " It is the platform's."
    of, waited = sum(one.wall_ns for one in slow) // len(slow), sums[part] // len(slow)
    who = (
        "The slowest request waits"
        if over_ns is None
        else f"{plural(len(slow), 'slow request')} (over {ms(over_ns, style)}) wait"
    )
    average = " on average" if len(slow) > 1 else ""
    sentence = f"{who} {ms(waited, style)} of {ms(of, style)} for {clean(part.label, style)}{average}.{whose}"
    return [
        [Piece("What to do next", "bold")],
        *wrap(sentence, style.width),
        *wrap(clean(advice(part), style), style.width),
    ]
