"""The function that answers alarms: what it says, once for each change, whatever goes wrong."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_latency.alarm.message import Message
from lambda_latency.alarm.records import LEASE_S, BusyError
from lambda_latency.trace import Trace
from tests.alarm.cloud import change, filled, orders
from tests.alarm.conftest import Ringing
from tests.docs.pages import page
from tests.fetch.standin import DENIED, XRay

Make = Callable[..., Ringing]

BEFORE_S = 1_795_560_000  # the hour before
BEGIN_S = BEFORE_S + 1800  # of the alarm's window
AT_NS = (BEGIN_S + 120) * 10**9
USUAL = [200 + number % 7 for number in range(60)]
SLOW = [*USUAL, *([1500] * 12)]


def rung(**more: Any) -> dict[str, Any]:
    """The alarm's event."""
    return change(**{"at_ns": AT_NS, "begin_ns": BEGIN_S * 10**9, **more})


def slow_provider(xray: Callable[..., XRay] = XRay) -> XRay:
    """An account in which one order in six waits for the provider, and none did in the hour before."""
    return filled(xray, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500)])


def paragraphs(alarm: Ringing, number: int = 0) -> list[str]:
    """Those of a mail, each in one line."""
    return [text.replace("\n", " ") for text in alarm.topic.texts[number].split("\n\n")]


def test_the_whole_message(ringing: Make) -> None:
    """That of the page about alarms: cause, difference, owner, a request, what to do, the page, what it cost."""
    alarm = ringing(slow_provider())
    alarm(rung())
    [sent] = alarm.topic.published
    assert sent["Subject"] == "shop-SlowAlarm: payments.example.com"
    assert [sent["Message"]["email"]] == page("how-to/explain-alarms.md").blocks("text")
    assert [key for key in alarm.bucket.objects if key.startswith("pages/")] == [
        "pages/shop-SlowAlarm/2026-11-24T23:12:00Z.html"
    ]


def test_each_finding_has_its_next_step_below_it(ringing: Make) -> None:
    """Two classes, the larger first, then what changed, whose advice is given already."""
    cold = orders(BEGIN_S + 60, [220] * 12, first=700, cold=700)
    alarm = ringing(filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500), *cold]))
    alarm(rung())
    sections = paragraphs(alarm)
    assert [text.partition(": ")[0] for text in sections[1:7]] == [
        "12 of 144 requests of POST /orders (8 %, over 500 ms) wait for payments.example.com",
        "Next",
        "12 of 144 requests of POST /orders (8 %, over 500 ms) wait for a cold start",
        "Next",
        "Slower than the hour before (60 requests then, 84 now)",
        "A request that shows it",
    ]
    assert sections[2].startswith("Next: Set a timeout for the call to payments.example.com below the function's, ")
    assert sections[4].startswith("Next: Import less at module load")


def test_without_a_fast_request_the_largest_part_is_named(ringing: Make) -> None:
    """Five requests, all of them slow: there is none to compare them with."""
    alarm = ringing(filled(XRay, orders(BEGIN_S + 10, [1500] * 5)))
    alarm(rung())
    title, answer, *_ = paragraphs(alarm)
    assert title == "shop-SlowAlarm: payments.example.com"
    assert answer == (
        "All 5 requests took over 500 ms, so there is no fast one to compare them with. "
        "payments.example.com takes 98 % of their time."
    )


def test_an_attribute_that_the_slow_requests_share_is_named(ringing: Make) -> None:
    """After the verdict: the attribute's value, and how many requests of either group have it."""
    traces = orders(BEGIN_S, [1500 if number % 4 == 0 else 200 + number % 7 for number in range(100)])
    for number, trace in enumerate(traces):
        tenant = "acme" if number % 4 == 0 else f"t-{number % 3}"
        spans = [replace(span, attributes={**span.attributes, "tenant.id": tenant}) for span in trace.spans]
        traces[number] = Trace(spans)
    alarm = ringing(filled(XRay, traces))
    alarm(rung())
    assert "It depends: all 25 have tenant.id = acme; none of the other requests do." in paragraphs(alarm)


def test_without_a_cause_none_is_named(ringing: Make) -> None:
    """The window is as the hour before was."""
    alarm = ringing(filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, USUAL, first=500)]))
    alarm(rung())
    title, answer, lacks, *_ = paragraphs(alarm)
    assert title == "shop-SlowAlarm: no cause found in the traces"
    assert answer == "The traces name no cause. Nothing stands out. No request took over 500 ms."
    assert lacks == (
        "Not known: None of the traced requests took longer than the alarm's threshold: the slow ones were not sampled."
    )


