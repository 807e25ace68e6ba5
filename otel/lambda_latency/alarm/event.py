"""Reads a state change of an alarm, from an event of EventBridge or from CloudWatch's history.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Literal, TypeAlias

Measure: TypeAlias = Literal["latency", "errors", "other"]

SOURCE, DETAIL = "aws.cloudwatch", "CloudWatch Alarm State Change"
SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
USUAL_NS = 10 * 60 * SECOND_NS  # the window of an alarm without evaluated data points
LONGEST_NS = 60 * 60 * SECOND_NS  # a longer window is cut to its newest part
# Metrics of AWS's services: times in milliseconds unless listed, and counts of failures.
LATENCIES = ("Latency", "IntegrationLatency", "Duration", "ResponseTime", "TargetResponseTime", "UrlRequestLatency")
IN_SECONDS = ("ResponseTime", "TargetResponseTime")
FAILURES = ("Errors", "5XXError", "4XXError", "5xx", "4xx", "Throttles", "FaultRate", "ErrorRate", "Url5xxCount")


@dataclass(frozen=True, slots=True)
class Alarm:
    """One change of an alarm's state. Times are nanoseconds since 1970.

    `begin_ns` is the start of the evaluated window, `at_ns` the time of the change. `threshold_ns`: slower requests
    are slow; None if the alarm does not measure time. `identity` is equal for repeated deliveries of one change.
    """

    name: str
    region: str
    account: str
    state: str
    previous: str
    begin_ns: int
    at_ns: int
    reason: str = ""
    measure: Measure = "other"
    threshold_ns: int | None = None

    @property
    def rings(self) -> bool:
        """Whether the new state is ALARM."""
        return self.state == "ALARM"

    def slower_than(self, threshold_ns: int) -> Alarm:
        """A copy with another threshold (nanoseconds)."""
        return replace(self, threshold_ns=threshold_ns)

    @property
    def identity(self) -> str:
        """A key of the change: the alarm, the time and the state."""
        return f"{self.account}/{self.region}/{self.name}/{self.at_ns}/{self.state}"


def read_event(event: Mapping[str, Any]) -> Alarm:
    """The state change in an event of EventBridge. Raises ValueError for any other event."""
    if event.get("source") != SOURCE or event.get("detail-type") != DETAIL:
        told = f"{event.get('source')!r}, {event.get('detail-type')!r}"
        raise ValueError(f"not the change of an alarm: source and detail-type are {told:.120}")
    detail = event.get("detail")
    if not isinstance(detail, Mapping) or not isinstance(detail.get("alarmName"), str):
        raise ValueError("not the change of an alarm: detail.alarmName is missing")
    region, account = str(event.get("region") or ""), str(event.get("account") or "")
    return read_change(detail, region, account, str(event.get("time") or ""))


def read_change(detail: Mapping[str, Any], region: str, account: str, time: str = "") -> Alarm:
    """The change of a `detail` with `alarmName`, `configuration`, `state` and `previousState`.

    `time` replaces the missing timestamp of a state. Raises ValueError if both are missing.
    """
    state, previous = _mapping(detail.get("state")), _mapping(detail.get("previousState"))
    at_ns = _instant(state.get("timestamp")) or _instant(time)
    if at_ns is None:
        raise ValueError(f"the change of {detail.get('alarmName')!r:.80} has no time")
    told = _data(state.get("reasonData"))
    measure, unit_ns = _measured(_mapping(detail.get("configuration")))
    threshold = told.get("threshold")
    slow_ns = round(threshold * unit_ns) if isinstance(threshold, int | float) and 0 < threshold < 10**12 else None
    return Alarm(
        name=str(detail.get("alarmName")),
        region=region,
        account=account,
        state=str(state.get("value") or ""),
        previous=str(previous.get("value") or ""),
        begin_ns=_begin(told, at_ns),
        at_ns=at_ns,
        reason=str(state.get("reason") or ""),
        measure=measure,
        threshold_ns=slow_ns if measure == "latency" else None,
    )


def _begin(told: Mapping[str, Any], at_ns: int) -> int:
    """The time of the first evaluated data point; for a composite alarm, of the first triggering alarm."""
    points = [told.get("startDate")]
    points += [_mapping(one).get("timestamp") for one in _list(told.get("evaluatedDatapoints"))]
    points += [_mapping(_mapping(one).get("state")).get("timestamp") for one in _list(told.get("triggeringAlarms"))]
    instants = [one for one in map(_instant, points) if one is not None and one < at_ns]
    if not instants:
        return at_ns - USUAL_NS
    begin = min(instants)
    if "triggeringAlarms" in told:
        begin -= USUAL_NS
    return max(begin, at_ns - LONGEST_NS)


def _measured(configuration: Mapping[str, Any]) -> tuple[Measure, int]:
    """The kind of the alarm's metrics, and the nanoseconds of their unit."""
    names = []
    for one in _list(configuration.get("metrics")):
        name = _mapping(_mapping(_mapping(one).get("metricStat")).get("metric")).get("name")
        names.append(str(name or _mapping(_mapping(_mapping(one).get("metricStat")).get("metric")).get("metricName")))
    for name in names:
        if name in LATENCIES:
            return "latency", SECOND_NS if name in IN_SECONDS else MILLISECOND_NS
    return ("errors" if any(name in FAILURES for name in names) else "other"), MILLISECOND_NS


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _data(text: object) -> Mapping[str, Any]:
    """The reason data, decoded from JSON; empty if invalid."""
    if not isinstance(text, str):
        return {}
    try:
        return _mapping(json.loads(text))
    except ValueError:
        return {}


def _instant(text: object) -> int | None:
    """`2019-10-02T17:04:40.989+0000` or `...Z` in nanoseconds since 1970; None for anything else."""
    if not isinstance(text, str):
        return None
    plain = text.strip().replace("Z", "+00:00")
    if plain[-5:-4] in ("+", "-"):  # before 3.11 `fromisoformat` requires a colon in the zone
        plain = f"{plain[:-2]}:{plain[-2:]}"
    if "." in plain:  # and fractions of three or six digits
        whole, _, rest = plain.partition(".")
        fraction = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        plain = f"{whole}.{fraction[:6]:0<6}{rest[len(fraction) :]}"
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    since = found - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1000
