"""The cards of the first screen: each finding of the report with its requests, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from lambda_latency.latency import Component, OwnCode, Report
from lambda_latency.page.facts import NumberOf, fact_text
from lambda_latency.text import OWNED, Card, Piece, Style, cards, clean, doing, flat, owner, sentence, timeout_groups

if TYPE_CHECKING:
    from lambda_latency.latency import Judged

IndexOf: TypeAlias = Callable[[str], int]  # a request's index in the columns, by its trace id
STYLE = Style()
MOST_PLACES = 3  # of own code on a card
LEAST_PERCENT = 1  # of the excess of the largest place


def findings(
    report: Report, number_of: NumberOf, index_of: IndexOf, judged: Sequence[Judged] = ()
) -> list[dict[str, object]]:
    """Return the cards in their order, the conditions that were met first.

    A card whose requests are chosen by "show these" has their indices in `members`, or a mark that they have in common.
    """
    if report.verdict.kind == "none":
        return [_card("none", linked([*sentence(report, STYLE)], report, number_of))]
    met = [_card("gate", [{"text": clean(gate.sentence, STYLE)}]) for gate in judged if gate.failed]
    return [*met, *(_finding(card, report, number_of, index_of) for card in cards(report, STYLE))]


def group_members(report: Report, index_of: IndexOf) -> Iterator[tuple[Component, list[int]]]:
    """Yield the part and the indices of each class of slow requests, those with too few requests included."""
    for group in (*report.groups.groups, *report.groups.small):
        yield group.edge.component, [index_of(report.breakdowns.trace_id(member)) for member in group.members]


def linked(pieces: Sequence[Piece], report: Report, number_of: NumberOf) -> list[dict[str, object]]:
    """Return a sentence in pieces: parts, numbers, owners, values that the page can filter by."""
    numbers = {
        clean(word, STYLE): number_of(component)
        for component in _named_components(report)
        for word in (component.label, component.phrase, component.phrase.replace("their own", "its own"))
    }
    return [_linked(piece, numbers) for piece in pieces]


def _named_components(report: Report) -> Iterator[Component]:
    """Yield the parts that sentences name."""
    yield from (candidate.component for candidate in report.verdict.candidates)
    if len(report.breakdowns) == 1:
        yield from (component for component, _ in report.breakdowns[0].components)
    if report.failures is not None and report.failures.component is not None:
        yield report.failures.component
    yield from (edge.component for group in report.groups.groups for edge, _ in group.edges)
    if report.verdict.component is not None:
        yield report.verdict.component


def _linked(piece: Piece, numbers: Mapping[str, int]) -> dict[str, object]:
    if piece.text.strip() in OWNED.values():
        return {"text": piece.text, "owner": True}
    if piece.ink != "bold":
        return {"text": piece.text}
    link: dict[str, object] = {"text": piece.text, "strong": True}
    if piece.text in numbers:
        link["part"] = numbers[piece.text]
    elif fact_text(piece.text):
        link["fact"] = fact_text(piece.text)
    return link


def _card(kind: str, pieces: Sequence[dict[str, object]], **more: object) -> dict[str, object]:
    """Return a card without what it lacks."""
    key = f"{kind}:{more.pop('key', '')}"
    card = {"kind": kind, "key": key, "pieces": list(pieces), **more}
    return {name: value for name, value in card.items() if value is not None and value != []}


def _finding(card: Card, report: Report, number_of: NumberOf, index_of: IndexOf) -> dict[str, object]:
    component = card.component
    more: dict[str, object] = {
        "evidence": [linked(sentence, report, number_of) for sentence in card.evidence],
        "depends": [linked(sentence, report, number_of) for sentence in card.correlation],
        "next": [*card.steps, *card.settles],
        "part": number_of(component) if component is not None else None,
        "owner": owner(component) if component is not None else None,
        "ground": clean(report.owners.ownership(component).evidence, STYLE) if component is not None else None,
        **OF_KIND[card.kind](card, report, index_of),
    }
    return _card(card.kind, linked(card.sentence, report, number_of), **more)


def _of_group(card: Card, report: Report, index_of: IndexOf) -> dict[str, object]:
    assert card.number is not None
    group = report.groups.groups[card.number]
    against = report.verdict.counterexample if not card.number else None
    diagnosis = report.diagnoses.get(group.edge)
    return {
        "key": clean(" and ".join(edge.label for edge, _ in group.edges), STYLE),
        "members": sorted(index_of(report.breakdowns.trace_id(member)) for member in group.members),
        "trace_id": report.breakdowns.trace_id(group.example),
        "against": against.breakdown.trace_id if against is not None else None,
        "confidence": group.confidence,
        "places": _places(report.own_code.get(group.edge)),
        "log": diagnosis.log.query if diagnosis is not None and diagnosis.log is not None else None,
    }


def _of_timeout(card: Card, report: Report, index_of: IndexOf) -> dict[str, object]:
    assert card.number is not None
    group = timeout_groups(report)[card.number]
    return {
        "key": clean(f"{group[0].running} {card.number}", STYLE),
        "members": sorted(index_of(timeout.trace_id) for timeout in group),
        "trace_id": group[0].trace_id,
    }


def _of_verdict(_card: Card, report: Report, index_of: IndexOf) -> dict[str, object]:
    verdict = report.verdict
    examples = (verdict.proof, verdict.counterexample)
    proof, against = (slow.breakdown.trace_id if slow is not None else None for slow in examples)
    shown = report.comparison.slow if verdict.kind == "thin" else ()
    members = [index_of(slow.breakdown.trace_id) for slow in shown] if len(shown) < len(report.breakdowns) else []
    return {"members": sorted(members), "trace_id": proof, "against": against, "confidence": verdict.confidence}


def _of_failed(_card: Card, report: Report, _index_of: IndexOf) -> dict[str, object]:
    failures = report.failures
    assert failures is not None
    return {"only": "error" if failures.count < len(report.breakdowns) else None, "trace_id": failures.trace_id}


# What the card of a kind has beyond others.
OF_KIND: dict[str, Callable[[Card, Report, IndexOf], dict[str, object]]] = {
    "class": _of_group,
    "timeout": _of_timeout,
    "verdict": _of_verdict,
    "failed": _of_failed,
    "change": lambda _card, report, _index_of: {"places": _places(report.own_code_against)},
    "depends": lambda card, _report, _index_of: {"key": flat(card.sentence)},
}


def _places(code: OwnCode | None) -> list[dict[str, object]]:
    """Return the lines of own code with the most excess, each with the call from it in samples, and its source."""
    if code is None:
        return []
    slower = [timed for timed in code.places if timed.place.file and timed.excess_ns > 0]
    least = max((timed.excess_ns for timed in slower), default=0) * LEAST_PERCENT
    shown = [timed for timed in slower if 100 * timed.excess_ns >= least][:MOST_PLACES]
    return [
        {
            "label": clean(timed.place.label, STYLE),
            "called": clean(timed.place.below, STYLE),
            "source": clean(timed.source, STYLE),
            "doing": doing(timed),
            "excess_ns": timed.excess_ns,
            "slow_ns": timed.slow_ns,
            "requests": timed.requests,
        }
        for timed in shown
    ]
