"""The classes of slow requests after the first, and the slow requests that no class explains, as sentences."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from lambda_latency.latency import NOBODY, Unknown
from lambda_latency.text.findings import finding_pieces
from lambda_latency.text.own_code import of_which
from lambda_latency.text.style import Piece
from lambda_latency.text.words import clean, ms, number, percent, plural

if TYPE_CHECKING:
    from lambda_latency.latency import Cell, Class, Part, Report, Whole
    from lambda_latency.text.style import Style

OWNED = {
    "ours": "The cause is internal.",
    "theirs": "The cause is external.",
    "platform": "The cause is the platform.",
    "laptop": "The cause is this machine.",
    "unknown": "The owner of the cause is unknown.",
}
MOST_FEW = 3
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HOUR_NS = 3_600 * 10**9  # of requests that a rate a day needs
DAY_NS = 24 * HOUR_NS


def class_sentence(one: Class, report: Report, style: Style) -> list[Piece]:
    """`45 of 1,800 requests wait for retries of DynamoDB: 190 ms more than a typical request of their route, ...`."""
    count = len(one.members)
    verb = "waits" if count == 1 else "wait"
    limit_ns = report.classes.slowness.limit_ns
    over = f" (over {ms(limit_ns, style)})" if limit_ns is not None else ""
    pieces = [
        Piece(f"{number(count)} of {plural(report.verdict.requests, 'request')}{over} {verb} for "),
        *waits_for(one.cell, style),
        Piece(": "),
        Piece(ms(one.excess_ns, style), "bold"),
        Piece(" more than a typical request of their route"),
        *of_which(report.own_code.get(one.cell), one.excess_ns, style),
    ]
    if one.excess_call_ns < one.excess_ns * 9 // 10:
        pieces.append(Piece(f" ({ms(one.excess_call_ns, style)} a call)"))
    if one.makes_more_calls:
        usual, now = one.calls
        pieces += [Piece(", in "), Piece(f"{number(now)} calls instead of {number(usual)}", "bold")]
    pieces += [Piece(", "), Piece(f"{round(100 * one.share)}{style.space}%", "bold"), Piece(" of the excess")]
    if one.stretch is not None:
        begin, end = map(instant_of, one.stretch)
        pieces.append(Piece(f", nearly all from {begin} to {end}"))
    if report.baseline is not None:
        pieces.append(
            Piece(", also in the baseline" if one.cell.of_all in report.usual else ", new since the baseline")
        )
    daily = per_day(one, report)
    pieces.append(Piece(f", about {number(daily)} a day." if daily is not None else "."))
    pieces += finding_pieces(report.diagnoses.get(one.cell), style)
    # Of many calls in place of few the caller is the cause, whose callee ever.
    owner = [Piece(OWNED["ours"])] if one.makes_more_calls else owned(one.cell.part, style)
    return [*pieces, Piece(" "), *owner]


def waits_for(cell: Cell, style: Style) -> list[Piece]:
    """The cell after "wait for": the part, and its caller if that is another service."""
    pieces = [Piece(clean(cell.part.phrase, style), "bold")]
    if cell.caller and not cell.is_own:
        pieces.append(Piece(f", called by {clean(cell.caller, style)}"))
    return pieces


def owned(part: Part, style: Style) -> list[Piece]:
    """Whose the cause is; of a callee with an unknown owner, what its name tells."""
    pieces = [Piece(OWNED[part.bucket if part.bucket in ("laptop", "unknown") else part.owner])]
    if part.owner == "unknown" and part.bucket != "unknown":
        told = NOBODY.ground(part).evidence
        pieces.append(Piece(f" {clean(part.name, style)} is {told}, and records no spans here."))
    return pieces


def per_day(one: Class, report: Report) -> int | None:
    """How many requests of the class there are a day, by the known number of all requests; None if it is unknown."""
    traffic, starts = report.traffic, report.accounts.starts_ns
    if isinstance(traffic, Unknown) or max(starts, default=0) - min(starts, default=0) < HOUR_NS:
        return None
    seen = max(report.totals.requests - traffic.beside, 1)
    return round(len(one.members) * max(traffic.total / seen, 1) * DAY_NS / (max(starts) - min(starts)))


def beside(report: Report, style: Style) -> list[str]:
    """What no class says: too few requests to tell, further classes, mixed ones, the machine, and whole routes."""
    found = report.classes
    lines: list[str] = []
    if found.few and report.verdict.kind == "clear":
        told = [
            f"{plural(len(one.members), 'request')} for {clean(one.cell.part.phrase, style)} "
            f"({ms(one.excess_ns, style)})"
            for one in found.few[:MOST_FEW]
        ]
        more = sum(len(one.members) for one in found.few[MOST_FEW:])
        told += [f"{number(more)} for other parts"] if more else []
        lines.append(f"Too few to tell: {', '.join(told)}.")
    count, requests = found.others
    if count:
        lines.append(f"Others: {plural(count, 'class', 'classes')}, {plural(requests, 'request')}.")
    if found.mixed and report.verdict.kind == "clear":
        lines.append(f"{plural(len(found.mixed), 'slow request')} without one dominant part.")
    if found.alike:
        lines.append(
            f"{plural(len(found.alike), 'request')} slow in nearly all parts alike: the machine (or the memory of the "
            "function), not a part."
        )
    lines += [whole_sentence(one, report, style) for one in found.slowness.whole]
    if found.slowness.left_out and found.slowness.judged:
        lines.append(f"Not judged, because too few requests came: {_names(found.slowness.left_out, style)}.")
    return lines


def _names(routes: tuple[str, ...], style: Style) -> str:
    shown = clean(", ".join(routes[:MOST_FEW]), style)
    return f"{shown}, and {number(len(routes) - MOST_FEW)} more" if len(routes) > MOST_FEW else shown


def whole_sentence(one: Whole, report: Report, style: Style) -> str:
    """`POST /orders is slow as a whole (limit 500 ms): a typical request takes 900 ms, 861 ms of it (96 %) ...`."""
    limit_ns = report.classes.slowness.limit_ns
    over = f" (limit {ms(limit_ns, style)})" if limit_ns is not None else ""
    text = f"{clean(one.route, style)} is slow as a whole{over}: a typical request takes {ms(one.typical_ns, style)}"
    if one.cell is None or not one.cell_ns:
        return f"{text}."
    share = percent(one.cell_ns, one.typical_ns, style)
    return f"{text}, {ms(one.cell_ns, style)} of it ({share}) {clean(one.cell.label, style)}."


def instant_of(ns: int) -> str:
    """A time as ISO 8601, to the second."""
    try:
        return (EPOCH + timedelta(seconds=ns // 10**9)).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the time is beyond Python's last year, 9999
        return f"{ns} ns"
