"""The verdict: slow and typical requests, the part that makes the difference, the confidence, and counter-evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.latency.analysis.cause_groups import CauseGroups, Confidence
from lambda_latency.latency.analysis.thresholds import (
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    EVEN_NS,
    EVEN_WIDTHS,
    FEW_OF_REQUESTS,
    FEW_PERCENT,
    NEVER_EVEN_TIMES,
)
from lambda_latency.latency.analysis.typical_and_slow import ComponentDifference, SlowRequest, TypicalAndSlow
from lambda_latency.latency.breakdowns.breakdown import Breakdown
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Component

if TYPE_CHECKING:
    from lambda_latency.latency.baseline.causes import Cause

CANDIDATE_PERCENT = 10  # of the difference: smaller components are not worth naming

Kind: TypeAlias = Literal["clear", "thin", "even", "alone", "one", "none"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on `requests` requests.

    `clear` and `one` name a `component`: that of the first cause group. `thin` names `candidates` and no component.
    `even` and `none` claim nothing. `alone`: the slow requests are of routes with too few requests for a comparison.
    `proof` is a slow request that supports the verdict, `counterexample` one that no cause group explains;
    `unexplained` is the number of the latter. `suspects` of `thin` and `even` are ranked as causes are, and not blamed.
    """

    kind: Kind
    confidence: Confidence
    requests: int
    component: Component | None = None
    candidates: tuple[ComponentDifference, ...] = ()
    proof: SlowRequest | None = None
    counterexample: SlowRequest | None = None
    unexplained: int = 0
    suspects: tuple[Cause, ...] = ()


def verdict(breakdowns: Sequence[Breakdown], compared: TypicalAndSlow, by_cause: CauseGroups) -> Verdict:
    """Return the verdict on these requests, from their cause groups; `compared` are their slow and typical requests."""
    if not breakdowns:
        return Verdict("none", "low", 0)
    if len(breakdowns) == 1:
        return _single(breakdowns[0])
    requests = Breakdowns.from_breakdowns(breakdowns)
    ended = len(requests.ended())
    if by_cause.groups:
        return _clear(requests, compared, by_cause, ended)
    if compared.alone and not compared.slow:
        return Verdict("alone", "low", ended, proof=compared.alone[0])
    from lambda_latency.latency.baseline.causes import suspects  # most reports have a cause group, and need none

    suspected = suspects(requests, compared)
    if _are_few(by_cause, ended) if by_cause.slowness.comparable else _is_even(compared):
        confidence = _confidence_of_even(ended, by_cause)
        return Verdict("even", confidence, ended, candidates=compared.components[:1], suspects=suspected)
    return _thin(compared, ended, suspected)


def _single(breakdown: Breakdown) -> Verdict:
    """Return the verdict on one request: its largest component."""
    if not breakdown.components:
        return Verdict("one", "low", 1)
    component, ns = breakdown.components[0]
    return Verdict("one", "low", 1, component, proof=SlowRequest(breakdown, component, ns))


def _are_few(by_cause: CauseGroups, ended: int) -> bool:
    """Return whether no request is slow, or so few of many, and so different ones, as healthy requests have.

    With a limit each slow request counts.
    """
    slow = len(by_cause.slow)
    if not slow or by_cause.slowness.limit_ns is not None or ended < FEW_OF_REQUESTS:
        return not slow
    largest = max([len(by_cause.alike), *(len(cause.members) for cause in by_cause.small)])
    return slow < ENOUGH_SLOW or (100 * slow <= FEW_PERCENT * ended and 2 * largest < ENOUGH_SLOW)


def _confidence_of_even(ended: int, by_cause: CauseGroups) -> Confidence:
    if ended < ENOUGH_REQUESTS:
        return "low"
    return "medium" if by_cause.slowness.left_out else "high"


def _thin(compared: TypicalAndSlow, ended: int, suspects: tuple[Cause, ...]) -> Verdict:
    """Return the verdict without a group: the slow requests that have the largest component, against the others."""
    largest, *runner_up = compared.components[:2]
    agreeing = [request for request in compared.slow if request.component == largest.component]
    differing = [request for request in compared.slow if request.component != largest.component]
    return Verdict(
        kind="thin",
        confidence="low",
        requests=ended,
        candidates=(
            largest,
            *(component for component in runner_up if share(component, compared) >= CANDIDATE_PERCENT),
        ),
        # The median: the slowest may be an outlier
        proof=agreeing[len(agreeing) // 2] if agreeing else compared.slow[0],
        counterexample=differing[0] if differing else None,
        unexplained=len(differing),
        suspects=suspects,
    )


def _clear(breakdowns: Breakdowns, compared: TypicalAndSlow, by_cause: CauseGroups, ended: int) -> Verdict:
    """Return the verdict of the first cause group."""
    cause = by_cause.groups[0]
    by_id = {request.breakdown.trace_id: request for request in compared.slow}
    component = cause.edge.component
    unexplained_ids = {breakdowns.trace_id(index) for index in (*by_cause.mixed, *by_cause.alike)}
    # The slowest first
    unexplained = [request for request in compared.slow if request.breakdown.trace_id in unexplained_ids]
    return Verdict(
        kind="clear",
        confidence=cause.confidence,
        requests=ended,
        component=component,
        candidates=tuple(candidate for candidate in compared.components if candidate.component == component),
        proof=SlowRequest(by_id[breakdowns.trace_id(cause.example)].breakdown, component, cause.excess_ns),
        counterexample=unexplained[0] if unexplained else None,
        unexplained=len(unexplained),
    )


def _is_even(compared: TypicalAndSlow) -> bool:
    difference_ns = compared.difference_ns
    if not compared.slow or difference_ns < EVEN_NS:
        return True
    return difference_ns < min(EVEN_WIDTHS * compared.width_ns, NEVER_EVEN_TIMES * compared.typical_mean_ns)


def share(component: ComponentDifference, compared: TypicalAndSlow) -> int:
    """Return the percentage of the difference that a component explains, rounded half up; 0 if that is not positive."""
    whole = compared.difference_ns
    return (200 * component.difference_ns + whole) // (2 * whole) if whole > 0 else 0
