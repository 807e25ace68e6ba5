"""A report as Markdown, for a pull request: the sentences, and the two tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_latency.text.against import HEAD, against_rows
from lambda_latency.text.by import BY_HEAD, by_rows
from lambda_latency.text.cards import cards, told_once
from lambda_latency.text.cautions import other_cautions
from lambda_latency.text.classes import beside
from lambda_latency.text.facts import facts, sampling
from lambda_latency.text.findings import log_lines
from lambda_latency.text.own_code import doing
from lambda_latency.text.prose import sentence
from lambda_latency.text.style import Piece, Style
from lambda_latency.text.words import clean, explained, ms, owner, plural, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency import Compared, Judged, OwnCode, Report

STYLE = Style()
MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!-])")
MOST_PLACES = 10
LEAST_PERCENT = 1  # of the difference, or of the time: smaller parts are not listed


def render_markdown(report: Report, judged: Sequence[Judged] = ()) -> str:
    """The report; names from traces are escaped: they cannot format the text or mention users."""
    blocks = _findings(report)
    blocks += _parts(report)
    if report.by is not None:
        blocks.append(_table((report.by.attribute, *BY_HEAD), by_rows(report.by, STYLE), numbers=range(1, 5)))
    blocks += [table for one in report.classes.found for table in _places(report.own_code.get(one.cell))]
    if report.against is not None:
        rows = against_rows(report.against, STYLE)
        cells = [(row.name, row.owner, row.then, row.now, row.difference, row.between, row.how) for row in rows]
        blocks += [_table(HEAD, cells, numbers=range(2, 6))] if rows else []
    for head, *others in log_lines(report, STYLE):
        blocks += [_escaped(head), "\n".join(f"    {one}" for one in others)]
    if judged:
        lines = [f"- {_whether(one)}: {_escaped(one.sentence)}" for one in judged]
        blocks.append("\n".join(lines))
    if report.totals.requests:
        told = [piece.text for line in facts(report.totals, STYLE, traffic=report.traffic) for piece in line]
        blocks.append(_escaped(STYLE.dot.join(told)))
    skipped = sum(problem.effect == "skipped" for problem in report.problems)
    unread = f" {plural(skipped, 'thing')} skipped while reading." if skipped else ""
    blocks.append(_escaped(sampling(report, STYLE) + unread))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _findings(report: Report) -> list[str]:
    """The findings, each with its next steps, then what no finding says."""
    if report.verdict.kind == "none":
        return [_inked(sentence(report, STYLE)), *map(_escaped, other_cautions(report, STYLE))]
    blocks = []
    for card, steps in told_once(cards(report, STYLE)):
        also = [Piece("Also: ")] if card.kind == "class" and card.number else []
        blocks += [_inked(told) for told in ([*also, *card.sentence], *card.evidence, *card.depends)]
        blocks += [f"Next: {_escaped(step)}" for step in steps]
    return [*blocks, *(_escaped(one) for one in (*beside(report, STYLE), *other_cautions(report, STYLE)))]


def _whether(one: Judged) -> str:
    return "**fails**" if one.failed else "**unsure**" if one.unsure else "disturbed" if one.disturbed else "holds"


def _parts(report: Report) -> list[str]:
    compared = report.cohorts
    if not compared.slow or report.verdict.kind not in ("clear", "thin"):
        return []
    least = abs(compared.difference_ns) * LEAST_PERCENT
    shown = [one for one in compared.parts if 100 * abs(one.difference_ns) >= least]
    head = ("Where the time goes", "owner", "typical", "slow", "difference", "")
    return [_table(head, [_part(one, report) for one in shown], numbers=range(2, 6))]


def _part(one: Compared, report: Report) -> tuple[str, ...]:
    more = one.difference_ns
    share = explained(one, report.cohorts.difference_ns, STYLE) if more >= 0 else ""
    times = (ms(one.typical_ns, STYLE), ms(one.slow_ns, STYLE), signed(more, STYLE))
    return clean(one.part.label, STYLE), owner(one.part), *times, share


def _places(code: OwnCode | None) -> list[str]:
    """The lines of own code with more time in slow requests."""
    shown = [one for one in code.places if one.excess_ns > 0][:MOST_PLACES] if code is not None else []
    rows = [(one.place.label, doing(one), ms(one.slow_ns, STYLE), signed(one.excess_ns, STYLE)) for one in shown]
    return [_table(("Own code, by line", "", "slow", "difference"), rows, numbers=range(2, 4))] if rows else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int]) -> str:
    right = set(numbers)
    lines = [_line(head), "|" + "|".join("--:" if at in right else "---" for at in range(len(head))) + "|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _inked(pieces: Iterable[Piece]) -> str:
    return "".join(
        f"**{_escaped(text)}**" if "bold" in ink and text.strip() == text else _escaped(text) for text, ink in pieces
    )


def _escaped(text: str) -> str:
    # An at sign would mention a user; an invisible comment behind it prevents that.
    return MARKS.sub(r"\\\1", clean(text, STYLE)).replace("&", "&amp;").replace("@", "@<!-- -->")
