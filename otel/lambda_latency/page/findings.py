"""The findings of the first screen: each as a row of a few words, with its requests and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from lambda_latency.latency import Component, OwnCode, Report
from lambda_latency.page.facts import NumberOf, fact_text
from lambda_latency.text import (
    OWNED,
    Card,
    FindingRow,
    FindingRows,
    Piece,
    Style,
    card_markdown,
    cards,
    clean,
    doing,
    failed_card,
    finding_pieces,
    flat,
    is_of_change,
    ms,
    owner,
    sentence,
    timeout_groups,
    unexplained,
)

if TYPE_CHECKING:
    from lambda_latency.latency import Judged

IndexOf: TypeAlias = Callable[[str], int]  # a request's index in the columns, by its trace id
STYLE = Style()
MOST_PLACES = 3  # of own code on a card
LEAST_PERCENT = 1  # of the excess of the largest place


def findings(
    report: Report, number_of: NumberOf, index_of: IndexOf, judged: Sequence[Judged] = ()
) -> list[dict[str, object]]:
    """Return the findings in their order: conditions that were met, then those of the text, errors, and what is left.

    `members` are the indices of a finding's requests, `row` its few words. The group of slow requests that shows the
    change since a baseline is a part of the change's finding.
    """
    rows = FindingRows(report, STYLE)
    if report.verdict.kind == "none":
        none = Card("verdict", [*sentence(report, STYLE)])
        return [_finding("none", linked(none.sentence, report, number_of), FindingRow("No requests"))]
    met = [
        _finding("gate", [{"text": clean(gate.sentence, STYLE)}], FindingRow("A condition was met"))
        for gate in judged
        if gate.failed
    ]
    causes = [_of_card(card, rows.row(card), report, number_of, index_of) for card in _with_errors(report)]
    return [*met, *causes, *_rest(rows, report, index_of)]


def _with_errors(report: Report) -> Iterator[Card]:
    """Yield the cards, with the class that shows the change as a part of it; then errors that no card is about."""
    all_cards = cards(report, STYLE)
    changed = next((card for card in all_cards if _is_of_change(card, report)), None)
    for card in all_cards:
        if card.kind == "change" and changed is not None:
            evidence = (*card.evidence, changed.sentence, *changed.evidence)
            correlation = card.correlation or changed.correlation
            yield replace(card, evidence=evidence, correlation=correlation, number=changed.number)
        elif card is not changed:
            yield card
    if report.failures is not None and not any(card.kind == "failed" for card in all_cards):
        yield failed_card(report.failures, report, STYLE)


def _is_of_change(card: Card, report: Report) -> bool:
    return card.kind == "class" and is_of_change(report.groups.groups[card.number or 0], report)


def _rest(rows: FindingRows, report: Report, index_of: IndexOf) -> Iterator[dict[str, object]]:
    """Yield what is slow and in no finding: requests, or only time of requests that are in one."""
    unexplained_requests = rows.unexplained()
    if not unexplained_requests.members and unexplained_requests.excess_ns <= 0:
        return
    pieces = [{"text": text} for text in unexplained(report, STYLE)] if report.verdict.kind != "thin" else []
    requests = f"{len(unexplained_requests.members):,} of {report.totals.requests:,} requests"
    row = FindingRow(
        "In no finding",
        ms(unexplained_requests.excess_ns, STYLE),
        "in all",
        requests,
        excess_ns=unexplained_requests.excess_ns,
    )
    members = sorted(index_of(report.breakdowns.trace_id(member)) for member in unexplained_requests.members)
    yield _finding("rest", pieces, row, members=members)


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


def _finding(kind: str, pieces: Sequence[Mapping[str, object]], row: FindingRow, **more: object) -> dict[str, object]:
    """Return a finding without what it lacks."""
    key = f"{kind}:{more.pop('key', '')}"
    shown = {name: value for name, value in row._asdict().items() if value not in ("", 0)}
    shown |= {"excess": ms(row.excess_ns, STYLE)} if row.excess_ns else {}
    finding = {"kind": kind, "key": key, "pieces": list(pieces), "row": shown, **more}
    return {name: value for name, value in finding.items() if value is not None and value != []}


def _of_card(card: Card, row: FindingRow, report: Report, number_of: NumberOf, index_of: IndexOf) -> dict[str, object]:
    component = card.component
    steps = [*card.steps, *card.settles]
    more: dict[str, object] = {
        "evidence": [linked(sentence, report, number_of) for sentence in card.evidence],
        "depends": [linked(sentence, report, number_of) for sentence in card.correlation],
        "next": steps,
        "part": number_of(component) if component is not None else None,
        "owner": owner(component) if component is not None else None,
        "ground": clean(report.owners.ownership(component).evidence, STYLE) if component is not None else None,
        "issue": card_markdown(card, steps),
        **OF_KIND[card.kind](card, report, index_of),
    }
    if card.kind == "class" or (card.kind == "change" and card.number is not None):
        more |= _of_class(card.number or 0, report, number_of)
    return _finding(card.kind, linked(card.sentence, report, number_of), row, **more)


def _of_class(number: int, report: Report, number_of: NumberOf) -> dict[str, object]:
    """Return what the example of a class shows, and its calls: in a typical request, and in one of the class."""
    group = report.groups.groups[number]
    diagnosis = report.diagnoses.get(group.edge)
    shows = finding_pieces(diagnosis, STYLE)
    return {
        "shows": linked(shows, report, number_of),
        "calls": list(group.calls) if any(group.calls) else None,
        "log": diagnosis.log.query if diagnosis is not None and diagnosis.log is not None else None,
    }


def _of_group(card: Card, report: Report, index_of: IndexOf) -> dict[str, object]:
    assert card.number is not None
    group = report.groups.groups[card.number]
    against = report.verdict.counterexample if not card.number else None
    return {
        "key": clean(" and ".join(edge.label for edge, _ in group.edges), STYLE),
        "members": sorted(index_of(report.breakdowns.trace_id(member)) for member in group.members),
        "trace_id": report.breakdowns.trace_id(group.example),
        "against": against.breakdown.trace_id if against is not None else None,
        "confidence": group.confidence,
        "places": _places(report.own_code.get(group.edge)),
    }


def _of_change(card: Card, report: Report, index_of: IndexOf) -> dict[str, object]:
    shown = _of_group(card, report, index_of) if card.number is not None else {}
    return {**shown, "key": "", "places": _places(report.own_code_against) or shown.get("places", [])}


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


def _of_failed(_card: Card, report: Report, index_of: IndexOf) -> dict[str, object]:
    assert report.failures is not None
    failed = report.breakdowns.of_kind(lambda kind: kind.error and not kind.timed_out)
    members = sorted(index_of(report.breakdowns.trace_id(member)) for member in failed)
    return {"members": members, "trace_id": report.failures.trace_id}


# What the card of a kind has beyond others.
OF_KIND: dict[str, Callable[[Card, Report, IndexOf], dict[str, object]]] = {
    "class": _of_group,
    "timeout": _of_timeout,
    "verdict": _of_verdict,
    "failed": _of_failed,
    "change": _of_change,
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
