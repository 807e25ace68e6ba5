"""A report as a value; text and JSON render it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency.analysis.cause_groups import CauseGroups, cause_groups
from lambda_latency.latency.analysis.diagnosis import Diagnosis, diagnose
from lambda_latency.latency.analysis.thresholds import DOUBLED
from lambda_latency.latency.analysis.timeouts import Failures, Timeout, failures, timeout_of
from lambda_latency.latency.analysis.typical_and_slow import TypicalAndSlow, typical_and_slow
from lambda_latency.latency.analysis.verdict import Verdict, verdict
from lambda_latency.latency.breakdowns.breakdown import Breakdown
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.owners import NOBODY, Owners
from lambda_latency.latency.breakdowns.totals import UNKNOWN, Tally, Traffic, Unknown
from lambda_latency.latency.correlation.association import NOTHING, By, Correlations, ReadSpans
from lambda_latency.latency.own_code import Find, OwnCode, own_code_against, own_code_of
from lambda_latency.trace import NO_TRACES, Problem, Trace

if TYPE_CHECKING:
    from lambda_latency.latency.baseline.against import Against

OWN_CODE = "own code"
# Timeouts described one by one; the others are only counted
MOST_TIMEOUTS = 100


@dataclass(frozen=True, slots=True)
class Report:
    """Requests, the verdict on them, and the evidence.

    `breakdowns` have no defined order. `timeouts` describes the first `MOST_TIMEOUTS` requests that timed out. `traces`
    holds the traces of these, and those that a text shows as waterfalls. `traffic` counts all requests, seen or not, if
    the source knows them. `baseline` has the breakdowns that `against` compares with, and `edges_in_baseline` the edges
    that slow requests waited for there too, whoever calls. `diagnoses` have what the example of each cause group shows,
    or without a group the request of the verdict; `diagnoses_against` the same of the cause that the comparison
    asserts. `own_code` divides the own code of cause groups whose requests were sampled, `own_code_against` that of the
    comparison's first edge.
    """

    breakdowns: Breakdowns
    totals: Tally
    comparison: TypicalAndSlow
    groups: CauseGroups
    verdict: Verdict
    timeouts: tuple[Timeout, ...]
    traces: Mapping[str, Trace]
    problems: tuple[Problem, ...] = ()
    sources: tuple[str, ...] = ()
    traffic: Traffic | Unknown = UNKNOWN
    notes: tuple[str, ...] = field(default=())
    against: Against | None = None
    owners: Owners = NOBODY
    baseline: Breakdowns | None = None
    edges_in_baseline: frozenset[Edge] = frozenset()
    diagnoses: Mapping[Edge, Diagnosis] = field(default_factory=dict)
    diagnoses_against: Mapping[Edge, Diagnosis] = field(default_factory=dict)
    correlations: Correlations = NOTHING
    by: By | None = None
    own_code: Mapping[Edge, OwnCode] = field(default_factory=dict)
    own_code_against: OwnCode | None = None
    failures: Failures | None = None

    def diagnosis(self, edge: Edge) -> Diagnosis | None:
        """Return what an example shows about an edge that a cause group or the comparison blames."""
        return self.diagnoses.get(edge) or self.diagnoses_against.get(edge)

    @property
    def skipped(self) -> int:
        """The number of problems because of which something was not read."""
        return sum(problem.effect == "skipped" for problem in self.problems)

    @property
    def is_undecided(self) -> bool:
        """Whether another run must tell what changed since the baseline: nothing is advised then."""
        return self.against is not None and self.against.decision.is_undecided


def report_of(
    breakdowns: Sequence[Breakdown],
    find: Find,
    *,
    slow_ns: int | None = None,
    problems: Sequence[Problem] = (),
    sources: Sequence[str] = (),
    traffic: Traffic | Unknown = UNKNOWN,
    notes: Sequence[str] = (),
    against: Against | None = None,
    owners: Owners = NOBODY,
    baseline: Breakdowns | None = None,
    spans: ReadSpans | None = None,
    by: str | None = None,
    find_before: Find | None = None,
) -> Report:
    """Create the report on these requests. `find` returns traces by id, `find_before` those of the baseline.

    `spans` reads the spans of some hundred traces, for the attributes of slow requests and others. `by`: an attribute
    whose values divide all requests; raises `ReportError` if no request has it. A request is slow above `slow_ns`
    (default: beyond a threshold of its route).
    """
    requests = Breakdowns.from_breakdowns(breakdowns)
    slow = cause_groups(requests, slow_ns)
    if against is not None and against.decision.is_undecided:
        slow = slow.in_doubt
    compared = typical_and_slow(requests, slow_ns, slow.slow)
    judgement = verdict(requests, compared, slow)
    timed_out = _timed_out(requests)
    examples = _examples(requests, slow, judgement)
    shown = [requests.trace_id(index) for index in requests.slowest(1)]
    if judgement.proof is not None:
        shown.append(judgement.proof.breakdown.trace_id)
    changed = _examples_of_change(requests, against)
    traces = find({*timed_out, *shown, *examples.values(), *changed.values()}) if requests else {}
    timeouts = [timeout_of(traces[trace_id], owners) for trace_id in timed_out if trace_id in traces]
    return Report(
        breakdowns=requests,
        totals=Tally.from_breakdowns(requests),
        comparison=compared,
        groups=slow,
        verdict=judgement,
        timeouts=tuple(filter(None, timeouts)),
        traces=traces,
        problems=_reported(problems, requests),
        sources=tuple(sources),
        traffic=traffic,
        notes=tuple(notes),
        against=against,
        owners=owners,
        diagnoses=_diagnosed(examples, traces, owners),
        diagnoses_against=_diagnosed(changed, traces, owners),
        baseline=baseline,
        correlations=_correlations(requests, slow, spans, baseline, against) if spans is not None else NOTHING,
        by=_by(requests, slow, by, spans),
        edges_in_baseline=_slow_edges(baseline, slow_ns, slow, len(requests)),
        own_code=_divided(requests, slow, find, owners),
        own_code_against=_divided_against(against, (requests, find), (baseline, find_before), owners),
        failures=failures(requests),
    )


def _timed_out(breakdowns: Breakdowns) -> list[str]:
    """Return the trace ids of the first requests that timed out."""
    started = sorted([(breakdowns.starts_ns[index], breakdowns.trace_id(index)) for index in breakdowns.timed_out()])
    return [trace_id for _, trace_id in started[:MOST_TIMEOUTS]]


def _reported(problems: Sequence[Problem], breakdowns: Breakdowns) -> tuple[Problem, ...]:
    """Return the problems; a source without traces is one only if no source has any."""
    return tuple(problem for problem in problems if not breakdowns or problem.reason != NO_TRACES)


def _examples(breakdowns: Breakdowns, slow: CauseGroups, judgement: Verdict) -> dict[Edge, str]:
    """Return the trace id of the example of each cause group; without a cause group, that of the verdict's request."""
    # The example of an edge that several groups have is that of the first
    examples = {cause.edge: breakdowns.trace_id(cause.example) for cause in reversed(slow.groups)}
    proof = judgement.proof
    if examples or proof is None or judgement.kind == "thin":
        return examples
    largest = next(edge for edge, _ in proof.breakdown.edges if edge.component == proof.component)
    return {largest: proof.breakdown.trace_id}


