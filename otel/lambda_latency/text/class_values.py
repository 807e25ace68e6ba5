"""The classes of slow requests as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.classes import beside, class_sentence, instant_of, per_day
from lambda_latency.text.findings import cell_steps
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style

if TYPE_CHECKING:
    from lambda_latency.latency import Cell, Class, Diagnosis, Part, Report

__all__ = ["cell_values", "class_values", "finding_values", "ground_values", "stretch_values"]

PLAIN = Style()


def class_values(report: Report) -> dict[str, object]:
    """`classes`, the largest share of the excess first, and `beside`: the slow requests that they do not explain."""
    found = report.classes
    return {
        "classes": [_class(one, report) for one in found.found],
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
        "attempts": {"calls": attempts.calls, "failed": list(attempts.failed)} if attempts is not None else None,
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


def _class(one: Class, report: Report) -> dict[str, object]:
    return {
        **cell_values(one.cell),
        **ground_values(one.cell.part, report),
        "requests": len(one.members),
        "per_day": per_day(one, report),
        "share": round(one.share, 6),
        "excess_ns": one.excess_ns,
        "excess_call_ns": one.excess_call_ns,
        "gain_ns": one.gain_ns,
        "confidence": one.confidence,
        "known": None if report.baseline is None else one.cell in report.usual,
        "stretch": stretch_values(one.stretch),
        "routes": list(one.routes),
        "trace_id": report.accounts.trace_id(one.example),
        "calls": {"usual": one.calls[0], "now": one.calls[1]},
        "example": finding_values(report.diagnoses.get(one.cell)),
        "next": " ".join(cell_steps(one.cell, report, calls=one.makes_more_calls)),
        "sentence": flat(class_sentence(one, report, PLAIN)),
    }
