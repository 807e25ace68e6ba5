"""An alarm on the requests of this machine: judges them period by period, as CloudWatch judges a metric.

The state changes are events in the form of EventBridge, so that the deployed function's code answers them.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from lambda_latency.alarm.event import DETAIL, SOURCE

__all__ = ["PERIOD_NS", "Watch"]

PERIOD_NS = 10 * 1_000_000_000
PERCENT = 95


class Watch:
    """The state of an alarm on the p95 of the requests' durations. Times are nanoseconds.

    A period begins with the first request after the last one. A time without requests changes nothing.
    """

    def __init__(self, name: str, slow_ns: int) -> None:
        self._name, self._slow_ns = name, slow_ns
        self._state = "OK"
        self._begin_ns = self._first_ns = 0  # of the period: its first request's begin and end
        self._durations: list[int] = []

    def add(self, at_ns: int, duration_ns: int) -> None:
        """Counts a request that ended at `at_ns`."""
        if not self._durations:
            self._begin_ns, self._first_ns = at_ns - duration_ns, at_ns
        self._durations.append(duration_ns)

    def judge(self, now_ns: int) -> dict[str, Any] | None:
        """The event of a state change, if a period has ended and changed the state."""
        if not self._durations or now_ns < self._first_ns + PERIOD_NS:
            return None
        ordered, self._durations = sorted(self._durations), []
        p95_ns = ordered[-(-len(ordered) * PERCENT // 100) - 1]
        state, before = "ALARM" if p95_ns > self._slow_ns else "OK", self._state
        if state == before:
            return None
        self._state = state
        slow_ms, p95_ms = self._slow_ns / 1e6, p95_ns / 1e6
        how = "over" if state == "ALARM" else "not over"
        reason = f"The p95 of {len(ordered):,} requests was {p95_ms:,.0f} ms, {how} the threshold ({slow_ms:,.0f} ms)."
        data = {"startDate": _iso(self._begin_ns), "statistic": "p95", "period": 10, "threshold": slow_ms}
        stat = {"metric": {"namespace": "lambda-latency", "name": "Latency", "dimensions": {}}, "stat": "p95"}
        return {
            "source": SOURCE,
            "detail-type": DETAIL,
            "time": _iso(now_ns),
            "detail": {
                "alarmName": self._name,
                "configuration": {"metrics": [{"id": "p95", "metricStat": stat}]},
                "previousState": {"value": before},
                "state": {
                    "value": state,
                    "reason": reason,
                    "reasonData": json.dumps(data),
                    "timestamp": _iso(now_ns),
                },
            },
        }


def _iso(ns: int) -> str:
    whole, rest = divmod(ns, 1_000_000_000)
    return datetime.fromtimestamp(whole, timezone.utc).replace(microsecond=rest // 1000).isoformat()
