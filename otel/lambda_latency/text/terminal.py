"""The report as text: verdict, evidence, tables and waterfall, and the stack at a function's deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import NOBODY, own_code_in, trace_name
from lambda_latency.text.by import by_lines
from lambda_latency.text.cards import cards, told_once
from lambda_latency.text.cautions import other_cautions
from lambda_latency.text.classes import beside
from lambda_latency.text.comparison import comparison
from lambda_latency.text.console_queries import query_lines
from lambda_latency.text.facts import cold_cost, distribution, facts, sampling, what_if_lines
from lambda_latency.text.findings import log_lines
from lambda_latency.text.own_code import own_code_lines
from lambda_latency.text.prose import MOST_GROUPS, sentence, timeout_groups
from lambda_latency.text.style import Line, Piece, Style, paint
from lambda_latency.text.table import where
from lambda_latency.text.waterfall import waterfall
from lambda_latency.text.words import clean, fit, number, plural, wrap, wrap_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Frame, Owners, Report, Timeout
    from lambda_latency.text.cards import Card
    from lambda_latency.trace import Trace

MOST_REASONS = 5


def render_report(
    report: Report, style: Style, *, everything: bool = False, what_if: bool = False, queries: bool = False
) -> str:
    """The report as text; `everything` draws the table and a waterfall even if nothing stands out.

    `what_if` adds the possible saving of each of the largest parts, `queries` those that find slow requests in AWS's
    consoles.
    """
    if report.verdict.kind == "none":
        return paint([*wrap_pieces(sentence(report, style), style.width), *_unread(report, style)], style)
    lines = [line for one in paragraphs(report, style) for line in wrap_pieces(one, style.width)]
    groups = timeout_groups(report)
    if report.verdict.kind != "one":
        lines += [[], *facts(report.totals, style, traffic=report.traffic)]
        lines += cold_cost(report.totals, style)
        lines += distribution(report.totals.walls_ns, report.cohorts.border_ns, style)
    for group in groups[:MOST_GROUPS]:
        trace = report.traces[group[0].trace_id]
        lines += [
            [],
            *waterfall(trace, style, title="Timed out", owners=report.owners),
            *own_code_lines(own_code_in(trace, report.owners), style, "Until the deadline, own code by line:"),
            *stack(group[0], style, everything=everything),
        ]
    if report.against is not None:
        from lambda_latency.text.against import against_lines

        table = against_lines(report.against, style, everything=everything)
        lines += [[], *table] if table else []
        lines += own_code_lines(report.own_code_against, style, "More own code than in the baseline, by line:")
    lines += _table(report, style, everything=everything)
    lines += [[], *by_lines(report.by, style)] if report.by is not None else []
    for one in report.classes.found:
        lines += own_code_lines(
            report.own_code.get(one.cell), style, f"More {clean(one.cell.part.label, style)}, by line:"
        )
    lines += [[], *what_if_lines(report, style)] if what_if else []
    lines += query_lines(report, style) if queries else []
    lines += _example(report, style, everything=everything)
    for head, *others in log_lines(report, style):
        lines += [[], *wrap(head, style.width, "bold")]
        lines += [line for one in others for line in wrap(one, style.width)]
    return paint([*lines, [], *_missing(report, style)], style)


def paragraphs(report: Report, style: Style, found: list[Card] | None = None) -> list[Line]:
    """What a report on at least one request says before its tables: its findings (all if None), each with its next
    steps, then what no finding says."""
    told: list[Line] = []
    for card, steps in told_once(cards(report, style) if found is None else found):
        also = [Piece("Also: ")] if card.kind == "class" and card.number else []
        told += [[*also, *card.sentence], *card.evidence, *card.depends]
        told += [[Piece(f"Next: {clean(step, style)}")] for step in steps]
    told += [[Piece(one)] for one in beside(report, style)]
    return told + [[Piece(one)] for one in other_cautions(report, style)]


def render_waterfall(trace: Trace, style: Style, *, owners: Owners = NOBODY) -> str:
    """The waterfall of one request as text."""
    lines = waterfall(trace, style, title="The request", owners=owners)
    return paint([*lines, *own_code_lines(own_code_in(trace, owners), style, "Own code, by line:")], style)


def _table(report: Report, style: Style, *, everything: bool) -> list[Line]:
    if report.verdict.kind == "one":
        return [[], *where(report.totals, style)]
    if report.verdict.kind in ("clear", "thin"):
        return [[], *comparison(report, style)]
    return [[], *(comparison(report, style) or where(report.totals, style))] if everything else []


def _example(report: Report, style: Style, *, everything: bool) -> list[Line]:
    """The waterfall of a request that shows the verdict; for thin evidence, the commands that show one per reason."""
    found = report.verdict
    if found.kind == "thin":
        return _reasons(report, style)
    shown = found.proof.account.trace_id if found.proof is not None else None
    title = "The request" if found.kind == "one" else "One of them"
    if shown is None and everything:
        shown, title = report.accounts.trace_id(report.accounts.slowest(1)[0]), "The slowest"
    drawn = {group[0].trace_id for group in timeout_groups(report)[:MOST_GROUPS]}
    if shown is None or shown in drawn or shown not in report.traces:
        return []
    return [[], *waterfall(report.traces[shown], style, title=title, owners=report.owners)]


def _reasons(report: Report, style: Style) -> list[Line]:
    head = "One for each reason:" if len(report.verdict.candidates) > 1 else "One of them:"
    lines: list[Line] = [[], [Piece(head, "bold")]]
    for one in report.verdict.candidates:
        proof = next((slow for slow in report.cohorts.slow if slow.part == one.part), None)
        if proof is not None:
            trace_id = proof.account.trace_id
            name = trace_name(trace_id, proof.account.start_ns)
            lines += wrap(f"--trace {name}  {clean(one.part.label, style)}", style.width)
    return lines if len(lines) > 2 else []


def _unread(report: Report, style: Style) -> list[Line]:
    """The first reasons why the report has no requests."""
    lines = [line for one in report.problems[:MOST_REASONS] for line in wrap(clean(str(one), style), style.width)]
    more = len(report.problems) - MOST_REASONS
    return [*lines, [Piece(f"{number(more)} more: --problems shows them.", "dim")]] if more > 0 else lines


def _missing(report: Report, style: Style) -> list[Line]:
    """The data that the report does not contain: unsampled traffic, and input that could not be read."""
    text = sampling(report, style)
    skipped = sum(problem.effect == "skipped" for problem in report.problems)
    counted = len(report.problems) - skipped
    if skipped:
        text += (
            f" {plural(skipped, 'thing')} skipped while reading: --problems shows {'it' if skipped == 1 else 'them'}."
        )
    elif counted:
        found = plural(counted, "inconsistency", "inconsistencies")
        text += f" Every span was read. {found}: --problems shows {'it' if counted == 1 else 'them'}."
    elif report.totals.requests:
        text += " Every span was read."
    return [line for note in (text, *report.notes) for line in wrap(clean(note, style), style.width, "dim")]


def stack(timeout: Timeout, style: Style, *, everything: bool) -> list[Line]:
    """The frames, the outermost first, then those of other threads; empty if no stack was recorded.

    Library frames are folded into one line, except the last, which was running. With `everything`, or without frames
    of the function, all are listed.
    """
    lines = _frames("Running at the deadline:", timeout.frames, style, everything=everything)
    for thread in timeout.threads:
        lines += _frames(f"In thread {clean(thread.name, style)}:", thread.frames, style, everything=everything)
    return lines


def _frames(heading: str, frames: Sequence[Frame], style: Style, *, everything: bool) -> list[Line]:
    if not frames:
        return []
    lines: list[Line] = [[], [Piece(fit(heading, style.width, style), "bold")]]
    folded = 0
    whole = everything or not any(frame.own for frame in frames)
    for at, frame in enumerate(frames):
        if not (whole or frame.own or at == len(frames) - 1):
            folded += 1
            continue
        if folded:
            lines.append([Piece(f"  {style.ellipsis} {plural(folded, 'frame')} of libraries (--all)", "dim")])
            folded = 0
        place = f"{'>' if frame.own else ' '} {clean(frame.file, style)}:{frame.line} {clean(frame.function, style)}"
        lines.append([Piece(fit(place, style.width, style), "bold" if frame.own else "dim")])
        if frame.own and frame.text:
            lines.append([Piece(fit(f"      {clean(frame.text, style)}", style.width, style))])
    return lines