def test_failing_requests_name_the_call_that_failed(ringing: Make) -> None:
    """The alarm counts errors; all of them have the same call in common."""
    failing = orders(BEGIN_S + 60, [210] * 12, status_code=502, first=900)
    alarm = ringing(filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, USUAL, first=500), *failing]))
    alarm(rung(name="shop-ErrorAlarm", metric="5XXError", threshold=1))
    title, answer, *_ = paragraphs(alarm)
    assert title == "shop-ErrorAlarm: payments.example.com"
    assert answer == (
        "12 of 132 requests of POST /orders failed (9 %) with status 502. In each of them a call to "
        "payments.example.com failed."
    )


def test_the_end_says_what_came_back(ringing: Make) -> None:
    """The mean of the cause, then and now."""
    alarm = ringing(
        filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500), *orders(BEGIN_S + 900, USUAL)])
    )
    alarm(rung())
    alarm(rung(state="OK", previous="ALARM", at_ns=(BEGIN_S + 1000) * 10**9, begin_ns=(BEGIN_S + 940) * 10**9))
    assert alarm.topic.published[1]["Subject"] == "shop-SlowAlarm: is over"
    assert paragraphs(alarm, 1)[1] == (
        "payments.example.com: 1,466 ms on average in slow requests during the alarm, 169 ms in the 20 traced since."
    )


def test_the_end_of_an_alarm_that_was_not_explained_names_no_earlier_cause(ringing: Make) -> None:
    """The cause of the ring before is not the cause of this one."""
    alarm = ringing(slow_provider())
    alarm(rung())
    late_ns = AT_NS + 2 * 3600 * 10**9
    alarm(rung(at_ns=late_ns, begin_ns=late_ns - 120 * 10**9))
    alarm(rung(state="OK", previous="ALARM", at_ns=late_ns + 60 * 10**9))
    assert [message["Subject"] for message in alarm.topic.published[1:]] == [
        "shop-SlowAlarm: the cause is not known",
        "shop-SlowAlarm: is over",
    ]
    assert "payments" not in alarm.topic.texts[2]


@pytest.mark.parametrize(("state", "previous"), [("OK", "INSUFFICIENT_DATA"), ("INSUFFICIENT_DATA", "OK")])
def test_what_neither_begins_nor_ends_an_alarm_is_not_told(ringing: Make, state: str, previous: str) -> None:
    """Such as the first state of a new alarm."""
    alarm = ringing(slow_provider())
    assert alarm(rung(state=state, previous=previous)) is None
    assert alarm.topic.published == []
    assert alarm.bucket.objects == {}


def test_a_repeat_is_told_in_short(ringing: Make) -> None:
    """By the same alarm or another; after an hour in full again."""
    later = [*orders(BEGIN_S + 600, SLOW, first=700), *orders(BEGIN_S + 4500, SLOW, first=900)]
    alarm = ringing(filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW, first=500), *later]))
    for name, after_s in (("shop-SlowAlarm", 0), ("shop-SlowAlarm", 600), ("other", 600), ("shop-SlowAlarm", 4500)):
        at_ns = AT_NS + after_s * 10**9
        alarm(rung(name=name, at_ns=at_ns, begin_ns=at_ns - 120 * 10**9))
    answers = [paragraphs(alarm, number)[1] for number in range(4)]
    assert answers[1:3] == [
        "The same cause as at 2026-11-24 23:12 UTC: payments.example.com, 1,466 ms on average.",
        "The same cause as at 2026-11-24 23:12 UTC (shop-SlowAlarm): payments.example.com, 1,466 ms on average.",
    ]
    assert [answer[:17] for answer in (answers[0], answers[3])] == ["12 of 132 request", "12 of 72 requests"]


# ---- Faults ----------------------------------------------------------------------------------------------------------


def test_no_traces(ringing: Make) -> None:
    """It says so, and what may be the reason."""
    alarm = ringing(filled(XRay, []))
    alarm(rung())
    title, answer, *_ = paragraphs(alarm)
    assert title == "shop-SlowAlarm: the cause is not known"
    assert answer == (
        "No request of the alarm's window was traced: the sampling rules selected none, or tracing is off."
    )


