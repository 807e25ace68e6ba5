"""Slow requests of this machine: when its alarm rings, what it says, and when it ends."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import Any

from lambda_latency.alarm import Bell, Explanation, Link
from lambda_latency.alarm.event import read_event
from lambda_latency.alarm.kept import Kept
from lambda_latency.alarm.watch import PERIOD_NS, Watch
from lambda_latency.trace import Trace
from tests.alarm.cloud import orders
from tests.latency.system import THEIRS

BEGIN_S = 1_795_560_000
SECOND_NS = 10**9
SLOW_NS = 500 * 10**6


def states(watch: Watch, periods: list[list[int]]) -> list[str | None]:
    """The state that each period of requests (ms) changes to."""
    found = []
    for number, durations in enumerate(periods):
        at_ns = (BEGIN_S + 60 * number) * SECOND_NS
        for one in durations:
            watch.add(at_ns, one * 10**6)
        event = watch.judge(at_ns + PERIOD_NS)
        found.append(None if event is None else event["detail"]["state"]["value"])
    return found


def test_a_period_rings_by_its_p95_and_a_silent_one_changes_nothing() -> None:
    """19 of 20 requests below the threshold are enough."""
    fast, slow = [100] * 19 + [900], [100] * 18 + [900] * 2
    assert states(Watch("a", SLOW_NS), [fast, slow, slow, [], fast, [501]]) == [
        None, "ALARM", None, None, "OK", "ALARM"
    ]  # fmt: skip


def test_a_period_is_not_judged_before_its_end() -> None:
    """It lasts from its first request on."""
    watch = Watch("a", SLOW_NS)
    watch.add(BEGIN_S * SECOND_NS, 900 * 10**6)
    watch.add(BEGIN_S * SECOND_NS + PERIOD_NS - 1, 900 * 10**6)
    assert watch.judge(BEGIN_S * SECOND_NS + PERIOD_NS - 1) is None
    assert watch.judge(BEGIN_S * SECOND_NS + PERIOD_NS) is not None


def test_a_change_is_an_event_as_of_eventbridge() -> None:
    """The function's own reader finds the window, the threshold and the measure."""
    watch = Watch("SlowAlarm", SLOW_NS)
    watch.add(BEGIN_S * SECOND_NS, 900 * 10**6)
    event = watch.judge((BEGIN_S + 10) * SECOND_NS)
    assert event is not None
    alarm = read_event(json.loads(json.dumps(event)))
    assert (alarm.name, alarm.state, alarm.previous, alarm.measure) == ("SlowAlarm", "ALARM", "OK", "latency")
    assert (alarm.begin_ns, alarm.at_ns) == (BEGIN_S * SECOND_NS - 900 * 10**6, (BEGIN_S + 10) * SECOND_NS)
    assert (alarm.threshold_ns, alarm.reason) == (
        SLOW_NS, "The p95 of 1 requests was 900 ms, over the threshold (500 ms)."
    )  # fmt: skip


class Ring:
    """A bell, without waiting for its thread, and what it has told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.pages: list[Explanation] = []
        self.bell = Bell("SlowAlarm", SLOW_NS, "out/served.jsonl", tell=self.told.append, page=self.page, terms=THEIRS)

    def page(self, found: Explanation) -> Link:
        """Keeps what would be a page."""
        self.pages.append(found)
        return Link("Page", "out/alarm.html")

    def period(self, begin_s: int, durations: list[int], **more: Any) -> list[str]:
        """What is told after a period with these orders (ms)."""
        self.told.clear()
        for one in orders(begin_s, durations, **more):
            assert one.outermost.end_ns is not None
            self.bell.count(one.outermost.end_ns, one.outermost.end_ns - one.outermost.start_ns, one)
        self.bell.judge((begin_s + 60) * SECOND_NS)
        return list(self.told)


def test_the_messages_of_a_slow_time_on_the_laptop() -> None:
    """The cause with what was read and no price, the end with both times, and a repetition in one line."""
    ring = Ring()
    assert ring.period(BEGIN_S, [200] * 40) == []
    assert ring.period(BEGIN_S + 100, [200] * 20 + [1500] * 12, first=100) == [
        """\
SlowAlarm: payments.example.com

12 of 72 requests (over 500 ms) wait for payments.example.com: 1,300 ms more
than a typical request of their route, 100 % of the excess, nearly all from
2026-11-24T22:42:00Z to 2026-11-24T22:42:12Z. The cause is external.

Next: Set a timeout for the call to payments.example.com below the function's,
respond without its result when it is late, and move the call to a queue if the
caller does not need the result. Ask its owner with a trace id.

Slower than the hour before (40 requests then, 32 now): payments.example.com
takes 488 ms more on average. The tail changed, not the typical request. The
cause is external.

