"""`lambda-latency explain`: an alarm of an account, or a time. CloudWatch's answers are made by its documents."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.alarm import last_ring
from lambda_latency.fetch import NothingFoundError
from tests.alarm.cloud import filled, iso, orders
from tests.alarm.test_answer import AT_NS, BEFORE_S, BEGIN_S, SLOW, USUAL
from tests.fetch.conftest import Run, run  # noqa: F401 - a fixture
from tests.fetch.standin import XRay

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-SlowAlarm"


def at(ns: int) -> datetime:
    """As boto3 has an instant."""
    return datetime.fromtimestamp(ns / 10**9, timezone.utc)


class CloudWatch:
    """DescribeAlarms and DescribeAlarmHistory of one alarm; two items a page."""

    def __init__(self, items: list[dict[str, Any]], state: str = "OK") -> None:
        self.items, self.asked = items, list[dict[str, Any]]()
        self.alarm = {
            "AlarmName": "shop-SlowAlarm",
            "AlarmArn": ARN,
            "MetricName": "Latency",
            "Threshold": 500.0,
            "StateValue": state,
            "StateReason": "Set by hand",
            "StateUpdatedTimestamp": at(AT_NS),
        }

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        wanted = asked.get("AlarmNames")
        is_it = wanted == ["shop-SlowAlarm"] or "shop-SlowAlarm".startswith(asked.get("AlarmNamePrefix", "-"))
        return {"MetricAlarms": [self.alarm] if is_it else [], "CompositeAlarms": []}

    def describe_alarm_history(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        first = int(asked.get("NextToken", 0))
        until = asked.get("EndDate", at(2 * AT_NS))
        found = [one for one in self.items if one["Timestamp"] <= until]
        more = {"NextToken": str(first + 2)} if len(found) > first + 2 else {}
        return {"AlarmHistoryItems": found[first : first + 2], **more}


def item(ns: int, state: str, begin_ns: int | None = None) -> dict[str, Any]:
    """One item of the history."""
    data = {"threshold": 500.0, **({"startDate": iso(begin_ns)} if begin_ns is not None else {})}
    new = {"stateValue": state, "stateReason": "Threshold Crossed", "stateReasonData": data}
    told = {"version": "1.0", "oldState": {"stateValue": "OK"}, "newState": new}
    return {"Timestamp": at(ns), "HistoryItemType": "StateUpdate", "HistoryData": json.dumps(told)}


def test_the_last_ring_of_an_alarm() -> None:
    """The newest change into ALARM, on whichever page it is; or the last before a time."""
    minute = 60 * 10**9
    items = [item(AT_NS + number * minute, "OK") for number in (9, 8, 7)]
    items += [item(AT_NS, "ALARM", AT_NS - 2 * minute), item(AT_NS - 30 * minute, "ALARM")]
    found = last_ring(CloudWatch(items), "shop-SlowAlarm", "us-east-1")
    assert (found.name, found.account, found.at_ns, found.begin_ns) == (
        "shop-SlowAlarm",
        "123456789012",
        AT_NS,
        AT_NS - 2 * minute,
    )
    assert (found.measure, found.threshold_ns, found.previous) == ("latency", 500_000_000, "OK")
    earlier = last_ring(CloudWatch(items), "shop-SlowAlarm", "us-east-1", AT_NS - 10 * minute)
    assert earlier.at_ns == AT_NS - 30 * minute


def test_an_alarm_that_rings_and_has_no_history() -> None:
    """Its state is enough."""
    found = last_ring(CloudWatch([], "ALARM"), "shop-SlowAlarm", "us-east-1")
    assert (found.at_ns, found.reason) == (AT_NS, "Set by hand")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("shop-SlowAlarms", "us-east-1 has no alarm 'shop-SlowAlarms'; did you mean shop-SlowAlarm?"),
        ("other", "us-east-1 has no alarm 'other'"),
        ("shop-SlowAlarm", "the alarm shop-SlowAlarm has not rung within CloudWatch's history"),
    ],
)
def test_what_is_not_there(name: str, why: str) -> None:
    """The near miss is named."""
    with pytest.raises(NothingFoundError) as raised:
        last_ring(CloudWatch([item(AT_NS, "OK")]), name, "us-east-1")
    assert raised.value.what == why


def test_a_time_is_explained(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """The ten minutes before it, with what is slow by the command line; the page, too."""
    xray = filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500)])
    try:
        asked = (
            "explain",
            iso(AT_NS)[:19] + "Z",
            "--slow",
            "500",
            "--theirs",
            "*payments*",
            "--endpoint-url",
            xray.url,
        )
        done = run(*asked, "--html", str(tmp_path / "page.html"))
        slack = run(*asked, "--form", "slack")
        nothing = run("explain", "2026-11-01T00:00:00Z", "--endpoint-url", xray.url)
        unwritable = run(*asked, "--html", str(tmp_path / "no" / "page.html"))
    finally:
        xray.close()
    assert (done.returncode, done.stderr) == (0, "")
    title, answer, *_ = done.stdout.split("\n\n")
    assert title == "2026-11-24T23:12:00Z: payments.example.com"
    assert answer.startswith("12 of 132 requests (over 500 ms) wait for payments.example.com")
    assert "<!doctype html>" in (tmp_path / "page.html").read_text().lower()
    assert json.loads(slack.stdout)["blocks"][0]["type"] == "header"
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert nothing.stderr == (
        "lambda-latency: there is no trace in the alarm's window\n"
        "  Looked from 2026-10-31 23:50 UTC to 2026-11-01 00:00 UTC in us-east-1\n"
    )
    assert unwritable.returncode == 1
    assert "cannot be written" in unwritable.stderr.splitlines()[0]
