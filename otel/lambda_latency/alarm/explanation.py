"""Explains an alarm: the verdict on the traces of its window, compared with the hour before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency import (
    DOMINANT_PERCENT,
    SILENT,
    USUAL,
    Accounts,
    Part,
    Report,
    Terms,
    advice,
    against,
    load,
    report_of,
)
from lambda_latency.text import (
    Card,
    Piece,
    Style,
    against_sentence,
    blaming,
    cards,
    clean,
    depending,
    depending_routes,
    failed_card,
    flat,
    sentence,
    timeout_groups,
    told_once,
    whole_sentence,
)
from lambda_latency.trace import LineIndex, Problem, find_spans, find_traces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lambda_latency.alarm.event import Alarm
    from lambda_latency.alarm.evidence import Evidence
    from lambda_latency.trace import Source, Trace

PLAIN = Style()
MOST_GROUPS = 2  # reported calls that were running at timeouts
LEAST_SLOW = 3  # agreeing slow requests that suffice, since the alarm already shows that requests are slow


class Told(NamedTuple):
    """A finding: its sentences, and the next steps that belong to it."""

    lines: tuple[str, ...]
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of an alarm.

    `cause`: the blamed part, or None; `cause_ns`: the mean time that a slow request waits for it. `findings`: the most
    important first; `read`: the traces read; `lacks`: what is unknown. `trace_id`: an example request. `find` returns
    traces by id.
    """

    alarm: Alarm
    cause: Part | None
    cause_ns: int
    findings: tuple[Told, ...]
    read: tuple[str, ...]
    lacks: tuple[str, ...]
    trace_id: str | None
    trace_start_ns: int
    report: Report
    find: Callable[[Collection[str]], Mapping[str, Trace]]

    @property
    def name(self) -> str:
        """The cause's label, empty without one."""
        return clean(self.cause.label, PLAIN) if self.cause is not None else ""


def explain(alarm: Alarm, read: Evidence, terms: Terms = USUAL) -> Explanation:
    """The explanation of an alarm from its evidence."""
    problems: list[Problem] = []
    index = LineIndex()
    sources = [*read.chosen, *read.sample, *read.before]
    every = load(sources, problems, SILENT, index, 1, terms)
    sample, before = (load(some, [], processes=1, terms=terms) for some in (read.sample, read.before))
    owners = terms.owners.settle(every, before)
    find = partial(find_traces, sources, index=index, view=terms.view)
    report = report_of(
        every,
        find,
        slow_ns=alarm.threshold_ns,
        problems=problems,
        sources=sorted({source.name for source in sources}),
        against=against(sample, before, ["the hour before"]) if sample and before else None,
        owners=owners,
        spans=partial(find_spans, sources, index=index),
    )
    blamed = _blamed(alarm, report)
    lacks = [*read.lacks, *_lacking(alarm, report, read)]
    return Explanation(
        alarm=alarm,
        cause=blamed.part,
        cause_ns=blamed.ns,
        findings=tuple(_told(card, steps) for card, steps in told_once(blamed.cards)),
        read=tuple(read.read),
        lacks=tuple(lacks),
        trace_id=blamed.trace_id,
        trace_start_ns=_start_of(every, blamed.trace_id),
        report=report,
        find=find,
    )


def mean_ns(source: Sequence[Source], part: str, terms: Terms = USUAL) -> tuple[int, int]:
    """The mean time (nanoseconds) that requests wait for a part, given by its label, and the number of requests."""
    accounts = load(source, [], processes=1, terms=terms)
    total = sum(ns for one in accounts for its, ns in one.parts if its.label == part)
    return total // len(accounts) if accounts else 0, len(accounts)


def _told(card: Card, steps: Sequence[str]) -> Told:
    said = flat([*card.sentence, *(piece for told in card.evidence for piece in (Piece(" "), *told))])
    return Told((said, *map(flat, card.depends)), tuple(clean(step, PLAIN) for step in steps))


@dataclass(slots=True)
class _Blamed:
    """The findings, and the blamed parts; the first part is the cause."""

    cards: list[Card]
    parts: list[Part]
    trace_id: str | None = None
    ns: int = 0

    @property
    def part(self) -> Part | None:
        return self.parts[0] if self.parts else None


def _blamed(alarm: Alarm, report: Report) -> _Blamed:
    """Combines failing requests, timeouts, the verdict, and the changes since the hour before."""
    found = _Blamed([], [])
    if not report.totals.requests:
        return found
    if alarm.measure == "errors":
        _add_failing(found, report)
    adders = [_add_timeouts, _add_verdict]
    if len(report.cohorts.slow) > report.totals.timeouts:  # the more frequent reason comes first
        adders.reverse()
    for add in adders:
        add(found, report)
    _add_change(found, report)
    if not found.cards:
        _add_everywhere(alarm, found, report)
    if not found.cards:
        found.cards.append(Card("verdict", [Piece("The traces name no cause. "), *sentence(report, PLAIN)]))
    return found


def _add(found: _Blamed, part: Part | None, trace_id: str | None, ns: int) -> None:
    if part is not None and all(part.label != one.label for one in found.parts):
        if not found.parts:
            found.trace_id, found.ns = trace_id, ns
        found.parts.append(part)
    found.trace_id = found.trace_id or trace_id


