"""The classes of slow requests as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.classes import beside, class_sentence, instant_of, per_day
from lambda_latency.text.console_queries import spans_query, xray_filter
from lambda_latency.text.depends import change_depends, depends_sentence, since_sentence
from lambda_latency.text.findings import cell_steps
from lambda_latency.text.own_code import own_code_values
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import By, Cell, Class, Diagnosis, Finding, Part, Report, Since, Value

PLAIN = Style()


def class_values(report: Report) -> dict[str, object]:
    """`classes`, the largest share of the excess first, and `beside`: the slow requests that they do not explain."""
    found = report.classes
    return {
        "classes": [_class(one, at, report) for at, one in enumerate(found.found)],
        "depends": _depends(report),
        "by": _by(report.by) if report.by is not None else None,
        "beside": {
            "slow": len(found.slow),
            "few": [{**cell_values(one.cell), "requests": len(one.members)} for one in found.few],
            "others": {"classes": found.others[0], "requests": found.others[1]},
            "mixed": len(found.mixed),
            "disturbed": len(found.alike),
            "routes": list(found.slowness.judged),
            "left_out": list(found.slowness.left_out),
            "whole_routes": [
                {
                    "route": one.route,
                    "requests": one.requests,
                    "p50_ns": one.typical_ns,
                    "cell": cell_values(one.cell) if one.cell is not None else None,
                    "cell_p50_ns": one.cell_ns,
                }
                for one in found.slowness.whole
            ],
            "sentences": [one.replace("\u202f", " ") for one in beside(report, PLAIN)],
        },
    }


def cell_values(cell: Cell) -> dict[str, object]:
    """A cell: who waits, and for what."""
    part = cell.part
    return {
        "caller": cell.caller,
        "bucket": part.bucket,
        "name": part.name,
        "owner": part.owner,
        "label": cell.label,
    }


def ground_values(part: Part | None, report: Report) -> dict[str, object]:
    """The evidence for the owner of a part, and the options that settle an unknown one."""
    if part is None:
        return {"owner_evidence": None, "owner_options": None}
    told = report.owners.ground(part).evidence
    return {"owner_evidence": told, "owner_options": report.owners.settling(part) or None}


def finding_values(one: Diagnosis | None) -> dict[str, object] | None:
    """What the example of a class shows; null if its spans were not read."""
    if one is None:
        return None
    attempts, log = one.attempts, one.log
    return {
        "trace_id": one.trace_id,
        "place": one.place,
        "span": one.span or None,
        "span_ns": one.span_ns,
        "pool": one.waits_for_a_pool,
        "beside": {"span": one.beside[0], "ns": one.beside[1]} if one.beside is not None else None,
        "attempts": {
            "calls": attempts.calls,
            "failed": list(attempts.failed),
            "callee": attempts.callee or None,
        }
        if attempts is not None
        else None,
        "client_timeout": {"error": one.gave_up, "ns": one.gave_up_ns} if one.gave_up else None,
        "log": None
        if log is None
        else {
            "group": log.group,
            "request_id": log.request_id or None,
            "region": log.region or None,
            "query": log.query,
            "link": log.link or None,
        },
    }


def stretch_values(stretch: tuple[int, int] | None) -> dict[str, str] | None:
    """The interval of a stretch, ISO 8601."""
    return {"from": instant_of(stretch[0]), "to": instant_of(stretch[1])} if stretch is not None else None


def _class(one: Class, at: int, report: Report) -> dict[str, object]:
    return {
        **cell_values(one.cell),
        **ground_values(one.cell.part, report),
        "callers": list(one.callers),
        "requests": len(one.members),
        "per_day": per_day(one, report),
        "share": round(one.share, 6),
        "excess_ns": one.excess_ns,
        "excess_call_ns": one.excess_call_ns,
        "gain_ns": one.gain_ns,
        "confidence": one.confidence,
        "known": None if report.baseline is None else one.cell.of_all in report.usual,
        "stretch": stretch_values(one.stretch),
        "routes": list(one.routes),
        "trace_id": report.accounts.trace_id(one.example),
        "calls": {"usual": one.calls[0], "now": one.calls[1]},
        "example": finding_values(report.diagnoses.get(one.cell)),
        "depends": [_finding(each) for each in report.depends.of_class(at)],
        "since": _since(report.depends.since_of(at)),
        "own_code": own_code_values(report.own_code.get(one.cell)),
        "next": " ".join(cell_steps(one.cell, report, calls=one.makes_more_calls)),
        "sentence": flat(class_sentence(one, report, PLAIN)),
    }


def _finding(one: Finding, routes: Sequence[str] = ()) -> dict[str, object]:
    """A finding as JSON values."""
    return {
        "values": [_value(value) for value in one.values],
        "slow": {"requests": one.slow[0], "of": one.slow[1]},
        "others": {"requests": one.others[0], "of": one.others[1]},
        "same": [_value(value) for value in one.same],
        "xray_filter": xray_filter(one.values),
        "spans_query": spans_query(one.values),
        "sentence": flat(depends_sentence(one, PLAIN, routes)),
    }


def change_values(report: Report) -> list[dict[str, object]]:
    """The findings about the requests that changed since the baseline."""
    return [
        {
            "cell": cell_values(one.cell) if one.cell is not None else None,
            "callee": one.callee or None,
            "lacks": one.lacks,
            **_finding(one.finding),
            "sentence": flat(change_depends(one, PLAIN)),
        }
        for one in report.depends.of_changes
    ]


def _since(one: Since | None) -> dict[str, object] | None:
    """Since when, as JSON values."""
    if one is None:
        return None
    return {
        "kind": one.kind,
        "from": instant_of(one.start_ns),
        "to": instant_of(one.end_ns) if one.end_ns is not None else None,
        "routes": list(one.routes),
        "before_ns": one.before_ns or None,
        "after_ns": one.after_ns,
        "cell": cell_values(one.cell) if one.cell is not None else None,
        "values": [_value(value) for value in one.values],
        "sentence": flat(since_sentence(one, PLAIN)),
    }


def _depends(report: Report) -> dict[str, object]:
    """`depends`: the findings about all slow requests of some routes, and how much was asked and read for it."""
    found = report.depends
    return {
        "found": [{"routes": list(one.routes), **_finding(one.finding, one.routes)} for one in found.of_routes],
        "since": [_since(one) for one in found.since_routes],
        "asked": found.asked,
        "read": found.read,
    }


def _by(found: By) -> dict[str, object]:
    rows = [
        {
            "value": _value(one.value) if one.value is not None else None,
            "requests": one.requests,
            "p50_ns": one.p50_ns,
            "p95_ns": one.p95_ns,
            "slow": one.slow,
            "parts": [{"bucket": part.bucket, "name": part.name, "mean_ns": ns} for part, ns in one.parts],
        }
        for one in found.rows
    ]
    return {"attribute": found.attribute, "read": found.read, "others": found.others, "rows": rows}


def _value(value: Value) -> dict[str, object]:
    return {
        "service": value.service,
        "attribute": value.attribute,
        "value": value.text,
        "from": value.low,
        "below": value.high,
    }
