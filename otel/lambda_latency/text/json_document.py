"""A report as JSON: stable names, times in integer nanoseconds. `report.schema.json` is its schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from operator import add
from typing import TYPE_CHECKING

from lambda_latency.latency import (
    Breakdown,
    Breakdowns,
    Component,
    ComponentDifference,
    ComponentTally,
    Flaw,
    Report,
    Saving,
    Timeout,
    Unknown,
    at_rank,
    by_route,
    call_map,
    instant_of,
    map_values,
    own_code_in,
    savings,
)
from lambda_latency.text.cautions import cautions, count_requests
from lambda_latency.text.executions import wait_values
from lambda_latency.text.facts import cold_mean_ns, cold_values, saving_pieces
from lambda_latency.text.findings import own_code_values
from lambda_latency.text.group_values import (
    against_values,
    cause_values,
    change_values,
    component_values,
    evidence_values,
    finding_values,
    group_values,
)
from lambda_latency.text.prose import evidence, flat, sentence
from lambda_latency.text.style import Style
from lambda_latency.trace import Problem, Trace, critical_path

if TYPE_CHECKING:
    from lambda_latency.latency import Judged

SCHEMA = 3
SLOWEST = 10
MOST_CANDIDATES = 3
PLAIN = Style()


def document(
    report: Report,
    *,
    command: str,
    version: str,
    per_request: Mapping[str, Trace] | None = None,
    judged: Sequence[Judged] = (),
) -> dict[str, object]:
    """Return the report as JSON values; the traces of `per_request` add each request with its path."""
    breakdowns, comparison = report.breakdowns, report.comparison
    cold_ns, walls = cold_mean_ns(report.totals), sorted(report.totals.walls_ns)
    values: dict[str, object] = {
        "schema": SCHEMA,
        "command": command,
        "version": version,
        "sources": list(report.sources),
        "window": _window(report.breakdowns),
        "requests": report.totals.requests,
        "sampling": _sampling(report),
        "wall_ns": {
            **{f"p{percent}": at_rank(walls, percent) for percent in (50, 90, 95, 99)},
            "max": max(walls, default=0),
        },
        "cohorts": {
            "slow": {
                "requests": len(comparison.slow),
                "over_ns": comparison.over_ns,
                "mean_ns": comparison.slow_mean_ns,
            },
            "typical": {"requests": comparison.typical, "mean_ns": comparison.typical_mean_ns},
            "difference_ns": comparison.difference_ns,
        },
        "buckets": _categories(report),
        "verdict": _verdict(report),
        **group_values(report),
        "what_if": [_saving(saving) for saving in savings(breakdowns)],
        **wait_values(report),
        "cold_starts": {"requests": report.totals.cold_starts, "mean_ns": cold_ns, "cost": cold_values(report.totals)},
        "client_timeouts": {"requests": count_requests(report, lambda kind: bool(kind.flaws & Flaw.CLIENT_TIMEOUTS))},
        "timeouts": [_timeout(timeout, report) for timeout in report.timeouts],
        "map": map_values(call_map(breakdowns), report.timeouts),
        "against": _against(report),
        "gates": [{**asdict(gate), "route": gate.route or None, "part": gate.part or None} for gate in judged],
        "problems": _problems(report.problems),
        "slowest": [
            {"trace_id": slow.trace_id, "wall_ns": slow.wall_ns}
            for slow in breakdowns.made(breakdowns.slowest(SLOWEST))
        ],
    }
    if per_request is not None:
        ordered = breakdowns.in_order()
        values["per_request"] = [_request(breakdown, per_request.get(breakdown.trace_id)) for breakdown in ordered]
    return values


def _against(report: Report) -> dict[str, object] | None:
    if report.against is None:
        return None
    return {
        **against_values(report.against),
        "own_code": own_code_values(report.own_code_against),
        "example": finding_values(next(iter(report.diagnoses_against.values()), None)),
        "depends": change_values(report),
    }


def _sampling(report: Report) -> dict[str, object]:
    requests, traffic = report.totals.requests, report.traffic
    if isinstance(traffic, Unknown):
        return {"seen": requests, "total": None, "by_route": []}
    shares = by_route(traffic, report.breakdowns)
    routes = [{"route": share.subject, "seen": share.requests, "total": share.total} for share in shares]
    return {"seen": requests - traffic.without_stage, "total": traffic.total, "by_route": routes}


def _window(breakdowns: Breakdowns) -> dict[str, str | None]:
    if not breakdowns:
        return {"from": None, "to": None}
    ends = map(add, breakdowns.starts_ns, breakdowns.walls_ns)
    begin, end = (instant_of(ns, "microseconds") for ns in (min(breakdowns.starts_ns), max(ends)))
    return {"from": begin, "to": end}


def _categories(report: Report) -> list[dict[str, object]]:
    compared = {compared.component: compared for compared in report.comparison.components}
    return [
        _category(component, tally, compared.get(component), report)
        for component, tally in report.totals.largest_first()
    ]


def _category(
    component: Component, tally: ComponentTally, compared: ComponentDifference | None, report: Report
) -> dict[str, object]:
    difference = compared.difference_ns if compared is not None else 0
    times_ns = [0] * (report.totals.requests - tally.requests)  # requests without the part waited 0 ns
    times_ns += sorted(tally.each_ns)
    total_ns = tally.total_ns
    return {
        **component_values(component),
        "total_ns": total_ns,
        "share": _share(total_ns, report.totals.wall_ns),
        "typical_mean_ns": compared.typical_ns if compared is not None else 0,
        "slow_mean_ns": compared.slow_ns if compared is not None else 0,
        "difference_ns": difference,
        "difference_share": _share(difference, report.comparison.difference_ns),
        "largest_in_slow": compared.largest_in_slow if compared is not None else 0,
        "p50_ns": at_rank(times_ns, 50),
        "p95_ns": at_rank(times_ns, 95),
        "requests": tally.requests,
        "calls": tally.calls.calls,
        "errors": tally.calls.errors,
        "throttles": tally.calls.throttles,
        "retries": tally.calls.retries,
    }


def _verdict(report: Report) -> dict[str, object]:
    verdict = report.verdict
    against = verdict.counterexample
    return {
        "kind": verdict.kind,
        **component_values(verdict.component),
        **evidence_values(verdict.component, report),
        "confidence": verdict.confidence,
        "candidates": [
            {**component_values(compared.component), "difference_ns": compared.difference_ns}
            for compared in report.comparison.components[:MOST_CANDIDATES]
            if compared.difference_ns > 0
        ],
        "suspects": [cause_values(cause, asserted=False) for cause in verdict.suspects],
        "sentence": flat(sentence(report, PLAIN)),
        "evidence": flat(evidence(report, PLAIN)),
        "cautions": [caution.replace("\u202f", " ") for caution in cautions(report, PLAIN)],
        "trace_id": verdict.proof.breakdown.trace_id if verdict.proof is not None else None,
        "example": finding_values(next(iter(report.diagnoses.values()), None)),
        "against": None
        if against is None
        else {
            "trace_id": against.breakdown.trace_id,
            "bucket": against.component.category,
            "name": against.component.name,
        },
    }


def _saving(saving: Saving) -> dict[str, object]:
    return {
        **component_values(saving.component),
        "saves_ns": saving.saves_ns,
        "p95_ns": saving.p95_ns,
        "best_p95_ns": saving.best_p95_ns,
        "requests": saving.requests,
        "sentence": f"{flat(saving_pieces(saving, PLAIN))}.",
    }


def _timeout(timeout: Timeout, report: Report) -> dict[str, object]:
    own_code = own_code_values(own_code_in(report.traces[timeout.trace_id], report.owners))
    return {"own_code": own_code, **timeout_values(timeout)}


def timeout_values(timeout: Timeout) -> dict[str, object]:
    """Return a timeout as in the JSON document, without its own code."""
    return {
        "trace_id": timeout.trace_id,
        "limit_ns": timeout.limit_ns,
        "running": timeout.running,
        "elapsed_ns": timeout.elapsed_ns,
        "frames": list(map(asdict, timeout.frames)),
        "threads": [{"name": thread.name, "frames": list(map(asdict, thread.frames))} for thread in timeout.threads],
    }


def _problems(problems: Collection[Problem]) -> list[dict[str, object]]:
    """One row per source and reason, with the number of cases."""
    groups: dict[tuple[str, str, str], list[int | None]] = {}
    for problem in problems:
        groups.setdefault((problem.source, problem.reason, problem.effect), []).append(problem.line)
    return [
        {"source": source, "line": lines[0], "reason": reason, "count": len(lines), "effect": effect}
        for (source, reason, effect), lines in groups.items()
    ]


def _request(breakdown: Breakdown, trace: Trace | None) -> dict[str, object]:
    path = critical_path(trace).sections if trace is not None else ()
    return {
        "trace_id": breakdown.trace_id,
        "route": breakdown.route,
        "status": breakdown.status_code,
        "start_ns": breakdown.start_ns,
        "wall_ns": breakdown.wall_ns,
        "cold_start": breakdown.cold_start,
        "error": breakdown.error,
        "timeout": breakdown.timed_out,
        "buckets": [
            {"bucket": component.category, "name": component.name, "ns": ns} for component, ns in breakdown.components
        ],
        "path": [
            {"span_id": s.span.span_id, "name": s.span.name, "start_ns": s.start_ns, "end_ns": s.end_ns}
            for s in path  # segments
        ],
    }


def _share(component_ns: int, whole_ns: int) -> float:
    return round(component_ns / whole_ns, 6) if whole_ns else 0.0
