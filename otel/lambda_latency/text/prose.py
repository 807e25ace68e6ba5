"""The findings of a report as sentences in one order, each with its evidence and its next steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lambda_latency.latency import (
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    CauseGroup,
    Component,
    ComponentDifference,
    Failures,
    Flaw,
    Report,
    Timeout,
    advice,
    are_executions,
    names_of,
    noun_of,
)
from lambda_latency.text.cause_groups import LONGEST_ROUTES, group_sentence, group_steps, unclassified
from lambda_latency.text.cautions import FAILS, failed_first, failed_sentence, other_cautions
from lambda_latency.text.correlation import change_correlation, depending, depending_routes, route_list
from lambda_latency.text.executions import attempts_text, routes_of
from lambda_latency.text.findings import cause_steps, finding_pieces
from lambda_latency.text.style import Line, Piece, Style, plain
from lambda_latency.text.words import clean, listed, ms, number, owner, percent, plural

MOST_GROUPS = 3  # calls that were running at deadlines: one step each
MOST_OF_ONE = 3  # parts of a single request
MOST_ROUTES = 6  # that are named


def flat(pieces: Sequence[Piece]) -> str:
    """Return the plain text of a sentence, with ordinary spaces in numbers, as in the JSON report."""
    return plain(pieces).replace("\u202f", " ")


def sentence(report: Report, style: Style) -> list[Piece]:
    """Return the verdict, the named part and its numbers in bold."""
    if report.verdict.kind == "none":
        return [Piece("No requests: no trace was read.")]
    sentences = {"clear": _clear, "thin": _thin, "even": _even, "alone": _alone, "one": _one}
    return sentences[report.verdict.kind](report, style)


def evidence(report: Report, style: Style) -> list[Piece]:
    """Say the confidence and its reason, the counter-evidence, and the number of requests that a verdict needs."""
    verdict, slow = report.verdict, len(report.comparison.slow)
    if verdict.kind == "none":
        return []
    if verdict.kind == "one":
        return [Piece("One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.")]
    if verdict.kind == "alone":
        return [Piece(f"For a verdict: {20 * ENOUGH_SLOW} requests or more of few routes.")]
    if verdict.kind == "even":
        return [Piece(_judged(report, style))]
    if verdict.kind == "clear":
        return [Piece(f"{verdict.confidence.capitalize()} confidence: {_sure(report)}")]
    largest = verdict.candidates[0]
    text = f"{verdict.confidence.capitalize()} confidence: "
    text += f"{plural(verdict.requests, noun_of(routes_of(report.breakdowns)))}, {number(slow)} slow; "
    text += f"{clean(largest.component.label, style)} is the largest part in {_of_slow(largest.largest_in_slow, slow)}."
    if verdict.requests < ENOUGH_REQUESTS or largest.largest_in_slow < ENOUGH_SLOW:
        text += f" Too few to tell: {ENOUGH_SLOW} slow requests with one cause are needed."
    return [Piece(text)]


def timeout_groups(report: Report) -> list[list[Timeout]]:
    """Return the timeouts by the call that was running, the most frequent first."""
    groups: dict[tuple[str, int], list[Timeout]] = {}
    for timeout in report.timeouts:
        groups.setdefault((timeout.running, timeout.limit_ns), []).append(timeout)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].running, group[0].limit_ns))


CALL_OWNERS = {
    "external": "The call is external, the limit is internal.",
    "internal": "Call and limit are internal.",
    "AWS": "The call is one of AWS, the limit is internal.",
    "managed": "The limit is internal.",
    "platform": "The call is the platform's, the limit is internal.",
    "unknown": "The owner of the call is unknown, the limit is internal.",
}


def timeout_sentence(group: Sequence[Timeout], report: Report, style: Style) -> list[Piece]:
    """Say the number of timeouts, the call that was running, its time and its owner."""
    example = group[0]
    count = f"{number(len(group))} of {plural(report.totals.requests, 'request')} timed out"
    count += f" at {ms(example.limit_ns, style)}. " if example.limit_ns else ". "
    if example.component is None:
        return [
            Piece(count, "bold"),
            Piece("The running call is unknown: the function's own spans were lost with it."),
        ]
    median_ns = sorted(timeout.elapsed_ns for timeout in group)[len(group) // 2]
    elapsed = f"for {ms(median_ns, style)}" + (" (median)" if len(group) > 1 else "")
    whose = CALL_OWNERS[owner(example.component)]
    running, line = clean(example.running, style), example.line
    place = f", at {clean(line.file, style)}:{line.line}" if line is not None else ""
    return [Piece(count, "bold"), Piece(running, "bold"), Piece(f" was still running, {elapsed}{place}. {whose}")]


def _clear(report: Report, style: Style) -> list[Piece]:
    return group_sentence(report.groups.groups[0], report, style)


def _sure(report: Report) -> str:
    group, slow = report.groups.groups[0], report.groups.slow
    subject = "they are" if len(group.edges) > 1 else "it is"
    text = f"{subject} the largest excess in {_of_slow(len(group.members), len(slow))} slow requests."
    if report.verdict.counterexample is not None:
        count = report.verdict.unexplained
        text += f" Against it: {plural(count, 'slow request')} without one dominant part."
    return f"{text} Another run must tell whether it changed." if report.is_undecided else text


def _thin(report: Report, style: Style) -> list[Piece]:
    comparison, candidates = report.comparison, report.verdict.candidates
    pieces = [Piece(f"Thin evidence: {slow_of_requests(report, style)}. ")]
    for index, candidate in enumerate(candidates):
        name = clean(candidate.component.label, style)
        more = f" ({', '.join(filter(None, [ms(candidate.difference_ns, style), _attempts(candidate, report)]))})"
        # It may exceed the difference if other parts take less than usual
        explains = percent(min(candidate.difference_ns, comparison.difference_ns), comparison.difference_ns, style)
        pieces += [Piece(", " if index else ""), Piece(name, "bold"), Piece(" " if index else " explains ")]
        pieces += [Piece(explains, "bold"), Piece(more if index else f" of the difference{more}")]
    return [*pieces, Piece("." if comparison.has_dominant else ". No one part stands out.")]


def _attempts(candidate: ComponentDifference, report: Report) -> str:
    """`3 attempts` of a step in the slow executions that it makes slow."""
    slow = report.comparison.slow
    ids = {request.breakdown.trace_id for request in slow if request.component == candidate.component}
    breakdowns = report.breakdowns
    indices = [index for index in range(len(breakdowns)) if breakdowns.trace_id(index) in ids]
    return attempts_text(candidate.component, breakdowns.made(indices))


def slow_of_requests(report: Report, style: Style) -> str:
    """`2 of 40 requests of GET /a are slow, and each for another reason`: without a cause of enough of them."""
    slow = report.comparison.slow
    verb = "are slow" if len(slow) > 1 else "is slow"
    if report.groups.slowness.limit_ns is not None or not report.groups.slow:
        verb = f"took over {ms(report.comparison.over_ns, style)}"
    differ = len(slow) > 1 and len({request.component for request in slow}) == len(slow)
    reasons = ", and each for another reason" if differ else ""
    routes = sorted({request.breakdown.route for request in slow})
    by_route = report.breakdowns.ended_by_route()
    requests = plural(sum(by_route[route] for route in routes), noun_of(routes))
    return f"{number(len(slow))} of {requests} of {route_list(names_of(routes), LONGEST_ROUTES, style)} {verb}{reasons}"


def _even(report: Report, style: Style) -> list[Piece]:
    else_ = " else" if report.totals.timeouts or failed_first(report, style) else ""
    nothing = f"Nothing{else_} stands out{' in what was read' if report.skipped else ''}."
    if report.against is not None and report.against.answer in ("slower", "shape", "disturbed", "unsure"):
        nothing = "Among themselves, no requests stand out."
    limit_ns, requests, slow = report.groups.slowness.limit_ns, report.verdict.requests, len(report.comparison.slow)
    if limit_ns is None or not requests:
        return [Piece(nothing)]
    if not slow:
        return [Piece(f"{nothing} No request took over {ms(limit_ns, style)}.")]
    count = f"All {number(slow)} requests" if slow == requests else f"{number(slow)} of {number(requests)} requests"
    return [Piece(f"{nothing} {count} took over {ms(limit_ns, style)}, which is usual on their routes.")]


def _alone(report: Report, style: Style) -> list[Piece]:
    slowest = report.comparison.alone[0]
    breakdown, ns = slowest.breakdown, slowest.excess_ns
    route = clean(breakdown.route, style)
    pieces = [Piece(f"The slowest request is the only one of its route: {route} took ")]
    pieces += [Piece(ms(breakdown.wall_ns, style), "bold")]
    if not ns:
        return [*pieces, Piece(".")]
    pieces += [Piece("; it waited "), Piece(ms(ns, style), "bold"), Piece(" for ")]
    share = f", {percent(ns, breakdown.wall_ns, style)} of its time."
    return [*pieces, Piece(_phrase_of_one(slowest.component, style), "bold"), Piece(share)]


def _phrase_of_one(component: Component, style: Style) -> str:
    """Return the phrase of a part in a sentence about one request."""
    return clean(component.phrase, style).replace("their own", "its own")


def _judged(report: Report, style: Style) -> str:
    """Say with what requests were compared, which part has most of their time, and which routes were judged."""
    totals, routes = report.totals, report.groups.slowness.comparable
    text = "Every request was compared with those of its own route."
    for component, tally in totals.largest_first()[:1]:
        if 2 * tally.total_ns > totals.wall_ns and not report.groups.slowness.whole:
            share = percent(tally.total_ns, totals.wall_ns, style)
            text += f" Most of their time ({share}) is {clean(component.label, style)}."
    return f"{text} Judged: {clean(listed(routes, MOST_ROUTES), style)}." if routes else text


def _one(report: Report, style: Style) -> list[Piece]:
    """`One request, 45 ms: here is where it went. 36 ms (81 %) for payments.example.com, 9 ms for its own code.`"""
    [request] = report.breakdowns
    if not request.wall_ns:
        text = "This request has no length: it is in progress, or its spans have no end"
        return [Piece(f"{text}, or end before they start.")]
    pieces = [Piece(f"One {noun_of([request.route])}, {ms(request.wall_ns, style)}"), Piece(_head(report))]
    for index, (component, ns) in enumerate(request.components[:MOST_OF_ONE]):
        share = f" ({percent(ns, request.wall_ns, style)})" if not index else ""
        pieces += [Piece(", " if index else ""), Piece(ms(ns, style), "bold"), Piece(f"{share} for ")]
        pieces.append(Piece(_phrase_of_one(component, style), "bold"))
    pieces.append(Piece("."))
    for diagnosis in report.diagnoses.values():
        pieces += finding_pieces(diagnosis, style, alone=True)
    return pieces


def _head(report: Report) -> str:
    """Say what one request is, if it is less than a whole one."""
    [request] = report.breakdowns
    skipped = report.skipped
    read = sum(len(trace.spans) for trace in report.traces.values())
    if skipped >= read > 0:
        return f", of which {number(read)} of {plural(read + skipped, 'span')} could be read: a remnant. What is left: "
    if request.flaws & Flaw.FLOW:
        return " without the consumers of its messages: here is where it went. "
    if request.flaws & Flaw.RUNS_ON:
        return ", after which its work ran on for longer. Here is where it went: "
    if are_executions([request.route]):
        return " without its waits by design: here is where it went. "
    return ": here is where it went. "


def _of_slow(count: int, slow: int) -> str:
    if slow == 1:
        return "the only one" if count else "none"
    return f"all {number(slow)}" if count == slow else f"{number(count)} of the {number(slow)}"


@dataclass(frozen=True, slots=True)
class Card:
    """A finding: its sentence, the evidence, what it depends on and since when, and the next steps.

    `component` is the part that it blames, `steps` advice about that part, and `settles` what would settle its owner.
    `number` is that of a class in `report.classes.found`, or that of a group of timeouts; None for other kinds.
    The card of the verdict is a class, or `verdict` if no class was found.
    """

    kind: Literal["failed", "change", "class", "verdict", "timeout", "depends"]
    sentence: list[Piece]
    evidence: tuple[list[Piece], ...] = ()
    correlation: tuple[list[Piece], ...] = ()
    component: Component | None = None
    steps: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    number: int | None = None


def cards(report: Report, style: Style) -> list[Card]:
    """Return the findings of a report on at least one request; the change since a baseline comes first."""
    findings = list(_change(report, style))
    if report.failures is not None and failed_first(report, style):
        findings.append(failed_card(report.failures, report, style))
    verdict, timeouts = list(_slow(report, style)), list(_timeouts(report, style))
    # Timeouts come first if nothing else stands out.
    findings += [*timeouts, *verdict] if report.verdict.kind == "even" else [*verdict, *timeouts]
    return [*findings, *(Card("depends", sentence) for sentence in depending_routes(report, style))]


def failed_card(failed: Failures, report: Report, style: Style) -> Card:
    """Return the card of the requests that failed."""
    card, component = Card("failed", failed_sentence(failed, report, style)), failed.component
    if component is None:
        return card
    return blaming(card, report, component, [FAILS.format(name=component.name)] if component.name else [])


def blaming(card: Card, report: Report, component: Component, steps: Sequence[str]) -> Card:
    """Add the part that a card blames, steps, and what would settle the part's owner."""
    options = report.owners.settling(component)
    settles = (f"Say whose {component.name} is: {options}.",) if options else ()
    return replace(card, component=component, steps=tuple(steps), settles=settles)


