"""A report as Markdown, for a pull request: the sentences, and the tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from lambda_latency.latency import OwnCode, Report
from lambda_latency.text.against_table import HEAD, against_rows
from lambda_latency.text.facts import facts, sampling
from lambda_latency.text.findings import doing, log_lines
from lambda_latency.text.prose import Card, paragraphs
from lambda_latency.text.style import Piece, Style, plain
from lambda_latency.text.table import BY_HEAD, by_rows
from lambda_latency.text.words import clean, ms, plural, signed

if TYPE_CHECKING:
    from lambda_latency.latency import Against, Judged

STYLE = Style()
MARKS = re.compile(r"([\\`*_{}\[\]<#|~])")
LEADING = re.compile(r"\A([->+!])")  # marks where a paragraph begins
MOST_PLACES = 10


def render_markdown(report: Report, judged: Sequence[Judged] = ()) -> str:
    """Return the report as Markdown; names from traces are escaped: they cannot format the text or mention users."""
    blocks = list(map(_inked, paragraphs(report, STYLE)))
    if report.by is not None:
        blocks.append(markdown_table((report.by.attribute, *BY_HEAD), by_rows(report.by, STYLE), numbers=range(1, 5)))
    for edge in report.groups.edges:
        blocks += _places(report.own_code.get(edge))
    blocks += _changes(report.against)
    for head, *lines in log_lines(report, STYLE):
        blocks += [escaped(head), indent("\n".join(lines), "    ")]
    if judged:
        blocks.append("\n".join(f"- {_result(gate)}: {escaped(gate.sentence)}" for gate in judged))
    if report.totals.requests:
        texts = map(plain, facts(report.totals, STYLE, traffic=report.traffic))
        blocks.append(escaped(STYLE.marks.dot.join(texts)))
    unread = f" {plural(report.skipped, 'thing')} skipped while reading." if report.skipped else ""
    blocks.append(escaped(sampling(report, STYLE) + unread))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _changes(diff: Against | None) -> list[str]:
    """Return the table of what changed since a baseline, if something did."""
    rows = against_rows(diff, STYLE) if diff is not None else []
    edges = [(row.name, row.owner, row.baseline, row.current, row.difference, row.between, row.how) for row in rows]
    return [markdown_table(HEAD, edges, numbers=range(2, 6))] if rows else []


def card_markdown(card: Card, steps: Sequence[str]) -> str:
    """Return a finding as Markdown: its sentence, what stands behind it, and its next steps."""
    sentences = [_inked(sentence) for sentence in (card.sentence, *card.evidence, *card.correlation)]
    return "\n\n".join([*sentences, *(f"Next: {escaped(step)}" for step in steps)])


def _result(gate: Judged) -> str:
    if gate.failed:
        return "**fails**"
    if gate.unsure:
        return "**unsure**"
    return "disturbed" if gate.disturbed else "holds"


def _places(code: OwnCode | None) -> list[str]:
    """Return the lines of own code with more time in slow requests."""
    shown = [timed for timed in code.places if timed.excess_ns > 0][:MOST_PLACES] if code is not None else []
    rows = [(t.place.label, doing(t), ms(t.slow_ns, STYLE), signed(t.excess_ns, STYLE)) for t in shown]
    return [markdown_table(("Own code, by line", "", "slow", "difference"), rows, numbers=range(2, 4))] if rows else []


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """Return a table; the columns `numbers` are aligned to the right."""
    right = set(numbers)
    lines = [_line(head), "|" + "|".join("--:" if index in right else "---" for index in range(len(head))) + "|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(edges: Iterable[str]) -> str:
    return "| " + " | ".join(map(escaped, edges)) + " |"


def _inked(pieces: Iterable[Piece]) -> str:
    text = "".join(
        f"**{escaped(text)}**" if "bold" in ink and text.strip() == text else escaped(text) for text, ink in pieces
    )
    return LEADING.sub(r"\\\1", text)


def escaped(text: str) -> str:
    """Return a text that cannot format anything or mention users."""
    # An at sign would mention a user; an invisible comment after it prevents that.
    return MARKS.sub(r"\\\1", clean(text, STYLE)).replace("&", "&amp;").replace("@", "@<!-- -->")
