"""Explains an alarm: the verdict on the traces of its window, compared with the hour before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from lambda_latency.alarm.event import Alarm
from lambda_latency.alarm.evidence import Evidence
from lambda_latency.latency import (
    DEFAULT_OPTIONS,
    SILENT,
    AnalysisOptions,
    Breakdowns,
    Component,
    Report,
    advice,
    against,
    is_read,
    load,
    report_of,
)
from lambda_latency.text import (
    Card,
    Piece,
    Style,
    blaming,
    cards,
    cards_with_steps,
    clean,
    depending,
    depending_routes,
    failed_card,
    flat,
    sentence,
    timeout_groups,
    whole_sentence,
)
from lambda_latency.trace import LineIndex, Problem, Source, Trace, find_attributes, find_traces

PLAIN = Style()
MOST_GROUPS = 2  # calls that were running at timeouts
LEAST_SLOW = 3  # slow requests that suffice: an alarm is evidence


class FindingText(NamedTuple):
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
    cause: Component | None
    cause_ns: int
    findings: tuple[FindingText, ...]
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


def explain(alarm: Alarm, evidence: Evidence, options: AnalysisOptions = DEFAULT_OPTIONS) -> Explanation:
    """Return the explanation of an alarm from its evidence."""
    problems: list[Problem] = []
    index = LineIndex()
    sources = [*evidence.chosen, *evidence.sample, *evidence.hour_before]
    accounts = load(sources, problems, SILENT, index, 1, options)
    sample, baseline = (
        load(files, [], processes=1, options=options) for files in (evidence.sample, evidence.hour_before)
    )
    owners = options.owners.settle(accounts, baseline)
    find = partial(find_traces, sources, index=index, view=options.view)
    report = report_of(
        accounts,
        find,
        slow_ns=alarm.threshold_ns,
        problems=problems,
        sources=sorted({source.name for source in sources}),
        against=against(sample, baseline, ["the hour before"]) if sample and baseline else None,
        owners=owners,
        spans=partial(find_attributes, sources, names=is_read, index=index),
    )
    blamed = _blamed(alarm, report)
    lacks = [*evidence.lacks, *_lacking(alarm, report, evidence)]
    return Explanation(
        alarm=alarm,
        cause=blamed.component,
        cause_ns=blamed.ns,
        findings=tuple(_finding_text(card, steps) for card, steps in cards_with_steps(blamed.cards)),
        read=tuple(evidence.read),
        lacks=tuple(lacks),
        trace_id=blamed.trace_id,
        trace_start_ns=_start_of(accounts, blamed.trace_id),
        report=report,
        find=find,
    )


def mean_ns(source: Sequence[Source], part: str, options: AnalysisOptions = DEFAULT_OPTIONS) -> tuple[int, int]:
    """Return the mean time (ns) that requests wait for a part, given by its label, and the number of requests."""
    accounts = load(source, [], processes=1, options=options)
    total = sum(ns for account in accounts for waited_for, ns in account.components if waited_for.label == part)
    return total // len(accounts) if accounts else 0, len(accounts)


def _finding_text(card: Card, steps: Sequence[str]) -> FindingText:
    sentence = " ".join(map(flat, (card.sentence, *card.evidence)))
    return FindingText((sentence, *map(flat, card.correlation)), tuple(clean(step, PLAIN) for step in steps))


@dataclass(slots=True)
class _Blamed:
    """The findings, and the blamed parts; the first part is the cause."""

    cards: list[Card]
    components: list[Component]
    trace_id: str | None = None
    ns: int = 0

    @property
    def component(self) -> Component | None:
        return self.components[0] if self.components else None


def _blamed(alarm: Alarm, report: Report) -> _Blamed:
    """Combines failing requests, timeouts, the verdict, and the changes since the hour before."""
    blamed = _Blamed([], [])
    if not report.totals.requests:
        return blamed
    if alarm.measure == "errors" and report.failures is not None:
        failures = report.failures  # the part whose calls fail in most failing requests
        blamed.cards.append(failed_card(failures, report, PLAIN))
        _add(blamed, failures.component, failures.trace_id, 0)
    adders = [_add_timeouts, _add_verdict]
    if len(report.comparison.slow) > report.totals.timeouts:  # the more frequent is first
        adders.reverse()
    for add in adders:
        add(blamed, report)
    _add_change(blamed, report, ("slower", "shape"))
    if not blamed.cards:
        _add_everywhere(alarm, blamed, report)
    _add_change(blamed, report, ("disturbed", "unsure"))
    if not blamed.cards:
        blamed.cards.append(Card("verdict", [Piece("The traces name no cause. "), *sentence(report, PLAIN)]))
    return blamed


def _add(blamed: _Blamed, part: Component | None, trace_id: str | None, ns: int) -> None:
    if part is not None and part.label not in {blamed_part.label for blamed_part in blamed.components}:
        if not blamed.components:
            blamed.trace_id, blamed.ns = trace_id, ns
        blamed.components.append(part)
    blamed.trace_id = blamed.trace_id or trace_id


def _add_timeouts(blamed: _Blamed, report: Report) -> None:
    timeouts = [card for card in cards(report, PLAIN) if card.kind == "timeout"]
    for card, group in zip(timeouts[:MOST_GROUPS], timeout_groups(report), strict=False):
        blamed.cards.append(card)
        _add(blamed, group[0].component, group[0].trace_id, group[0].elapsed_ns)


def _add_verdict(blamed: _Blamed, report: Report) -> None:
    verdict = report.verdict
    if verdict.kind != "clear" and not (verdict.kind == "thin" and _is_likely(report)):
        return
    candidate = verdict.candidates[0]
    for card in cards(report, PLAIN):
        # The slow requests were fetched from the alarm's window: the time at which they begin is the window's.
        if card.kind == "class" and card.number is not None:
            depends = tuple(depending(report, card.number, PLAIN, bare=False))
            blamed.cards.append(replace(card, evidence=(), correlation=depends))
        elif card.kind == "verdict":
            likely = replace(card, correlation=tuple(depending(report, 0, PLAIN, bare=False)))
            blamed.cards.append(blaming(likely, report, candidate.component, [advice(candidate.component)]))
    blamed.cards += [Card("depends", sentence) for sentence in depending_routes(report, PLAIN, bare=False)]
    proof = verdict.proof.breakdown.trace_id if verdict.proof is not None else None
    _add(blamed, candidate.component, proof, candidate.slow_ns)


def _add_change(blamed: _Blamed, report: Report, answers: Collection[str]) -> None:
    """Adds what changed since the hour before, if that is one of these answers, and the part that is the cause."""
    comparison = report.against
    if comparison is None or comparison.answer not in answers:
        return
    card = next(card for card in cards(report, PLAIN) if card.kind == "change")
    text = flat(card.sentence).replace("the baseline", "the hour before")
    if card.component is not None:
        times = [change.difference for change in comparison.changed if change.component == card.component]
        ns = next((difference.now_ns for difference in times if difference is not None), 0)
        _add(blamed, card.component, _slowest(report), ns)
    blamed.cards.append(replace(card, sentence=[Piece(text)], correlation=()))


def _is_likely(report: Report) -> bool:
    """Return whether the few slow requests agree on a part; the alarm implies more slow requests than were traced."""
    return len(report.comparison.slow) >= LEAST_SLOW and report.comparison.has_dominant


def _add_everywhere(alarm: Alarm, blamed: _Blamed, report: Report) -> None:
    """Adds the part that takes most of the time if most requests are slow: there are too few to compare them with."""
    if alarm.threshold_ns is None:
        return
    whole = max(report.groups.slowness.whole, key=lambda route: route.requests, default=None)
    slow = len(report.comparison.slow)
    if report.against is None and LEAST_SLOW <= slow == report.totals.requests:
        _add_all(blamed, report, alarm.threshold_ns)
    elif whole is not None:
        card, edge = Card("verdict", [Piece(whole_sentence(whole, report, PLAIN))]), whole.edge
        if edge is not None and 2 * whole.edge_ns > whole.typical_ns:
            card = blaming(card, report, edge.component, [advice(edge.component)])
            _add(blamed, edge.component, _slowest(report), whole.edge_ns)
        blamed.cards.append(card)


def _add_all(blamed: _Blamed, report: Report, threshold_ns: int) -> None:
    slow, times_ns = len(report.comparison.slow), Counter[Component]()
    for account in report.breakdowns:
        times_ns.update(dict(account.components))
    part, ns = times_ns.most_common(1)[0]
    if 2 * ns <= times_ns.total():
        return
    text = (
        f"All {slow:,} requests took over {threshold_ns / 1e6:,.0f} ms, so there is no fast one to compare them "
        f"with. {clean(part.label, PLAIN)} takes {100 * ns / times_ns.total():.0f} % of their time."
    )
    blamed.cards.append(blaming(Card("verdict", [Piece(text)]), report, part, [advice(part)]))
    _add(blamed, part, _slowest(report), ns // slow)


def _lacking(alarm: Alarm, report: Report, evidence: Evidence) -> Iterable[str]:
    if not report.totals.requests:
        if not evidence.lacks:
            yield "No request of the alarm's window was traced: the cause cannot be known."
        return
    if not evidence.hour_before and not evidence.lacks:
        yield "No request of the hour before was traced: what changed cannot be known."
    if alarm.threshold_ns is not None and not report.comparison.slow and not report.timeouts:
        yield "None of the traced requests took longer than the alarm's threshold: the slow ones were not sampled."


def _slowest(report: Report) -> str | None:
    accounts = report.breakdowns
    return accounts.trace_id(accounts.slowest(1)[0]) if accounts else None


def _start_of(accounts: Breakdowns, trace_id: str | None) -> int:
    if trace_id is None:
        return 0
    return next((account.start_ns for account in accounts if account.trace_id == trace_id), 0)
