"""Reads a state change of an alarm, from an event of EventBridge or from CloudWatch's history.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, TypeAlias

from lambda_latency.fetch import NothingFoundError, answers
from lambda_latency.spelling import did_you_mean

Measure: TypeAlias = Literal["latency", "errors", "other"]

SOURCE, DETAIL = "aws.cloudwatch", "CloudWatch Alarm State Change"
TYPES = ["MetricAlarm", "CompositeAlarm"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
USUAL_NS = 10 * 60 * SECOND_NS  # without evaluated data points
LONGEST_NS = 60 * 60 * SECOND_NS  # the newest part counts
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

    @property
    def identity(self) -> str:
        """A key of the change: the alarm, the time and the state."""
        return f"{self.account}/{self.region}/{self.name}/{self.at_ns}/{self.state}"


def read_event(event: Mapping[str, Any]) -> Alarm:
    """Return the state change in an event of EventBridge. Raises ValueError for any other event."""
    if event.get("source") != SOURCE or event.get("detail-type") != DETAIL:
        kind = f"{event.get('source')!r}, {event.get('detail-type')!r}"
        raise ValueError(f"not the change of an alarm: source and detail-type are {kind:.120}")
    detail = event.get("detail")
    if not isinstance(detail, Mapping) or not isinstance(detail.get("alarmName"), str):
        raise ValueError("not the change of an alarm: detail.alarmName is missing")
    region, account = str(event.get("region") or ""), str(event.get("account") or "")
    return read_change(detail, region, account, str(event.get("time") or ""))


def read_change(detail: Mapping[str, Any], region: str, account: str, time: str = "") -> Alarm:
    """Return the change of a `detail` with `alarmName`, `configuration`, `state` and `previousState`.

    `time` replaces the missing timestamp of a state. Raises ValueError if both are missing.
    """
    state, previous = _mapping(detail.get("state")), _mapping(detail.get("previousState"))
    at_ns = _instant(state.get("timestamp")) or _instant(time)
    if at_ns is None:
        raise ValueError(f"the change of {detail.get('alarmName')!r:.80} has no time")
    reason = _data(state.get("reasonData"))
    measure, unit_ns = _measured(_mapping(detail.get("configuration")))
    threshold = reason.get("threshold")
    slow_ns = round(threshold * unit_ns) if isinstance(threshold, int | float) and 0 < threshold < 10**12 else None
    return Alarm(
        name=str(detail.get("alarmName")),
        region=region,
        account=account,
        state=str(state.get("value") or ""),
        previous=str(previous.get("value") or ""),
        begin_ns=_begin(reason, at_ns),
        at_ns=at_ns,
        reason=str(state.get("reason") or ""),
        measure=measure,
        threshold_ns=slow_ns if measure == "latency" else None,
    )


def _begin(reason: Mapping[str, Any], at_ns: int) -> int:
    """Return the time of the first evaluated data point; for a composite alarm, of the first triggering alarm."""
    alarms = map(_mapping, _list(reason.get("triggeringAlarms")))
    points = [reason.get("startDate")]
    points += [_mapping(point).get("timestamp") for point in _list(reason.get("evaluatedDatapoints"))]
    points += [_mapping(alarm.get("state")).get("timestamp") for alarm in alarms]
    instants = [ns for ns in map(_instant, points) if ns is not None and ns < at_ns]
    if not instants:
        return at_ns - USUAL_NS
    begin = min(instants)
    if "triggeringAlarms" in reason:
        begin -= USUAL_NS
    return max(begin, at_ns - LONGEST_NS)


def _measured(configuration: Mapping[str, Any]) -> tuple[Measure, int]:
    """Return the kind of the alarm's metrics, and the nanoseconds of their unit."""
    names = []
    for query in map(_mapping, _list(configuration.get("metrics"))):
        metric = _mapping(_mapping(query.get("metricStat")).get("metric"))
        names.append(str(metric.get("name") or metric.get("metricName")))
    for name in names:
        if name in LATENCIES:
            return "latency", SECOND_NS if name in IN_SECONDS else MILLISECOND_NS
    return ("errors" if any(name in FAILURES for name in names) else "other"), MILLISECOND_NS


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _data(text: object) -> Mapping[str, Any]:
    """Return an object from JSON; empty if the text has none."""
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
    if plain[-5:-4] in ("+", "-"):  # Python 3.10 requires a colon in the zone
        plain = f"{plain[:-2]}:{plain[-2:]}"
    if "." in plain:  # and fractions of three or six digits
        whole, _, decimals = plain.partition(".")
        zone = decimals.lstrip("0123456789")
        fraction = decimals[: len(decimals) - len(zone)]
        plain = f"{whole}.{fraction[:6]:0<6}{zone}"
    try:
        time = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return ns_of(time) if time.tzinfo is not None else None


