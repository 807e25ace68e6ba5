"""The findings of a report in one order for text, Markdown, page and assistants, each with all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lambda_latency.latency import advice
from lambda_latency.text.cautions import FAILS, failed_first, failed_sentence
from lambda_latency.text.classes import class_sentence
from lambda_latency.text.depends import depending, depending_change, depending_routes
from lambda_latency.text.findings import cause_steps, cell_steps
from lambda_latency.text.prose import MOST_GROUPS, evidence, sentence, settling_steps, timeout_groups, timeout_sentence
from lambda_latency.text.style import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.latency import Failures, Part, Report
    from lambda_latency.text.style import Style


@dataclass(frozen=True, slots=True)
class Card:
    """A finding: its sentence, the evidence, what it depends on and since when, and the next steps.

    `part` is the part that it blames, `steps` advice about that part, and `settles` what would settle its owner.
    `number` is that of a class in `report.classes.found`, or that of a group of timeouts; None for other kinds.
    The card of the verdict is a class, or `verdict` if no class was found.
    """

    kind: Literal["failed", "change", "class", "verdict", "timeout", "depends"]
    sentence: list[Piece]
    evidence: tuple[list[Piece], ...] = ()
    depends: tuple[list[Piece], ...] = ()
    part: Part | None = None
    steps: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    number: int | None = None


def cards(report: Report, style: Style) -> list[Card]:
    """The findings of a report on at least one request; the change since a baseline comes first, if there is one."""
    found = [*_change(report, style), *_failed(report, style)]
    verdict, timeouts = list(_slow(report, style)), list(_timeouts(report, style))
    # Timeouts come first if nothing else stands out.
    found += [*timeouts, *verdict] if report.verdict.kind == "even" else [*verdict, *timeouts]
    return [*found, *(Card("depends", told) for told in depending_routes(report, style))]


def failed_card(failed: Failures, report: Report, style: Style) -> Card:
    """The card of the requests that failed."""
    card, part = Card("failed", failed_sentence(failed, report, style)), failed.part
    if part is None:
        return card
    return blaming(card, report, part, [FAILS.format(name=part.name)] if part.name else [])


def blaming(card: Card, report: Report, part: Part, steps: Sequence[str]) -> Card:
    """The card with the part that it blames, steps, and what would settle the part's owner."""
    return replace(card, part=part, steps=tuple(steps), settles=tuple(settling_steps(report, [part])))


def told_once(found: Sequence[Card]) -> Iterator[tuple[Card, list[str]]]:
    """Each card with its next steps, for a text that is read from the top: each kind of part has its advice once."""
    told: set[str] = set()
    for card in found:
        bucket = card.part.bucket if card.part is not None else ""
        about = card.kind if card.kind == "failed" else bucket  # why it fails is another question than why it is slow
        yield card, [*(card.steps if about not in told else ()), *(one for one in card.settles if one not in told)]
        told |= {about, *card.settles} if card.steps else set()


def _change(report: Report, style: Style) -> Iterator[Card]:
    one = report.against
    if one is None:
        return
    from lambda_latency.text.against import against_sentence  # most reports have no baseline

    first = next((cause for cause in one.causes if cause.asserted and one.answer in ("slower", "shape")), None)
    card = Card("change", against_sentence(one, style), depends=tuple(depending_change(report, style)))
    yield blaming(card, report, *cause_steps(first, one.shapes, report)) if first is not None else card


def _failed(report: Report, style: Style) -> Iterator[Card]:
    if report.failures is not None and failed_first(report, style):
        yield failed_card(report.failures, report, style)


def _slow(report: Report, style: Style) -> Iterator[Card]:
    proof = (evidence(report, style),) if report.verdict.kind != "none" else ()
    if report.verdict.kind != "clear":
        yield Card("verdict", sentence(report, style), proof, tuple(depending(report, 0, style)))
        return
    for at, one in enumerate(report.classes.found):
        told, depends = class_sentence(one, report, style), tuple(depending(report, at, style))
        card = Card("class", told, proof if not at else (), depends, number=at)
        yield blaming(card, report, one.cell.part, cell_steps(one.cell, report, calls=one.makes_more_calls))


def _timeouts(report: Report, style: Style) -> Iterator[Card]:
    for at, group in enumerate(timeout_groups(report)):
        part = group[0].part if at < MOST_GROUPS else None
        card = Card("timeout", timeout_sentence(group, report, style), number=at)
        yield card if part is None else blaming(card, report, part, [advice(part)])
