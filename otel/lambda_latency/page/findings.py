"""The cards of the first screen: each finding of the report with its requests, and all that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.page.facts import fact_text
from lambda_latency.text import (
    OWNED,
    Card,
    Piece,
    Style,
    cards,
    clean,
    doing,
    flat,
    sentence,
    timeout_groups,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.latency import Class, Judged, OwnCode, Part, Report

STYLE = Style()
MOST_PLACES = 3  # of own code on a card
LEAST_PERCENT = 1  # of the excess of the largest place
SLOW = {"thin", "even"}  # verdicts about slow requests that no class explains


def findings(
    report: Report,
    number_of: Callable[[Part], int],
    at: Callable[[str], int],
    judged: Sequence[Judged] = (),
) -> list[dict[str, object]]:
    """The cards in their order, the conditions that were met first. `at` has a request's place in the columns by its
    trace id.

    A card whose requests are chosen by "show these" has their places in `members`, or a mark that they have in common.
    """
    if report.verdict.kind == "none":
        return [_card("none", said([*sentence(report, STYLE)], report, number_of))]
    met = [_card("gate", [{"text": clean(one.sentence, STYLE)}]) for one in judged if one.failed]
    return [*met, *(_told(card, report, number_of, at) for card in cards(report, STYLE))]


def class_members(report: Report, at: Callable[[str], int]) -> Iterator[tuple[Part, list[int]]]:
    """The classes of slow requests, those with too few requests to tell included: the part and the places of each."""
    for one in (*report.classes.found, *report.classes.few):
        yield one.cell.part, [at(report.accounts.trace_id(member)) for member in one.members]


def said(pieces: Sequence[Piece], report: Report, number_of: Callable[[Part], int]) -> list[dict[str, object]]:
    """A sentence in pieces: parts, numbers, owners, values that the page can filter by."""
    named = [one.part for one in report.verdict.candidates]
    if len(report.accounts) == 1:
        named += [part for part, _ in report.accounts[0].parts]
    named += [report.failures.part] if report.failures is not None and report.failures.part is not None else []
    named += [one.cell.part for one in report.classes.found]
    named += [report.verdict.part] if report.verdict.part is not None else []
    words = {
        clean(word, STYLE): number_of(part)
        for part in named
        for word in (part.label, part.phrase, part.phrase.replace("their own", "its own"))
    }
    found: list[dict[str, object]] = []
    for piece in pieces:
        one: dict[str, object] = {"text": piece.text}
        if piece.text.strip() in OWNED.values():
            one["owner"] = True
        elif piece.ink == "bold":
            one["strong"] = True
            if piece.text in words:
                one["part"] = words[piece.text]
            elif fact_text(piece.text):
                one["fact"] = fact_text(piece.text)
        found.append(one)
    return found


def _card(kind: str, pieces: Sequence[dict[str, object]], **more: object) -> dict[str, object]:
    """A card without what it lacks."""
    key = f"{kind}:{more.pop('key', '')}"
    told = {"kind": kind, "key": key, "pieces": list(pieces), **more}
    return {name: value for name, value in told.items() if value is not None and value != []}


def _told(card: Card, report: Report, number_of: Callable[[Part], int], at: Callable[[str], int]) -> dict[str, object]:
    def pieces(told: Sequence[Piece]) -> list[dict[str, object]]:
        return said(told, report, number_of)

    more: dict[str, object] = {
        "evidence": [pieces(one) for one in card.evidence],
        "depends": [pieces(one) for one in card.depends],
        "next": [*card.steps, *card.settles],
        "part": number_of(card.part) if card.part is not None else None,
        "owner": card.part.owner if card.part is not None else None,
        "ground": clean(report.owners.ground(card.part).evidence, STYLE) if card.part is not None else None,
    }
    if card.kind == "class":
        more |= _of_class(card, report, at)
    elif card.kind == "timeout":
        more |= _of_timeout(card, report, at)
    elif card.kind == "verdict":
        more |= _of_verdict(report, at)
    elif card.kind == "failed":
        assert report.failures is not None
        some = report.failures.count < len(report.accounts)
        more |= {"only": "error" if some else None, "trace_id": report.failures.trace_id}
    elif card.kind == "change":
        more["places"] = _places(report.own_code_against)
    else:
        more["key"] = flat(card.sentence)
    return _card(card.kind, pieces(card.sentence), **more)


def _of_class(card: Card, report: Report, at: Callable[[str], int]) -> dict[str, object]:
    assert card.number is not None
    one: Class = report.classes.found[card.number]
    against = report.verdict.against if not card.number else None
    diagnosis = report.diagnoses.get(one.cell)
    return {
        "key": clean(one.cell.label, STYLE),
        "members": sorted(at(report.accounts.trace_id(member)) for member in one.members),
        "trace_id": report.accounts.trace_id(one.example),
        "against": against.account.trace_id if against is not None else None,
        "confidence": one.confidence,
        "places": _places(report.own_code.get(one.cell)),
        "log": diagnosis.log.query if diagnosis is not None and diagnosis.log is not None else None,
    }


def _of_timeout(card: Card, report: Report, at: Callable[[str], int]) -> dict[str, object]:
    assert card.number is not None
    group = timeout_groups(report)[card.number]
    return {
        "key": clean(f"{group[0].running} {card.number}", STYLE),
        "members": sorted(at(one.trace_id) for one in group),
        "trace_id": group[0].trace_id,
    }


def _of_verdict(report: Report, at: Callable[[str], int]) -> dict[str, object]:
    found = report.verdict
    proof, against = (one.account.trace_id if one is not None else None for one in (found.proof, found.against))
    slow = report.cohorts.slow if found.kind in SLOW else ()
    members = [at(one.account.trace_id) for one in slow] if len(slow) < len(report.accounts) else []
    return {"members": sorted(members), "trace_id": proof, "against": against, "confidence": found.confidence}


def _places(code: OwnCode | None) -> list[dict[str, object]]:
    """The lines of own code with the most excess, each with the call from it that was seen, and its source text."""
    if code is None:
        return []
    found = [one for one in code.places if one.place.file and one.excess_ns > 0]
    least = max((one.excess_ns for one in found), default=0) * LEAST_PERCENT
    shown = [one for one in found if 100 * one.excess_ns >= least][:MOST_PLACES]
    return [
        {
            "label": clean(one.place.label, STYLE),
            "called": clean(one.place.below, STYLE),
            "source": clean(one.source, STYLE),
            "doing": doing(one),
            "excess_ns": one.excess_ns,
            "slow_ns": one.slow_ns,
            "requests": one.requests,
        }
        for one in shown
    ]