def test_no_right_to_read(ringing: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what is refused."""
    xray = slow_provider()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", DENIED)
    alarm = ringing(xray)
    alarm(rung())
    text = alarm.topic.texts[0].replace("\n", " ")
    assert "the cause is not known" in text
    assert "is not authorized to perform: xray:GetTraceSummaries" in text


def test_an_account_that_fails_now_and_then(ringing: Make) -> None:
    """Five calls of a hundred fail, some traces are unprocessed: the answer is the same."""
    xray = slow_provider()
    xray.failing, xray.unprocessed = 0.05, 0.05
    alarm = ringing(xray)
    alarm(rung())
    assert alarm.topic.published[0]["Subject"] == "shop-SlowAlarm: payments.example.com"


def test_time_that_runs_out(ringing: Make) -> None:
    """Nothing is read, and a message is sent all the same."""
    alarm = ringing(slow_provider(), left_s=0.0)
    alarm(rung())
    assert alarm.topic.texts[0].split("\n\n")[1].startswith("Time ran out before slow traces were read.")


def test_a_change_that_is_sent_twice_is_told_once(ringing: Make) -> None:
    """One after the other, and at the same time."""
    alarm = ringing(slow_provider())

    def ring(number: int) -> str:
        try:
            return "told" if alarm(rung(identity=str(number))) is not None else "heard"
        except BusyError:
            return "busy"

    with ThreadPoolExecutor(4) as pool:
        outcomes = Counter(pool.map(ring, range(4)))
    assert outcomes["told"] == 1
    assert alarm(rung(identity="late")) is None
    assert len(alarm.topic.published) == 1


def test_a_flapping_alarm(ringing: Make) -> None:
    """A hundred changes there and back: each is told once; after twelve explanations an hour in short."""
    alarm = ringing(filled(XRay, [*orders(BEFORE_S, USUAL), *orders(BEGIN_S, SLOW * 5, first=500)]))
    events = [
        rung(
            at_ns=(BEGIN_S + 60 + number) * 10**9,
            begin_ns=(BEGIN_S + number) * 10**9,
            **({} if number % 2 == 0 else {"state": "OK", "previous": "ALARM"}),
        )
        for number in range(200)
    ]
    for event in events:
        alarm(event)
    assert Counter(message["Subject"] for message in alarm.topic.published) == {
        "shop-SlowAlarm: payments.example.com": 12,
        "shop-SlowAlarm: rings again": 88,
        "shop-SlowAlarm: is over": 100,
    }
    answers = [text.split("\n\n")[1].split() for text in alarm.topic.texts]
    assert Counter(" ".join(words[:2]) for words in answers) == {
        "12 of": 1,
        "The same": 11,
        "The alarm": 88,
        "payments.example.com: 1,466": 12,
        "OK since": 88,
    }


@pytest.mark.parametrize("operation", ["PutObject", "GetObject"])
@pytest.mark.parametrize("calls", range(5))
def test_a_bucket_that_fails_loses_and_doubles_nothing(ringing: Make, operation: str, calls: int) -> None:
    """Lambda tries again until it works."""
    alarm = ringing(slow_provider())
    alarm.bucket.failing = {operation: calls + 1}
    for _ in range(4):
        try:
            alarm(rung())
            break
        except (ClientError, BusyError):
            alarm.now_s += LEASE_S
    assert [message["Subject"] for message in alarm.topic.published] == ["shop-SlowAlarm: payments.example.com"]


def test_one_who_does_not_listen_does_not_double_the_message_of_the_others(ringing: Make) -> None:
    """The next try tells those alone who have not heard."""
    said: list[str] = []
    broken = [True]

    def chat(message: Message, _: object) -> None:
        if broken[0]:
            raise OSError("the webhook takes no message: status 503")
        said.append(message.title)

    alarm = ringing(slow_provider(), more={"chat": chat})
    with pytest.raises(OSError, match="status 503"):
        alarm(rung())
    broken[0] = False
    alarm(rung())
    assert (len(alarm.topic.published), len(said)) == (1, 1)
    assert alarm(rung()) is None


def test_two_alarms_at_once(ringing: Make) -> None:
    """Each tells its change; one of both in short."""
    alarm = ringing(slow_provider())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(alarm, [rung(name="one"), rung(name="two")]))
    starts = sorted(text.split("\n\n")[1][:8] for text in alarm.topic.texts)
    assert starts == ["12 of 13", "The same"]


def test_a_random_order_of_events(ringing: Make) -> None:
    """Late, twice, out of order: a message for each change."""
    draw = random.Random(29)  # noqa: S311 - a seed that can be repeated
    alarm = ringing(slow_provider())
    events = [
        rung(name=name, at_ns=AT_NS + step * 10**9, **({} if step % 2 == 0 else {"state": "OK", "previous": "ALARM"}))
        for name in ("one", "two", "three")
        for step in range(4)
    ]
    for event in draw.sample([*events, *events], 2 * len(events)):
        alarm(event)
    assert len(alarm.topic.published) == len(events)
