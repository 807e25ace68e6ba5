"""The classes of slow requests, and the comparison with a baseline, as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lambda_latency.latency import (
    TRUST_PERCENT,
    Association,
    By,
    CauseGroup,
    Component,
    Diagnosis,
    Edge,
    Report,
    Since,
    Value,
    instant_of,
)
from lambda_latency.text.against import against_sentence
from lambda_latency.text.call_graph import call_graph_values
from lambda_latency.text.cause_groups import group_sentence, group_steps, per_day, unclassified
from lambda_latency.text.correlation import (
    change_correlation,
    correlation_sentence,
    since_sentence,
    spans_query,
    xray_filter,
)
from lambda_latency.text.findings import own_code_values
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style

if TYPE_CHECKING:
    from lambda_latency.latency import Against, Cause, ChangeEstimate, Decision, EdgeChange, NewGroup, Rate, RouteChange

PLAIN = Style()


def group_values(report: Report) -> dict[str, object]:
    """Return `classes`, the largest share of the excess first, and `beside`: slow requests that they do not explain."""
    classes = report.groups
    return {
        "classes": [_group(group, index, report) for index, group in enumerate(classes.groups)],
        "depends": _correlations(report),
        "by": _by(report.by) if report.by is not None else None,
        "beside": {
            "slow": len(classes.slow),
            "few": [{**edge_values(small.edge), "requests": len(small.members)} for small in classes.small],
            "others": {"classes": classes.uncounted[0], "requests": classes.uncounted[1]},
            "mixed": len(classes.mixed),
            "outlying": len(classes.slowness.outlying),
            "disturbed": len(classes.alike),
            "routes": list(classes.slowness.comparable),
            "left_out": list(classes.slowness.left_out),
            "whole_routes": [
                {
                    "route": whole.route,
                    "requests": whole.requests,
                    "p50_ns": whole.typical_ns,
                    "cell": edge_values(whole.edge) if whole.edge is not None else None,
                    "cell_p50_ns": whole.edge_ns,
                }
                for whole in classes.slowness.whole
            ],
            "sentences": [sentence.replace("\u202f", " ") for sentence in unclassified(report, PLAIN)],
        },
    }


def edge_values(edge: Edge) -> dict[str, object]:
    """Return a cell as JSON values: who waits, and for what."""
    return {"caller": edge.caller, **component_values(edge.component), "label": edge.label}


def component_values(component: Component | None) -> dict[str, object]:
    """Return a part as JSON values; nulls if there is none."""
    if component is None:
        return {"bucket": None, "name": None, "owner": None}
    return {"bucket": component.category, "name": component.name, "owner": component.owner}


def evidence_values(component: Component | None, report: Report) -> dict[str, object]:
    """Return the evidence for the owner of a part, and the options that settle an unknown one."""
    if component is None:
        return {"owner_evidence": None, "owner_options": None}
    evidence = report.owners.ownership(component).evidence
    return {"owner_evidence": evidence, "owner_options": report.owners.settling(component) or None}


def finding_values(diagnosis: Diagnosis | None) -> dict[str, object] | None:
    """Return what the example of a class shows, as JSON values; None if its spans were not read."""
    if diagnosis is None:
        return None
    concurrent = diagnosis.concurrent
    return {
        "trace_id": diagnosis.trace_id,
        "place": diagnosis.place,
        "span": diagnosis.span or None,
        "span_ns": diagnosis.span_ns,
        "pool": diagnosis.waits_for_a_pool,
        "connects": diagnosis.connects or None,
        "beside": concurrent._asdict() if concurrent is not None else None,
        "cold_start": dict(zip(("service", "ns"), diagnosis.cold_start, strict=True)) if diagnosis.cold_start else None,
        "slow_call": diagnosis.slow_call._asdict() if diagnosis.slow_call is not None else None,
        "line": diagnosis.line or None,
        "attempts": _attempts(diagnosis),
        "client_timeout": {"error": diagnosis.gave_up, "ns": diagnosis.gave_up_ns} if diagnosis.gave_up else None,
        "log": _log(diagnosis),
    }


def _attempts(diagnosis: Diagnosis) -> dict[str, object] | None:
    attempts = diagnosis.attempts
    if attempts is None:
        return None
    return {"calls": attempts.calls, "failed": list(attempts.failed), "callee": attempts.callee or None}


def _log(diagnosis: Diagnosis) -> dict[str, object] | None:
    log = diagnosis.log
    if log is None:
        return None
    return {
        "group": log.group,
        "request_id": log.request_id or None,
        "region": log.region or None,
        "query": log.query,
        "link": log.link or None,
    }


def window_values(window: tuple[int, int] | None) -> dict[str, str] | None:
    """Return a window of time, ISO 8601."""
    return {"from": instant_of(window[0]), "to": instant_of(window[1])} if window is not None else None


def _group(group: CauseGroup, index: int, report: Report) -> dict[str, object]:
    edge, depends = group.edge, report.correlations
    return {
        **edge_values(edge),
        **evidence_values(edge.component, report),
        "with": [{**edge_values(waited), "excess_ns": ns} for waited, ns in group.edges[1:]],
        "callers": list(group.callers),
        "requests": len(group.members),
        "per_day": per_day(group, report),
        "share": round(group.share, 6),
        "excess_ns": group.excess_ns,
        "excess_call_ns": group.excess_call_ns,
        "gain_ns": group.gain_ns,
        "confidence": group.confidence,
        "known": None if report.baseline is None else edge.merged in report.edges_in_baseline,
        "baseline": None
        if report.against is None or report.baseline is None
        else report.against.decision.standing(edge, report.edges_in_baseline),
        "stretch": window_values(group.window),
        "routes": list(group.routes),
        "trace_id": report.breakdowns.trace_id(group.example),
        "calls": {"usual": group.calls[0], "now": group.calls[1]},
        "example": finding_values(report.diagnoses.get(edge)),
        "depends": [_finding(finding) for finding in depends.of_group(index)],
        "since": _since(depends.since_of(index)),
        "own_code": own_code_values(report.own_code.get(edge)),
        "of_other_kind": group.of_other_kind,
        "next": " ".join(group_steps(group, report)),
        "sentence": flat(group_sentence(group, report, PLAIN)),
    }


def _finding(finding: Association, routes: Sequence[str] = ()) -> dict[str, object]:
    return {
        "values": [_value(value) for value in finding.values],
        "slow": {"requests": finding.slow[0], "of": finding.slow[1]},
        "others": {"requests": finding.controls[0], "of": finding.controls[1]},
        "same": [_value(value) for value in finding.equivalent],
        "xray_filter": xray_filter(finding.values),
        "spans_query": spans_query(finding.values),
        "sentence": flat(correlation_sentence(finding, PLAIN, routes)),
    }


def change_values(report: Report) -> list[dict[str, object]]:
    """Return the findings about the requests that changed since the baseline."""
    return [
        {
            "cell": edge_values(change.edge) if change.edge is not None else None,
            "callee": change.callee or None,
            "lacks": change.lacks,
            **_finding(change.finding),
            "sentence": flat(change_correlation(change, PLAIN)),
        }
        for change in report.correlations.of_changes
    ]


def _since(since: Since | None) -> dict[str, object] | None:
    if since is None:
        return None
    return {
        "kind": since.kind,
        "from": instant_of(since.start_ns),
        "to": instant_of(since.end_ns) if since.end_ns is not None else None,
        "routes": list(since.routes),
        "before_ns": since.before_ns or None,
        "after_ns": since.after_ns,
        "cell": edge_values(since.edge) if since.edge is not None else None,
        "values": [_value(value) for value in since.values],
        "sentence": flat(since_sentence(since, PLAIN)),
    }


def _correlations(report: Report) -> dict[str, object]:
    """Return the findings about all slow requests of some routes, and how many values and requests were tried."""
    depends = report.correlations
    return {
        "found": [{"routes": list(of.routes), **_finding(of.finding, of.routes)} for of in depends.of_routes],
        "since": [_since(since) for since in depends.since_routes],
        "asked": depends.tested,
        "read": depends.read,
    }


def _by(by: By) -> dict[str, object]:
    rows = [
        {
            "value": _value(row.value) if row.value is not None else None,
            "requests": row.requests,
            "p50_ns": row.p50_ns,
            "p95_ns": row.p95_ns,
            "slow": row.slow,
            "parts": [
                {"bucket": component.category, "name": component.name, "mean_ns": ns}
                for component, ns in row.components
            ],
        }
        for row in by.rows
    ]
    return {"attribute": by.attribute, "read": by.read, "others": by.further, "rows": rows}


def _value(value: Value) -> dict[str, object]:
    return {
        "service": value.service,
        "attribute": value.attribute,
        "value": value.text,
        "from": value.low,
        "below": value.high,
    }


def against_values(diff: Against) -> dict[str, object]:
    """Return the comparison as JSON values; `trust` is the probability that all intervals contain the true values."""
    asserted = diff.answer in ("slower", "shape")
    return {
        "sources": list(diff.sources),
        "answer": diff.answer,
        "decision": decision_values(diff.decision),
        "how": diff.how or None,
        "stretch": window_values(diff.decision.window),
        "shapes": call_graph_values(diff.call_graphs),
        "causes": [cause_values(cause, asserted=asserted) for cause in diff.causes],
        "sentence": flat(against_sentence(diff, PLAIN)),
        "trust": TRUST_PERCENT / 100,
        "requests": _pair(diff.requests),
        "timeouts": _pair(diff.timeouts),
        "rates": [_rate(rate) for rate in diff.rates],
        "percentiles": [{"percent": rank, "then_ns": old, "now_ns": new} for rank, old, new in diff.percentiles],
        "routes": list(diff.routes),
        "left_out": list(diff.left_out),
        "slower_percent": diff.decision.slowdown.percent,
        "whole": _change(diff.whole) if diff.whole is not None else None,
        "by_route": [_route(change) for change in diff.by_route],
        "buckets": [{**edge_values(change.edge), **_change(change)} for change in diff.edges if change.edge],
    }


def decision_values(decision: Decision) -> dict[str, object]:
    """Return the decision of a comparison as JSON values."""
    slowdown, edge = decision.slowdown, decision.edge
    return {
        "answer": decision.answer,
        "sure": decision.is_sure,
        "measure": slowdown.measure,
        "percent": slowdown.percent,
        "how": slowdown.how,
        "routes": list(slowdown.routes),
        "cell": edge_values(edge) if edge is not None else None,
        "cause": decision.is_cause,
        "requests": _slow(decision.group) if decision.group is not None else None,
        "stretch": window_values(decision.window),
    }


def cause_values(cause: Cause, *, asserted: bool) -> dict[str, object]:
    """Return a cause as JSON values; `asserted`: the answer asserts causes that are sure."""
    return {
        "service": cause.service,
        "kind": cause.origin,
        "asserted": cause.asserted and asserted,
        "score_ns": round(cause.score_ns),
        "cell": edge_values(cause.edges[0]),
    }


def _route(change: RouteChange) -> dict[str, object]:
    return {
        "route": change.route,
        "p50_ns": list(change.p50_ns),
        "p95_ns": list(change.p95_ns),
        "how": change.how,
        "slower_percent": change.percent,
        "low_percent": round(change.low, 3),
        "high_percent": round(change.high, 3),
        "sure": change.is_sure,
        "in_stretch": change.in_window,
        "doubled": change.is_doubled,
        "cell": edge_values(change.edge) if change.edge is not None else None,
        "cell_ns": change.edge_ns,
    }


def _rate(rate: Rate) -> dict[str, object]:
    return {
        "of": rate.name,
        "then": {"count": rate.old[0], "requests": rate.old[1]},
        "now": {"count": rate.new[0], "requests": rate.new[1]},
        "difference": round(rate.difference, 6),
        "low": round(rate.low, 6),
        "high": round(rate.high, 6),
        "stands": rate.stands,
    }


def _change(change: EdgeChange) -> dict[str, object]:
    shown, tested = change.difference, change.tested
    return {
        "change": tested.kind,
        "how": tested.how if tested.kind != "same" else None,
        "excess_call_ns": round(tested.excess_ns),
        "stretch": window_values(tested.window),
        "slow": _slow(tested.new_group) if tested.new_group is not None and not change.by_typical else None,
        "waited": _pair(change.waited),
        "typical": _estimate(change.typical, stands=shown is change.typical) if change.typical is not None else None,
        "mean": _estimate(change.mean, stands=shown is change.mean),
    }


def _slow(fresh: NewGroup) -> dict[str, object]:
    both = [{"count": count, "requests": requests} for count, requests in zip(fresh.slow, fresh.requests, strict=True)]
    return {"then": both[0], "now": both[1], "excess_ns": fresh.excess_ns, "routes": list(fresh.routes)}


def _estimate(estimate: ChangeEstimate, *, stands: bool) -> dict[str, object]:
    return {
        "then_ns": estimate.before_ns,
        "now_ns": estimate.now_ns,
        "difference_ns": estimate.difference_ns,
        "low_ns": estimate.low_ns,
        "high_ns": estimate.high_ns,
        "stands": stands,
    }


def _pair(both: tuple[int, int]) -> dict[str, int]:
    return {"then": both[0], "now": both[1]}
