"""The last time that an alarm rang, from CloudWatch's history.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from lambda_latency.alarm.event import Alarm, read_change
from lambda_latency.fetch import NothingFoundError
from lambda_latency.spelling import did_you_mean

TYPES = ["MetricAlarm", "CompositeAlarm"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def last_ring(cloudwatch: Any, name: str, region: str, at_ns: int | None = None) -> Alarm:
    """The last change of an alarm to the state ALARM, at or before `at_ns` (since 1970; None: now).

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
    if about.get("StateValue") == "ALARM" and (at_ns is None or _ns(about["StateUpdatedTimestamp"]) <= at_ns):
        state = {
            "value": "ALARM",
            "reason": about.get("StateReason", ""),
            "reasonData": about.get("StateReasonData"),
            "timestamp": _iso(about["StateUpdatedTimestamp"]),
        }
        return read_change({**base, "state": state}, region, "".join(account))
    raise NothingFoundError(
        f"the alarm {name} has not rung within CloudWatch's history", "give a time instead: explain 30m"
    )


def _changes(cloudwatch: Any, name: str, at_ns: int | None) -> Iterator[dict[str, Any]]:
    """The changes to ALARM, the newest first, in the form of an event's `detail`."""
    asked: dict[str, Any] = {
        "AlarmName": name,
        "AlarmTypes": TYPES,
        "HistoryItemType": "StateUpdate",
        "ScanBy": "TimestampDescending",
        "MaxRecords": 100,
    }
    if at_ns is not None:
        asked["EndDate"] = EPOCH + timedelta(microseconds=at_ns // 1000 + 1_000_000)
    while True:
        page = cloudwatch.describe_alarm_history(**asked)
        for item in page.get("AlarmHistoryItems", ()):
            told = _read(item.get("HistoryData"))
            new, old = told.get("newState") or {}, told.get("oldState") or {}
            if new.get("stateValue") == "ALARM":
                data = new.get("stateReasonData")
                yield {
                    "state": {
                        "value": "ALARM",
                        "reason": new.get("stateReason", ""),
                        "reasonData": data if isinstance(data, str) else json.dumps(data),
                        "timestamp": _iso(item["Timestamp"]),
                    },
                    "previousState": {"value": old.get("stateValue", "")},
                }
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]


def _metrics(about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The alarm's metrics in the form of an event."""
    if about.get("MetricName"):
        yield {"metricStat": {"metric": {"name": about["MetricName"]}}}
    for one in about.get("Metrics", ()):
        metric = (one.get("MetricStat") or {}).get("Metric") or {}
        yield {"metricStat": {"metric": {"name": metric.get("MetricName", "")}}}


def _near(cloudwatch: Any, name: str) -> str:
    """`; did you mean ...?` with the nearest of a hundred alarm names with the same prefix; else empty."""
    found = cloudwatch.describe_alarms(AlarmNamePrefix=name[:3], AlarmTypes=TYPES, MaxRecords=100) if name else {}
    names = [one["AlarmName"] for key in ("MetricAlarms", "CompositeAlarms") for one in found.get(key, ())]
    hint = did_you_mean(name, names)
    return f"; {hint}" if hint else ""


def _read(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _ns(at: datetime) -> int:
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def _iso(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat()