def ns_of(time: datetime) -> int:
    """Return a time in nanoseconds since 1970."""
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1000


def last_ring(cloudwatch: Any, name: str, region: str, at_ns: int | None = None) -> Alarm:
    """Return the last change of an alarm to the state ALARM, at or before `at_ns` (since 1970; None: now).

    Raises `NothingFoundError` if the alarm does not exist or has not rung, else boto3's error.
    """
    described = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=TYPES)
    alarms = [*described.get("MetricAlarms", ()), *described.get("CompositeAlarms", ())]
    if not alarms:
        raise NothingFoundError(
            f"{region} has no alarm {name!r}{_near(cloudwatch, name)}", "check the name and --region"
        )
    about = alarms[0]
    account = str(about.get("AlarmArn", "")).split(":")[4:5]
    base = {"alarmName": name, "configuration": {"metrics": list(_metrics(about))}}
    for change in _changes(cloudwatch, name, at_ns):
        return read_change({**base, **change}, region, "".join(account))
    if about.get("StateValue") == "ALARM" and (at_ns is None or ns_of(about["StateUpdatedTimestamp"]) <= at_ns):
        state = {
            "value": "ALARM",
            "reason": about.get("StateReason", ""),
            "reasonData": about.get("StateReasonData"),
            "timestamp": _iso(about["StateUpdatedTimestamp"]),
        }
        return read_change({**base, "state": state}, region, "".join(account))
    raise NothingFoundError(
        f"the alarm {name} has not rung within CloudWatch's history",
        "report on a time instead: lambda-latency report --xray --since 30m",
    )


def _changes(cloudwatch: Any, name: str, at_ns: int | None) -> Iterator[dict[str, Any]]:
    """Yield the changes to ALARM, the newest first, in the form of an event's `detail`."""
    query: dict[str, Any] = {
        "AlarmName": name,
        "AlarmTypes": TYPES,
        "HistoryItemType": "StateUpdate",
        "ScanBy": "TimestampDescending",
        "MaxRecords": 100,
    }
    if at_ns is not None:
        query["EndDate"] = EPOCH + timedelta(microseconds=at_ns // 1000 + 1_000_000)
    for page in answers(cloudwatch.describe_alarm_history, query):
        for change in page.get("AlarmHistoryItems", ()):
            states = _data(change.get("HistoryData"))
            new, old = states.get("newState") or {}, states.get("oldState") or {}
            if new.get("stateValue") == "ALARM":
                reason = new.get("stateReasonData")
                yield {
                    "state": {
                        "value": "ALARM",
                        "reason": new.get("stateReason", ""),
                        "reasonData": reason if isinstance(reason, str) else json.dumps(reason),
                        "timestamp": _iso(change["Timestamp"]),
                    },
                    "previousState": {"value": old.get("stateValue", "")},
                }


def _metrics(about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the alarm's metrics in the form of an event."""
    if about.get("MetricName"):
        yield {"metricStat": {"metric": {"name": about["MetricName"]}}}
    for query in about.get("Metrics", ()):
        metric = (query.get("MetricStat") or {}).get("Metric") or {}
        yield {"metricStat": {"metric": {"name": metric.get("MetricName", "")}}}


def _near(cloudwatch: Any, name: str) -> str:
    """`; did you mean ...?` with the nearest of a hundred alarm names with the same prefix; else empty."""
    page = cloudwatch.describe_alarms(AlarmNamePrefix=name[:3], AlarmTypes=TYPES, MaxRecords=100) if name else {}
    alarms = [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]
    hint = did_you_mean(name, [alarm["AlarmName"] for alarm in alarms])
    return f"; {hint}" if hint else ""


def _iso(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat()
