"""A report as a value; text and JSON render it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.accounts.totals import UNKNOWN, Tally
from lambda_latency.latency.depends.value import NOTHING, By, Depends, ReadSpans
from lambda_latency.latency.judge.classes import Classes, classes
from lambda_latency.latency.judge.cohorts import Cohorts, Slow, cohorts
from lambda_latency.latency.judge.diagnosis import Diagnosis, diagnose
from lambda_latency.latency.judge.thresholds import DOUBLED
from lambda_latency.latency.judge.timeouts import Failures, Timeout, failures, timeout_of
from lambda_latency.latency.judge.verdict import Verdict, verdict
from lambda_latency.latency.own_code import own_code_against, own_code_of
from lambda_latency.trace import NO_TRACES

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.account import Account
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.accounts.totals import Traffic, Unknown
    from lambda_latency.latency.baseline.against import Against
    from lambda_latency.latency.own_code import Find, OwnCode
    from lambda_latency.trace import Problem, Trace

OWN_CODE = "own code"
MOST_TIMEOUTS = 100  # timeouts described one by one; the others are only counted


@dataclass(frozen=True, slots=True)
class Report:
    """Requests, the verdict on them, and the evidence.

    `accounts` have no defined order. `timeouts` describes the first `MOST_TIMEOUTS` requests that timed out. `traces`
    holds the traces of these, and those that a text shows as waterfalls. `traffic` is the number of all requests, seen
    or not, if the source knows it. `against` is the comparison with a baseline, if there is one, `baseline` its
    accounts, and `usual` the cells that slow requests waited for there too, whoever calls. `diagnoses` have what the
    example of each class shows, by its cell; of a verdict without a class, what its request shows. `depends` are the
    attribute values that set slow requests apart, and `by` has the requests by the values of one attribute, if asked.
    `own_code` divides the own code of classes, where requests were sampled, `own_code_against` that of the
    comparison's first cell. `failures` are the requests that failed, if any.
    """

    accounts: Accounts
    totals: Tally
    cohorts: Cohorts
    classes: Classes
    verdict: Verdict
    timeouts: tuple[Timeout, ...]
    traces: Mapping[str, Trace]
    problems: tuple[Problem, ...] = ()
    sources: tuple[str, ...] = ()
    traffic: Traffic | Unknown = UNKNOWN
    notes: tuple[str, ...] = field(default=())
    against: Against | None = None
    owners: Owners = NOBODY
    baseline: Accounts | None = None
    usual: frozenset[Cell] = frozenset()
    diagnoses: Mapping[Cell, Diagnosis] = field(default_factory=dict)
    depends: Depends = NOTHING
    by: By | None = None
    own_code: Mapping[Cell, OwnCode] = field(default_factory=dict)
    own_code_against: OwnCode | None = None
    failures: Failures | None = None


def report_of(
    accounts: Sequence[Account],
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    *,
    slow_ns: int | None = None,
    problems: Sequence[Problem] = (),
    sources: Sequence[str] = (),
    traffic: Traffic | Unknown = UNKNOWN,
    notes: Sequence[str] = (),
    against: Against | None = None,
    owners: Owners = NOBODY,
    baseline: Accounts | None = None,
    spans: ReadSpans | None = None,
    by: str | None = None,
    find_before: Callable[[Collection[str]], Mapping[str, Trace]] | None = None,
) -> Report:
    """Create the report on these requests. `find` returns traces by id, for the few that are shown in full;
    `find_before` those of the baseline.

    `spans` reads the spans of some hundred traces, for the attributes of slow requests and others. `by`: an attribute
    whose values divide all requests. Raises `ReportError` if no request has it.

    A request is slow above `slow_ns` (default: beyond a fence of its route). Logs and metrics beside traces are no
    problem.
    """
    every = Accounts.of(accounts)
    slow = classes(every, slow_ns)
    compared = cohorts(every, slow_ns, slow.slow)
    found = verdict(every, compared, slow)
    begun = sorted([(every.starts_ns[at], every.trace_id(at)) for at in every.timed_out()])
    timed_out = [trace_id for _, trace_id in begun[:MOST_TIMEOUTS]]
    shown = [found.proof.account.trace_id] if found.proof is not None else []
    shown += [every.trace_id(at) for at in every.slowest(1)]
    examples = {one.cell: every.trace_id(one.example) for one in slow.found}
    if not examples and found.proof is not None and found.kind != "thin":
        examples = {_largest(found.proof): found.proof.account.trace_id}
    traces = find({*timed_out, *shown, *examples.values()}) if every else {}
    timeouts = [timeout_of(traces[trace_id], owners) for trace_id in timed_out if trace_id in traces]
    return Report(
        accounts=every,
        totals=Tally.of(every),
        cohorts=compared,
        classes=slow,
        verdict=found,
        timeouts=tuple(one for one in timeouts if one is not None),
        traces=traces,
        problems=tuple(one for one in problems if not every or one.reason != NO_TRACES),
        sources=tuple(sources),
        traffic=traffic,
        notes=tuple(notes),
        against=against,
        owners=owners,
        diagnoses={
            cell: diagnose(traces[trace_id], cell, owners) for cell, trace_id in examples.items() if trace_id in traces
        },
        baseline=baseline,
        depends=_depends(every, slow, spans, baseline, against) if spans is not None else NOTHING,
        by=_by(every, slow, by, spans) if by is not None and spans is not None else None,
        usual=_slow_cells(baseline, slow_ns, slow, len(every)) if baseline and slow.found else frozenset(),
        own_code=_divided(every, slow, find, owners),
        own_code_against=_divided_against(every, baseline, against, (find, find_before), owners),
        failures=failures(every),
    )


def _largest(proof: Slow) -> Cell:
    """The cell of the part that a request waited for longest."""
    return next(cell for cell, _ in proof.account.cells if cell.part == proof.part)


def _depends(
    every: Accounts, slow: Classes, spans: ReadSpans, before: Accounts | None, against: Against | None
) -> Depends:
    if not slow.slowness.judged:
        return NOTHING
    from lambda_latency.latency.depends.depending import depends  # a slow import that a few requests do not need

    if before is None or against is None:
        return depends(every, slow, spans)
    from lambda_latency.latency.depends.changes import changed_requests  # most reports have no baseline

    return depends(every, slow, spans, changed_requests(every, before, against))


def _by(every: Accounts, slow: Classes, name: str, spans: ReadSpans) -> By:
    from lambda_latency.latency.depends.by import by_attribute

    return by_attribute(every, slow.slow, name, spans)


def _divided(every: Accounts, found: Classes, find: Find, owners: Owners) -> dict[Cell, OwnCode]:
    ours = [one for one in found.found if one.cell.part.bucket == OWN_CODE]
    return {one.cell: code for one in ours if (code := own_code_of(every, one, find, owners)) is not None}


def _divided_against(
    every: Accounts, before: Accounts | None, against: Against | None, finds: tuple[Find, Find | None], owners: Owners
) -> OwnCode | None:
    cell = against.changed[0].cell if against is not None and against.changed else None
    if cell is None or cell.part.bucket != OWN_CODE or before is None or finds[1] is None:
        return None
    return own_code_against(cell, (every, finds[0]), (before, finds[1]), owners)


def _slow_cells(baseline: Accounts, slow_ns: int | None, now: Classes, requests: int) -> frozenset[Cell]:
    """The cells of classes that the baseline has too: as a class, or with few requests that are hardly fewer."""
    found = classes(baseline, slow_ns)
    few = {one.cell.of_all: len(one.members) / len(baseline) for one in found.few}
    known = {one.cell.of_all for one in found.found}
    cells = {one.cell.of_all: len(one.members) / requests for one in now.found}
    return frozenset(cell for cell, share in cells.items() if cell in known or DOUBLED * few.get(cell, 0.0) >= share)
