"""The comparison with a baseline as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import TRUST_PERCENT
from lambda_latency.text.against import against_sentence
from lambda_latency.text.class_values import cell_values, stretch_values
from lambda_latency.text.prose import flat
from lambda_latency.text.shapes import shape_values
from lambda_latency.text.style import Style

if TYPE_CHECKING:
    from lambda_latency.latency import Against, Cause, Change, Estimate, Fresh, Rate, RouteChange


def against_values(one: Against) -> dict[str, object]:
    """The comparison; `trust` is the probability that all intervals contain the true values."""
    return {
        "sources": list(one.sources),
        "answer": one.answer,
        "how": one.how or None,
        "stretch": stretch_values(one.stretch),
        "shapes": shape_values(one.shapes),
        "causes": [cause_values(cause, asserted=one.answer in ("slower", "shape")) for cause in one.causes],
        "sentence": flat(against_sentence(one, Style())),
        "trust": TRUST_PERCENT / 100,
        "requests": _pair(one.requests),
        "timeouts": _pair(one.timeouts),
        "rates": [_rate(rate) for rate in one.rates],
        "percentiles": [{"percent": percent, "then_ns": then, "now_ns": now} for percent, then, now in one.percentiles],
        "routes": list(one.routes),
        "left_out": list(one.left_out),
        "slower_percent": round(one.slower_percent, 3),
        "whole": _change(one.whole) if one.whole is not None else None,
        "by_route": [_route(change) for change in one.by_route],
        "buckets": [_bucket(change) for change in one.cells],
    }


def cause_values(cause: Cause, *, asserted: bool) -> dict[str, object]:
    """A cause as JSON values; `asserted`: the answer asserts causes that are sure."""
    return {
        "service": cause.service,
        "kind": cause.origin,
        "asserted": cause.asserted and asserted,
        "score_ns": round(cause.score_ns),
        "cell": cell_values(cause.cells[0]),
    }


def _route(one: RouteChange) -> dict[str, object]:
    return {
        "route": one.route,
        "p50_ns": list(one.p50_ns),
        "p95_ns": list(one.p95_ns),
        "how": one.how,
        "slower_percent": round(one.percent, 3),
        "low_percent": round(one.low, 3),
        "high_percent": round(one.high, 3),
        "sure": one.is_sure,
        "in_stretch": one.in_stretch,
        "doubled": one.is_doubled,
        "cell": cell_values(one.cell) if one.cell is not None else None,
        "cell_ns": one.cell_ns,
    }


def _rate(one: Rate) -> dict[str, object]:
    return {
        "of": one.of,
        "then": {"count": one.then[0], "requests": one.then[1]},
        "now": {"count": one.now[0], "requests": one.now[1]},
        "difference": round(one.difference, 6),
        "low": round(one.low, 6),
        "high": round(one.high, 6),
        "stands": one.stands,
    }


def _bucket(change: Change) -> dict[str, object]:
    assert change.cell is not None
    return {**cell_values(change.cell), **_change(change)}


def _change(change: Change) -> dict[str, object]:
    shown, tested = change.real, change.tested
    return {
        "change": tested.kind,
        "how": tested.how if tested.kind != "same" else None,
        "excess_call_ns": round(tested.excess_ns),
        "stretch": stretch_values(tested.stretch),
        "slow": _slow(tested.fresh) if tested.fresh is not None else None,
        "waited": _pair(change.waited),
        "typical": _estimate(change.typical, stands=shown is change.typical) if change.typical is not None else None,
        "mean": _estimate(change.mean, stands=shown is change.mean),
    }


def _slow(one: Fresh) -> dict[str, object]:
    both = [{"count": count, "requests": requests} for count, requests in zip(one.slow, one.requests, strict=True)]
    return {"then": both[0], "now": both[1], "excess_ns": one.excess_ns, "routes": list(one.routes)}


def _estimate(one: Estimate, *, stands: bool) -> dict[str, object]:
    return {
        "then_ns": one.before_ns,
        "now_ns": one.now_ns,
        "difference_ns": one.difference_ns,
        "low_ns": one.low_ns,
        "high_ns": one.high_ns,
        "stands": stands,
    }


def _pair(both: tuple[int, int]) -> dict[str, int]:
    return {"then": both[0], "now": both[1]}