def cards_with_steps(findings: Sequence[Card]) -> Iterator[tuple[Card, list[str]]]:
    """Yield each card with its next steps, for a text that is read from the top: advice about a category comes once."""
    advised: set[str] = set()
    for card in findings:
        category = card.component.category if card.component is not None else ""
        # The question why a part fails differs from the question why it is slow.
        about = card.kind if card.kind == "failed" else category
        steps = card.steps if about not in advised else ()
        yield card, [*steps, *(option for option in card.settles if option not in advised)]
        advised |= {about, *card.settles} if card.steps else set()


def paragraphs(report: Report, style: Style, findings: list[Card] | None = None) -> list[Line]:
    """Return what a report says before its tables: its findings (all if None), each with its next steps, then what no
    finding says."""
    lines: list[Line] = []
    if report.verdict.kind == "none":
        return [sentence(report, style), *([Piece(text)] for text in other_cautions(report, style))]
    for card, steps in cards_with_steps(cards(report, style) if findings is None else findings):
        also = [Piece("Also: ")] if card.kind == "class" and card.number else []
        lines += [[*also, *card.sentence], *card.evidence, *card.correlation]
        lines += [[Piece(f"Next: {clean(step, style)}")] for step in steps]
    return lines + [[Piece(text)] for text in (*unclassified(report, style), *other_cautions(report, style))]