def _examples_of_change(breakdowns: Breakdowns, against: Against | None) -> dict[Edge, str]:
    """Return the trace id of a request that waits long for the edge that the comparison asserts: 90 % wait less."""
    if against is None or against.answer not in ("slower", "shape"):
        return {}
    edge = next((cause.edges[0] for cause in against.causes if cause.asserted), None)
    example = _waiting_long(breakdowns, edge) if edge is not None else None
    return {edge: breakdowns.trace_id(example)} if edge is not None and example is not None else {}


def _waiting_long(breakdowns: Breakdowns, edge: Edge) -> int | None:
    """Return the request at the 90th percentile of the time that an edge takes, of those whose spans are at hand."""
    waits = sorted([(ns, index) for index, ns in breakdowns.entries_of_edges({breakdowns.edges.get(edge, -1)})])
    requests = [index for _, index in waits]
    return next(iter(breakdowns.with_spans(requests, [(len(requests) - 1) * 9 // 10])), None) if requests else None


def _diagnosed(examples: Mapping[Edge, str], traces: Mapping[str, Trace], owners: Owners) -> dict[Edge, Diagnosis]:
    present = {edge: traces[trace_id] for edge, trace_id in examples.items() if trace_id in traces}
    return {edge: diagnose(trace, edge, owners) for edge, trace in present.items()}


def _correlations(
    breakdowns: Breakdowns, slow: CauseGroups, spans: ReadSpans, baseline: Breakdowns | None, against: Against | None
) -> Correlations:
    if not slow.slowness.comparable:
        return NOTHING
    # Slow imports that a few requests do not need
    from lambda_latency.latency.correlation.correlating import correlations
    from lambda_latency.latency.correlation.question import changed_requests

    changed = changed_requests(breakdowns, baseline, against) if baseline is not None and against is not None else ()
    return correlations(breakdowns, slow, spans, changed)


def _by(breakdowns: Breakdowns, slow: CauseGroups, name: str | None, spans: ReadSpans | None) -> By | None:
    if name is None or spans is None:
        return None
    from lambda_latency.latency.correlation.by import by_attribute

    return by_attribute(breakdowns, slow.slow, name, spans)


def _divided(breakdowns: Breakdowns, slow: CauseGroups, find: Find, owners: Owners) -> dict[Edge, OwnCode]:
    causes = [cause for cause in reversed(slow.groups) if cause.edge.component.category == OWN_CODE]
    divided = {cause.edge: own_code_of(breakdowns, cause, find, owners) for cause in causes}
    return {edge: own_code for edge, own_code in divided.items() if own_code is not None}


def _divided_against(
    against: Against | None,
    present: tuple[Breakdowns, Find],
    baseline: tuple[Breakdowns | None, Find | None],
    owners: Owners,
) -> OwnCode | None:
    edge = against.changed[0].edge if against is not None and against.changed else None
    breakdowns, find = baseline
    if edge is None or edge.component.category != OWN_CODE or breakdowns is None or find is None:
        return None
    return own_code_against(edge, present, (breakdowns, find), owners)


def _slow_edges(baseline: Breakdowns | None, slow_ns: int | None, slow: CauseGroups, requests: int) -> frozenset[Edge]:
    """Return the edges of groups that the baseline has too: as a group, or with few requests that are hardly fewer."""
    if not baseline or not slow.groups:
        return frozenset()
    of_baseline = cause_groups(baseline, slow_ns)
    causes = {edge.merged for cause in of_baseline.groups for edge, _ in cause.edges}
    small = {cause.edge.merged: len(cause.members) / len(baseline) for cause in of_baseline.small}
    shares = {cause.edge.merged: len(cause.members) / requests for cause in slow.groups}
    return frozenset(edge for edge, share in shares.items() if edge in causes or DOUBLED * small.get(edge, 0) >= share)
