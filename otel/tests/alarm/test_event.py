"""Changes of alarms as EventBridge sends them: what is read, and what is no such event."""

import json
import re
from typing import Any

import pytest

from lambda_latency.alarm.event import Alarm, read_event
from tests.alarm.cloud import change, iso

AT = 1_795_560_300_989_000_000
BEGIN = 1_795_560_000_000_000_000
MINUTE = 60 * 10**9


def test_a_latency_alarm() -> None:
    """Its window begins with the first data point that was judged; its threshold is in nanoseconds."""
    assert read_event(change(at_ns=AT, begin_ns=BEGIN)) == Alarm(
        name="shop-SlowAlarm",
        region="us-east-1",
        account="123456789012",
        state="ALARM",
        previous="OK",
        begin_ns=BEGIN,
        at_ns=AT,
        reason="Threshold Crossed: 1 datapoint [1290.0] was greater than the threshold (500).",
        measure="latency",
        threshold_ns=500_000_000,
    )


@pytest.mark.parametrize(
    ("metric", "threshold", "measure", "threshold_ns"),
    [
        ("Duration", 1500, "latency", 1_500_000_000),
        ("TargetResponseTime", 0.25, "latency", 250_000_000),
        ("5XXError", 1, "errors", None),
        ("Errors", 0, "errors", None),
        ("CPUUtilization", 80, "other", None),
        ("Latency", None, "latency", None),
        ("Latency", -1, "latency", None),
    ],
)
def test_what_is_measured(metric: str, threshold: float | None, measure: str, threshold_ns: int | None) -> None:
    """Milliseconds but for the metrics in seconds; no time, no threshold."""
    alarm = read_event(change(at_ns=AT, begin_ns=BEGIN, metric=metric, threshold=threshold))
    assert (alarm.measure, alarm.threshold_ns) == (measure, threshold_ns)


def _with_data(data: object) -> dict[str, Any]:
    event = change(at_ns=AT)
    event["detail"]["state"]["reasonData"] = data if isinstance(data, str) else json.dumps(data)
    return event


@pytest.mark.parametrize(
    ("data", "begin"),
    [
        ({}, AT - 10 * MINUTE),
        ("no JSON", AT - 10 * MINUTE),
        ({"startDate": iso(AT - 90 * MINUTE)}, AT - 60 * MINUTE),
        ({"startDate": iso(AT + MINUTE)}, AT - 10 * MINUTE),
        ({"startDate": 7}, AT - 10 * MINUTE),
        ({"evaluatedDatapoints": [{"timestamp": iso(BEGIN)}, {"timestamp": iso(BEGIN - MINUTE)}, 3]}, BEGIN - MINUTE),
        ({"triggeringAlarms": [{"state": {"timestamp": iso(BEGIN)}}]}, BEGIN - 10 * MINUTE),
    ],
)
def test_the_window(data: object, begin: int) -> None:
    """The first point that is told, an hour at most; ten minutes where none is told; a composite alarm's parts."""
    assert read_event(_with_data(data)).begin_ns == begin


def test_a_change_is_known_by_its_time_and_state() -> None:
    """EventBridge may send an event twice, under one id or another."""
    event, repeat = (read_event(change(at_ns=AT, identity=identity)) for identity in ("one", "another"))
    over = read_event(change(at_ns=AT, state="OK", previous="ALARM"))
    assert event.identity == repeat.identity
    assert event.identity != over.identity


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({}, "not the change of an alarm: source and detail-type are None, None"),
        (
            {"source": "aws.ec2", "detail-type": "x"},
            "not the change of an alarm: source and detail-type are 'aws.ec2', 'x'",
        ),
        ({**change(at_ns=AT), "detail": 7}, "not the change of an alarm: detail.alarmName is missing"),
        (
            {**change(at_ns=AT), "time": "", "detail": {"alarmName": "x", "state": {"timestamp": "soon"}}},
            "the change of 'x' has no time",
        ),
    ],
)
def test_other_events_are_refused(event: dict[str, Any], why: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        read_event(event)