def _change(report: Report, style: Style) -> Iterator[Card]:
    diff = report.against
    if diff is None:
        return
    from lambda_latency.text.against import against_sentence  # most reports have no baseline

    depends = tuple(change_correlation(change, style) for change in report.correlations.of_changes)
    card = Card("change", against_sentence(diff, style), correlation=depends)
    asserted = diff.causes if diff.answer in ("slower", "shape") else ()
    cause = next((cause for cause in asserted if cause.asserted), None)
    if cause is not None and cause.edges[0] not in report.diagnoses:  # its class says the same
        shown = finding_pieces(report.diagnosis(cause.edges[0]), style)
        card = replace(card, evidence=([Piece(shown[0].text.lstrip(), shown[0].ink), *shown[1:]],)) if shown else card
    yield blaming(card, report, *cause_steps(cause, diff.call_graphs, report)) if cause is not None else card


def _slow(report: Report, style: Style) -> Iterator[Card]:
    proof = (evidence(report, style),) if report.verdict.kind != "none" else ()
    if report.verdict.kind != "clear":
        yield Card("verdict", sentence(report, style), proof, tuple(depending(report, 0, style)))
        return
    for index, group in enumerate(report.groups.groups):
        text, depends = _of_group(group, report, style), tuple(depending(report, index, style, bare=False))
        card = Card("class", text, proof if not index else (), depends, number=index)
        yield blaming(card, report, group.edge.component, group_steps(group, report))


def _of_group(group: CauseGroup, report: Report, style: Style) -> list[Piece]:
    """Return the sentence of a cause group, without what the sentence of the change already says."""
    if report.against is None:
        return group_sentence(group, report, style)
    from lambda_latency.text.against import reported_sentence

    return reported_sentence(group, report, style) or group_sentence(group, report, style)


def first_sentence(report: Report, style: Style) -> list[Piece]:
    """Return the sentence that the report begins with: that of its first card."""
    return cards(report, style)[0].sentence if report.verdict.kind != "none" else sentence(report, style)


def _timeouts(report: Report, style: Style) -> Iterator[Card]:
    for index, group in enumerate(timeout_groups(report)):
        component = group[0].component if index < MOST_GROUPS else None
        card = Card("timeout", timeout_sentence(group, report, style), number=index)
        yield card if component is None else blaming(card, report, component, [advice(component)])
