"""A report as JSON: stable names, times in integer nanoseconds. `report.schema.json` is its schema."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from operator import add
from typing import TYPE_CHECKING

from lambda_latency.latency import (
    CLIENT_TIMEOUTS,
    Part,
    PartTally,
    Unknown,
    at_rank,
    by_route,
    call_map,
    map_values,
    own_code_in,
    savings,
)
from lambda_latency.text.cautions import cautions
from lambda_latency.text.class_values import change_values, class_values, finding_values, ground_values
from lambda_latency.text.difference import against_values, cause_values
from lambda_latency.text.facts import cold_mean_ns, cold_values, saving_pieces
from lambda_latency.text.own_code import own_code_values
from lambda_latency.text.prose import evidence, flat, sentence
from lambda_latency.text.style import Style
from lambda_latency.trace import critical_path

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lambda_latency.latency import Account, Accounts, Compared, Frame, Judged, Report, Saving, Timeout
    from lambda_latency.trace import Problem, Trace

SCHEMA = 3
SLOWEST = 10
MOST_CANDIDATES = 3
PLAIN = Style()
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def document(
    report: Report,
    *,
    command: str,
    version: str,
    per_request: Mapping[str, Trace] | None = None,
    judged: Sequence[Judged] = (),
) -> dict[str, object]:
    """The report as JSON values; the traces of `per_request` add each request with its path."""
    accounts, compared = report.accounts, report.cohorts
    cold_ns = cold_mean_ns(report.totals)
    whole: dict[str, object] = {
        "schema": SCHEMA,
        "command": command,
        "version": version,
        "sources": list(report.sources),
        "window": _window(report.accounts),
        "requests": report.totals.requests,
        "sampling": _sampling(report),
        "wall_ns": _walls(report),
        "cohorts": {
            "slow": {"requests": len(compared.slow), "over_ns": compared.over_ns, "mean_ns": compared.slow_mean_ns},
            "typical": {"requests": compared.typical, "mean_ns": compared.typical_mean_ns},
            "difference_ns": compared.difference_ns,
        },
        "buckets": _buckets(report),
        "verdict": _verdict(report),
        **class_values(report),
        "what_if": [_saving(one) for one in savings(report.accounts)],
        "cold_starts": {"requests": report.totals.cold_starts, "mean_ns": cold_ns, "cost": cold_values(report.totals)},
        "client_timeouts": {"requests": _flagged(report, CLIENT_TIMEOUTS)},
        "timeouts": [_timeout(one, report) for one in report.timeouts],
        "map": map_values(call_map(report.accounts), report.timeouts),
        "against": _against(report),
        "gates": [
            {
                "expression": one.expression,
                "value": one.value,
                "failed": one.failed,
                "unsure": one.unsure,
                "disturbed": one.disturbed,
                "route": one.route or None,
                "part": one.part or None,
                "sentence": one.sentence,
            }
            for one in judged
        ],
        "problems": _problems(report.problems),
        "slowest": [
            {"trace_id": one.trace_id, "wall_ns": one.wall_ns} for one in accounts.made(accounts.slowest(SLOWEST))
        ],
    }
    if per_request is not None:
        whole["per_request"] = [_request(one, per_request.get(one.trace_id)) for one in accounts.in_order()]
    return whole


def _flagged(report: Report, flaw: int) -> int:
    kinds = {number for kind, number in report.accounts.kinds.items() if kind.flaws & flaw}
    return sum(kind in kinds for kind in report.accounts.kind_of) if kinds else 0


def _against(report: Report) -> dict[str, object] | None:
    if report.against is None:
        return None
    return {
        **against_values(report.against),
        "own_code": own_code_values(report.own_code_against),
        "depends": change_values(report),
    }


def _walls(report: Report) -> dict[str, int]:
    walls = sorted(report.totals.walls_ns)
    return {**{f"p{percent}": at_rank(walls, percent) for percent in (50, 90, 95, 99)}, "max": max(walls, default=0)}


def _sampling(report: Report) -> dict[str, object]:
    seen, traffic = report.totals.requests, report.traffic
    if isinstance(traffic, Unknown):
        return {"seen": seen, "total": None, "by_route": []}
    routes = [{"route": one.of, "seen": one.seen, "total": one.total} for one in by_route(traffic, report.accounts)]
    return {"seen": seen - traffic.beside, "total": traffic.total, "by_route": routes}


def _window(accounts: Accounts) -> dict[str, str | None]:
    if not accounts:
        return {"from": None, "to": None}
    ends = map(add, accounts.starts_ns, accounts.walls_ns)
    return {"from": _time(min(accounts.starts_ns)), "to": _time(max(ends))}


def _time(ns: int) -> str:
    try:
        return (EPOCH + timedelta(microseconds=ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:  # the time is beyond Python's last year, 9999
        return f"{ns} ns"


def _buckets(report: Report) -> list[dict[str, object]]:
    compared = {one.part: one for one in report.cohorts.parts}
    return [_bucket(part, one, compared.get(part), report) for part, one in report.totals.largest_first()]


def _bucket(part: Part, one: PartTally, compared: Compared | None, report: Report) -> dict[str, object]:
    difference = compared.difference_ns if compared is not None else 0
    each = [0] * (report.totals.requests - one.requests) + sorted(one.each_ns)  # requests without the part waited 0 ns
    total_ns = one.total_ns
    return {
        "bucket": part.bucket,
        "name": part.name,
        "owner": part.owner,
        "total_ns": total_ns,
        "share": _share(total_ns, report.totals.wall_ns),
        "typical_mean_ns": compared.typical_ns if compared is not None else 0,
        "slow_mean_ns": compared.slow_ns if compared is not None else 0,
        "difference_ns": difference,
        "difference_share": _share(difference, report.cohorts.difference_ns),
        "largest_in_slow": compared.largest_in_slow if compared is not None else 0,
        "p50_ns": at_rank(each, 50),
        "p95_ns": at_rank(each, 95),
        "requests": one.requests,
        "calls": one.calls.calls,
        "errors": one.calls.errors,
        "throttles": one.calls.throttles,
        "retries": one.calls.retries,
    }


def _verdict(report: Report) -> dict[str, object]:
    found = report.verdict
    against = found.against
    return {
        "kind": found.kind,
        "bucket": found.part.bucket if found.part is not None else None,
        "name": found.part.name if found.part is not None else None,
        "owner": found.part.owner if found.part is not None else None,
        **ground_values(found.part, report),
        "confidence": found.confidence,
        "candidates": [
            {
                "bucket": one.part.bucket,
                "name": one.part.name,
                "owner": one.part.owner,
                "difference_ns": one.difference_ns,
            }
            for one in report.cohorts.parts[:MOST_CANDIDATES]
            if one.difference_ns > 0
        ],
        "suspects": [cause_values(one, asserted=False) for one in found.suspects],
        "sentence": flat(sentence(report, PLAIN)),
        "evidence": flat(evidence(report, PLAIN)),
        "cautions": [one.replace("\u202f", " ") for one in cautions(report, PLAIN)],
        "trace_id": found.proof.account.trace_id if found.proof is not None else None,
        "example": finding_values(next(iter(report.diagnoses.values()), None)),
        "against": None
        if against is None
        else {"trace_id": against.account.trace_id, "bucket": against.part.bucket, "name": against.part.name},
    }


def _saving(one: Saving) -> dict[str, object]:
    return {
        "bucket": one.part.bucket,
        "name": one.part.name,
        "owner": one.part.owner,
        "saves_ns": one.saves_ns,
        "p95_ns": one.p95_ns,
        "best_p95_ns": one.best_p95_ns,
        "requests": one.requests,
        "sentence": f"{flat(saving_pieces(one, PLAIN))}.",
    }


def _timeout(one: Timeout, report: Report) -> dict[str, object]:
    return {
        "own_code": own_code_values(own_code_in(report.traces[one.trace_id], report.owners)),
        "trace_id": one.trace_id,
        "limit_ns": one.limit_ns,
        "running": one.running,
        "elapsed_ns": one.elapsed_ns,
        "frames": _frames(one.frames),
        "threads": [{"name": thread.name, "frames": _frames(thread.frames)} for thread in one.threads],
    }


def _frames(frames: Collection[Frame]) -> list[dict[str, object]]:
    return [
        {"file": frame.file, "line": frame.line, "function": frame.function, "text": frame.text, "own": frame.own}
        for frame in frames
    ]


def _problems(problems: Collection[Problem]) -> list[dict[str, object]]:
    """One row per source and reason, with the number of cases."""
    rows: dict[tuple[str, str, str], list[int | None]] = {}
    for one in problems:
        rows.setdefault((one.source, one.reason, one.effect), []).append(one.line)
    return [
        {"source": source, "line": at[0], "reason": reason, "count": len(at), "effect": effect}
        for (source, reason, effect), at in rows.items()
    ]


def _request(one: Account, trace: Trace | None) -> dict[str, object]:
    path = critical_path(trace).sections if trace is not None else ()
    return {
        "trace_id": one.trace_id,
        "route": one.route,
        "status": one.status_code,
        "start_ns": one.start_ns,
        "wall_ns": one.wall_ns,
        "cold_start": one.cold_start,
        "error": one.error,
        "timeout": one.timed_out,
        "buckets": [{"bucket": part.bucket, "name": part.name, "ns": ns} for part, ns in one.parts],
        "path": [
            {"span_id": at.span.span_id, "name": at.span.name, "start_ns": at.start_ns, "end_ns": at.end_ns}
            for at in path
        ],
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
