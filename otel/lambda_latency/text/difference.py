"""The comparison with a baseline as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import TRUST_PERCENT
from lambda_latency.text.against import against_sentence
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style

if TYPE_CHECKING:
    from lambda_latency.latency import Against, Change, Estimate, Rate

__all__ = ["against_values"]


def against_values(one: Against) -> dict[str, object]:
    """The comparison; `trust` is the probability that all intervals contain the true values."""
    return {
        "sources": list(one.sources),
        "kind": "few" if one.whole is None else "changed" if _is_changed(one) else "same",
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
        "buckets": [_bucket(change) for change in one.parts],
    }


def _is_changed(one: Against) -> bool:
    whole = one.whole is not None and one.whole.real is not None
    return bool(one.changed) or whole or any(rate.stands for rate in one.rates)


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
    part = change.part
    assert part is not None
    return {"bucket": part.bucket, "name": part.name, "owner": part.owner, **_change(change)}


def _change(change: Change) -> dict[str, object]:
    real = change.real
    return {
        "change": "same" if real is None else "slower" if real.difference_ns > 0 else "faster",
        "waited": _pair(change.waited),
        "typical": _estimate(change.typical, stands=change.by_typical) if change.typical is not None else None,
        "mean": _estimate(change.mean, stands=change.by_mean),
    }


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