A request that shows it: 1-6b0612bd-affeb9dbb0aa7f2b0000007d.

Page:
out/alarm.html

ALARM since 2026-11-24 22:42 UTC, before that OK. The p95 of 32 requests was
1,500 ms, over the threshold (500 ms).
Read from out/served.jsonl: 12 slow traces, 32 traces of any kind, 40 traces of
the hour before.
"""
    ]
    assert ring.period(BEGIN_S + 200, [200] * 40, first=200) == [
        """\
SlowAlarm: is over

payments.example.com: 1,466 ms on average in slow requests during the alarm, 166
ms in the 40 traced since.

OK since 2026-11-24 22:44 UTC, before that ALARM.
"""
    ]
    assert ring.period(BEGIN_S + 300, [200] * 20 + [1500] * 12, first=300) == [
        """\
SlowAlarm: payments.example.com

The same cause as at 2026-11-24 22:42 UTC: payments.example.com, 1,466 ms on
average.

ALARM since 2026-11-24 22:46 UTC, before that OK.
"""
    ]
    assert len(ring.pages) == 1
    ring.bell.close()


def test_requests_that_are_all_slow() -> None:
    """There is none to compare them with: the part that takes most of their time is named."""
    ring = Ring()
    [said] = ring.period(BEGIN_S, [1500] * 5)
    assert said.startswith(
        """\
SlowAlarm: payments.example.com

All 5 requests took over 500 ms, so there is no fast one to compare them with.
payments.example.com takes 98 % of their time.
"""
    )
    ring.bell.close()


def test_slow_requests_that_are_most_are_compared_with_the_others() -> None:
    """As in an account, where slow ones are fetched on purpose; if the others are too few, the route is slow."""
    ring = Ring()
    [many] = ring.period(BEGIN_S, [200] * 12 + [1500] * 40)
    ring.bell.close()
    ring = Ring()
    [few] = ring.period(BEGIN_S, [200] * 8 + [1500] * 12)
    ring.bell.close()
    assert " ".join(many.split("\n\n")[1].split()).startswith(
        "40 of 52 requests (over 500 ms) wait for payments.example.com: 1,300 ms more than a typical request"
    )
    title, said, *_ = few.split("\n\n")
    assert title == "SlowAlarm: payments.example.com"
    assert " ".join(said.split()) == (
        "POST /orders is slow as a whole (limit 500 ms): a typical request takes 1,500 ms, 1,466 ms of it (98 %) "
        "payments.example.com."
    )


def test_requests_without_traces_ring_without_a_cause() -> None:
    """They were not sampled; the message says so."""
    ring = Ring()
    ring.bell.count(BEGIN_S * SECOND_NS, 900 * 10**6, None)
    ring.bell.judge((BEGIN_S + 60) * SECOND_NS)
    assert ring.told[0].startswith(
        """\
SlowAlarm: the cause is not known

No request of the alarm's window was traced: the sampling rules selected none,
or tracing is off.
"""
    )
    ring.bell.close()


def test_only_the_last_hours_traces_are_kept() -> None:
    """An explanation needs its window and the hour before it."""
    kept = Kept("out/served.jsonl")
    for trace in [*orders(BEGIN_S, [1] * 9), *orders(BEGIN_S + 4209, [1] * 3, first=10)]:
        kept.add(trace)
    assert len(kept) == 3


def test_a_bell_hears_on_a_thread_of_its_own() -> None:
    """A request that is only heard of rings once its period is over."""
    rang = threading.Event()
    bell = Bell("SlowAlarm", SLOW_NS, "out/served.jsonl", tell=lambda _: rang.set(), page=lambda _: None)
    [trace] = orders(time.time_ns() // SECOND_NS - 60, [900])
    bell.hear(900 * 10**6, trace)
    assert rang.wait(60)
    bell.close()


def test_what_the_slow_requests_depend_on_is_told() -> None:
    """After the verdict: the value, and both shares."""
    ring = Ring()
    traces = orders(BEGIN_S, [1500 if number % 4 == 0 else 200 + number % 7 for number in range(100)])
    for number, one in enumerate(traces):
        tenant = "acme" if number % 4 == 0 else f"t-{number % 3}"
        spans = [replace(each, attributes={**each.attributes, "tenant.id": tenant}) for each in one.spans]
        ring.bell.count(one.outermost.end_ns or 0, (one.outermost.end_ns or 0) - one.outermost.start_ns, Trace(spans))
    ring.bell.judge((BEGIN_S + 200) * SECOND_NS)
    ring.bell.close()
    paragraphs = [" ".join(one.split()) for one in ring.told[0].split("\n\n")]
    assert paragraphs[2] == "It depends: all 25 have tenant.id = acme; none of the other requests do."
