"""`lambda-latency report --alarm`: an alarm of an account. CloudWatch's answers are made by its documents."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import lambda_latency.fetch.stores
from lambda_latency.alarm import last_ring
from lambda_latency.cli import main
from lambda_latency.fetch import Clients, FetchError, NothingFoundError
from lambda_latency.fetch.stores import Page, TimeWindow
from lambda_latency.fetch.stores import pages as stores_pages
from tests.alarm.cloud import filled, iso, orders
from tests.alarm.test_answer import AT_NS, BEFORE_S, BEGIN_S, SLOW, USUAL
from tests.fetch.standin import XRay

DAY_NS = 24 * 3600 * 10**9
Explain = Callable[..., tuple[int, str, str]]
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-SlowAlarm"


def at(ns: int) -> datetime:
    """As boto3 has an instant."""
    return datetime.fromtimestamp(ns / 10**9, timezone.utc)


class CloudWatch:
    """DescribeAlarms and DescribeAlarmHistory of one alarm; two items a page."""

    def __init__(self, items: list[dict[str, Any]], state: str = "OK") -> None:
        self.items, self.requests = items, list[dict[str, Any]]()
        self.alarm = {
            "AlarmName": "shop-SlowAlarm",
            "AlarmArn": ARN,
            "MetricName": "Latency",
            "Threshold": 500.0,
            "StateValue": state,
            "StateReason": "Set by hand",
            "StateUpdatedTimestamp": at(AT_NS),
        }

    def describe_alarms(self, **parameters: Any) -> dict[str, Any]:
        self.requests.append(parameters)
        names = parameters.get("AlarmNames")
        is_it = names == ["shop-SlowAlarm"] or "shop-SlowAlarm".startswith(parameters.get("AlarmNamePrefix", "-"))
        return {"MetricAlarms": [self.alarm] if is_it else [], "CompositeAlarms": []}

    def describe_alarm_history(self, **parameters: Any) -> dict[str, Any]:
        self.requests.append(parameters)
        offset = int(parameters.get("NextToken", 0))
        until = parameters.get("EndDate", at(2 * AT_NS))
        changes = [event for event in self.items if event["Timestamp"] <= until]
        more = {"NextToken": str(offset + 2)} if len(changes) > offset + 2 else {}
        return {"AlarmHistoryItems": changes[offset : offset + 2], **more}


def item(ns: int, state: str, begin_ns: int | None = None) -> dict[str, Any]:
    """One item of the history."""
    data = {"threshold": 500.0, **({"startDate": iso(begin_ns)} if begin_ns is not None else {})}
    new = {"stateValue": state, "stateReason": "Threshold Crossed", "stateReasonData": data}
    history = {"version": "1.0", "oldState": {"stateValue": "OK"}, "newState": new}
    return {"Timestamp": at(ns), "HistoryItemType": "StateUpdate", "HistoryData": json.dumps(history)}


def test_the_last_ring_of_an_alarm() -> None:
    """The newest change into ALARM, on whichever page it is; or the last before a time."""
    minute = 60 * 10**9
    items = [item(AT_NS + number * minute, "OK") for number in (9, 8, 7)]
    items += [item(AT_NS, "ALARM", AT_NS - 2 * minute), item(AT_NS - 30 * minute, "ALARM")]
    alarm = last_ring(CloudWatch(items), "shop-SlowAlarm", "us-east-1")
    assert (alarm.name, alarm.account) == ("shop-SlowAlarm", "123456789012")
    assert (alarm.at_ns, alarm.begin_ns) == (AT_NS, AT_NS - 2 * minute)
    assert (alarm.measure, alarm.threshold_ns, alarm.previous) == ("latency", 500_000_000, "OK")
    earlier = last_ring(CloudWatch(items), "shop-SlowAlarm", "us-east-1", AT_NS - 10 * minute)
    assert earlier.at_ns == AT_NS - 30 * minute


def test_an_alarm_that_rings_and_has_no_history() -> None:
    """Its state is enough."""
    alarm = last_ring(CloudWatch([], "ALARM"), "shop-SlowAlarm", "us-east-1")
    assert (alarm.at_ns, alarm.reason) == (AT_NS, "Set by hand")


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


@pytest.fixture
def explain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Explain]:
    """`report --alarm` on an account whose alarm rang while the payments provider was slow."""
    xray = filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500)])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", xray.url)
    items = [item(AT_NS, "ALARM", BEGIN_S * 10**9), item(AT_NS - 30 * DAY_NS, "ALARM")]
    make = Clients.make

    def made(clients: Clients, service: str) -> Any:
        return CloudWatch(items) if service == "cloudwatch" else make(clients, service)

    monkeypatch.setattr(Clients, "make", made)

    def run(*options: str) -> tuple[int, str, str]:
        try:
            status = main(["report", "--alarm", "shop-SlowAlarm", "--theirs", "*payments*", *options])
        except SystemExit as ended:
            status = int(ended.code or 0)
        return (status, *capsys.readouterr())

    yield run
    xray.close()


def test_the_last_alarm_is_explained(explain: Explain, tmp_path: Path) -> None:
    """By its threshold, or by --slow; the page, too."""
    status, out, err = explain("--html", str(tmp_path / "page.html"))
    assert (status, err) == (0, "")
    title, answer, *_ = out.split("\n\n")
    assert title == "shop-SlowAlarm: payments.example.com"
    answer = " ".join(answer.split())
    assert answer.startswith("12 of 132 requests of POST /orders (9 %, over 500 ms) wait for payments.example.com")
    assert "<!doctype html>" in (tmp_path / "page.html").read_text().lower()
    assert "12 of 132 requests of POST /orders (9 %, over 400 ms) wait for payments.example.com" in " ".join(
        explain("--slow", "400")[1].split()
    )
    status, out, err = explain("--html", str(tmp_path / "no" / "page.html"))
    assert (status, out, "cannot be written" in err.splitlines()[0]) == (1, "", True)


def test_an_alarm_of_which_not_all_was_read_is_not_fine(explain: Explain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused call may hide the cause."""
    pages = iter(range(100))

    def listed(xray: Any, window: TimeWindow, expression: str | None) -> Iterator[Page]:
        if next(pages):
            raise FetchError("AWS does not allow GetTraceSummaries", "ask for it")
        yield from stores_pages(xray, window, expression)

    monkeypatch.setattr(lambda_latency.fetch.stores, "pages", listed)
    status, out, err = explain()
    assert (status, err) == (4, "")
    assert "Not known: No traces of the hour before: AWS does not allow GetTraceSummaries" in " ".join(out.split())


def test_an_alarm_without_traces_says_where_they_were_looked_for(explain: Explain) -> None:
    """The last one before a time."""
    status, out, err = explain("--until", iso(AT_NS - DAY_NS)[:19] + "Z")
    message, second = err.splitlines()
    assert (status, out, message) == (1, "", "lambda-latency: there is no trace in the alarm's window")
    assert second.startswith("  Looked from 2026-10-25 ")