def _add_timeouts(found: _Blamed, report: Report) -> None:
    timeouts = [card for card in cards(report, PLAIN) if card.kind == "timeout"]
    for card, group in zip(timeouts[:MOST_GROUPS], timeout_groups(report), strict=False):
        found.cards.append(card)
        _add(found, group[0].part, group[0].trace_id, group[0].elapsed_ns)


def _add_verdict(found: _Blamed, report: Report) -> None:
    verdict = report.verdict
    if verdict.kind != "clear" and not (verdict.kind == "thin" and _is_likely(report)):
        return
    first = verdict.candidates[0]
    for card in cards(report, PLAIN):
        # The slow requests were fetched from the alarm's window: the time at which they begin is the window's.
        if card.kind == "class" and card.number is not None:
            depends = tuple(depending(report, card.number, PLAIN, bare=False))
            found.cards.append(replace(card, evidence=(), depends=depends))
        elif card.kind == "verdict":
            likely = replace(card, depends=tuple(depending(report, 0, PLAIN, bare=False)))
            found.cards.append(blaming(likely, report, first.part, [advice(first.part)]))
    found.cards += [Card("depends", told) for told in depending_routes(report, PLAIN, bare=False)]
    proof = verdict.proof.account.trace_id if verdict.proof is not None else None
    _add(found, first.part, proof, first.slow_ns)


def _add_change(found: _Blamed, report: Report) -> None:
    """Adds what changed since the hour before: a part that takes longer, or the calls."""
    against = report.against
    if against is None:
        return
    slower = [one for one in against.changed if one.per_request_ns > 0]
    if not slower and against.answer != "shape":
        return
    told = flat(against_sentence(against, PLAIN)).replace("the baseline", "the hour before")
    card = Card("change", [Piece(told)])
    if slower:
        part, real = slower[0].part, slower[0].real
        card = blaming(card, report, part, [advice(part)]) if part is not None else card
        _add(found, part, _slowest(report), real.now_ns if real is not None else 0)
    found.cards.append(card)


def _is_likely(report: Report) -> bool:
    """Whether the few slow requests agree on a part; the alarm implies more slow requests than were traced."""
    compared = report.cohorts
    if len(compared.slow) < LEAST_SLOW or compared.least_share < DOMINANT_PERCENT:
        return False
    return 2 * compared.parts[0].largest_in_slow > len(compared.slow)


def _add_everywhere(alarm: Alarm, found: _Blamed, report: Report) -> None:
    """Adds the part that takes most of the time if most requests are slow: there are too few to compare them with."""
    if alarm.threshold_ns is None:
        return
    whole = max(report.classes.slowness.whole, key=lambda one: one.requests, default=None)
    slow = len(report.cohorts.slow)
    if report.against is None and LEAST_SLOW <= slow == report.totals.requests:
        _add_all(found, report, alarm.threshold_ns)
    elif whole is not None:
        card, cell = Card("verdict", [Piece(whole_sentence(whole, report, PLAIN))]), whole.cell
        if cell is not None and 2 * whole.cell_ns > whole.typical_ns:
            card = blaming(card, report, cell.part, [advice(cell.part)])
            _add(found, cell.part, _slowest(report), whole.cell_ns)
        found.cards.append(card)


def _add_all(found: _Blamed, report: Report, threshold_ns: int) -> None:
    slow, ns = len(report.cohorts.slow), Counter[Part]()
    for one in report.accounts:
        ns.update(dict(one.parts))
    part, most = ns.most_common(1)[0]
    if 2 * most <= ns.total():
        return
    text = (
        f"All {slow:,} requests took over {threshold_ns / 1e6:,.0f} ms, so there is no fast one to compare them "
        f"with. {clean(part.label, PLAIN)} takes {100 * most / ns.total():.0f} % of their time."
    )
    found.cards.append(blaming(Card("verdict", [Piece(text)]), report, part, [advice(part)]))
    _add(found, part, _slowest(report), most // slow)


def _add_failing(found: _Blamed, report: Report) -> None:
    """Adds the part whose calls fail in most failing requests."""
    failed = report.failures
    if failed is None:
        return
    found.cards.append(failed_card(failed, report, PLAIN))
    _add(found, failed.part, failed.trace_id, 0)


def _lacking(alarm: Alarm, report: Report, evidence: Evidence) -> Iterable[str]:
    if not report.totals.requests:
        if not evidence.lacks:
            yield "No request of the alarm's window was traced: the cause cannot be known."
        return
    if not evidence.before and not evidence.lacks:
        yield "No request of the hour before was traced: what changed cannot be known."
    if alarm.threshold_ns is not None and not report.cohorts.slow and not report.timeouts:
        yield "None of the traced requests took longer than the alarm's threshold: the slow ones were not sampled."


def _slowest(report: Report) -> str | None:
    every = report.accounts
    return every.trace_id(every.slowest(1)[0]) if every else None


def _start_of(every: Accounts, trace_id: str | None) -> int:
    if trace_id is None:
        return 0
    return next((one.start_ns for one in every if one.trace_id == trace_id), 0)
