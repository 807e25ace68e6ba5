"""A timeout names its call: what leaves shortly before the kill, in real processes with Lambda's own runtime client."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import Span, TracerProvider

from lab.faults.box import HEADER
from lab.faults.collector import Collector
from lab.timeouts import EVENT, HANDLER, HANGS, Hang, Site, hang, read, wrong
from lambda_latency.runtime.deadline.running import Running
from lambda_latency.runtime.deadline.sigalrm import AlarmSignal
from lambda_latency.runtime.deadline.watch import DeadlineWatch
from lambda_latency.runtime.settings import Settings
from lambda_latency.trace import Trace
from tests.runtime.conftest import STEPS
from tests.sandbox.state import until

if TYPE_CHECKING:
    from collections.abc import Iterator

BARE = Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": "0"})
SHORTEST_S = 1.0  # Lambda's shortest timeout; the margin before a shorter one is less than a busy machine is late by


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """What the functions call."""
    site = Site()
    yield site
    site.close()


@pytest.mark.parametrize("one", HANGS, ids=lambda one: one.do)
def test_a_timeout_names_the_running_call_and_the_line(site: Site, one: Hang) -> None:
    """The finished spans are there, the open ones too, and no orphan."""
    trace, _ = hang(site, one.do)
    assert wrong(trace, one) == ""


def test_a_handler_that_makes_it_after_the_alarm_has_its_final_spans(site: Site) -> None:
    """They have the ids of those that were told as open, and come later: after the next response, for lack of time."""
    collector = Collector()
    box = site.box(collector, timeout_s=2)
    try:
        run = box.invoke(json.dumps({**EVENT, "do": "makes it"}).encode())
        assert run.outcome is not None
        assert json.loads(run.outcome.payload)["statusCode"] == 200
        box.settle()
        box.invoke(json.dumps(EVENT).encode(), HEADER.replace("Sampled=1", "Sampled=0"))
        box.settle()
    finally:
        box.close()
        collector.close()
    spans = [span for span in read(collector) if span.name not in STEPS]
    assert [(span.name, span.provisional) for span in spans] == [
        ("GET /items", True),
        ("GET", False),
        ("GET /items", False),
    ]
    trace = Trace(spans)
    assert trace.problems == ()
    assert not trace.timed_out
    assert [(span.name, span.provisional, span.status.name) for span in trace.spans if span.name not in STEPS] == [
        ("GET /items", False, "UNSET"),
        ("GET", False, "UNSET"),
    ]


def test_a_killed_invocation_leaves_what_had_ended_and_no_orphan(site: Site) -> None:
    """Out of memory, for example, at 8 s of 10: Linux says it with SIGKILL."""
    collector = Collector()
    box = site.box(collector, timeout_s=10)
    killer = threading.Timer(8, box.environment.kill)
    killer.start()
    try:
        run = box.invoke(json.dumps({**EVENT, "do": "long work"}).encode())
        assert run.outcome is not None
        assert run.outcome.error == "Runtime.ExitError"
    finally:
        killer.join()
        box.close()
        collector.close()
    trace = Trace(read(collector))
    assert (trace.orphans, trace.timed_out, trace.handler) == ((), False, None)
    steps = [span for span in trace.cut_off if span.name == "step"]
    lost = f"span {steps[0].parent_id} was not recorded: what it called is one request"
    assert [problem.reason for problem in trace.problems] == [lost]
    assert len(steps) > 5
    assert not any(span.provisional for span in trace.spans)
    assert run.started_ns + 8e9 - max(span.end_ns or 0 for span in steps) < 3e9


def test_a_signal_sees_into_a_regular_expression_by_a_setting(site: Site) -> None:
    """It keeps the interpreter's lock, but takes signals."""
    one = Hang("regex", HANDLER, ('"regex": lambda _context: re.match(r"(a+)+$", "a" * 64 + "b"),',))
    trace, _ = hang(site, one.do, LAMBDA_LATENCY_SIGALRM="true")
    assert wrong(trace, one) == ""


@pytest.fixture
def watch() -> Iterator[tuple[DeadlineWatch, list[Running]]]:
    """A watch, and what it told of."""
    rung: list[Running] = []
    watch = DeadlineWatch(rung.append, lambda *_: float("inf"), BARE)
    yield watch, rung
    watch.stop()


@pytest.fixture
def span() -> Span:
    """An open one."""
    span = TracerProvider().get_tracer("test").start_span("handler")
    assert isinstance(span, Span)
    return span


Watch = tuple[DeadlineWatch, list[Running]]


def test_each_invocation_is_told_of_once(watch: Watch, span: Span) -> None:
    """Even if it goes on."""
    watching, rung = watch
    for _ in range(2):
        before, now = len(rung), time.time()
        watching.begin(span, now + 0.1, now)
        assert until(lambda before=before: len(rung) > before)  # type: ignore[misc]
        time.sleep(0.05)
    assert [one.thread for one in rung] == [threading.get_ident()] * 2


def test_an_invocation_that_ends_in_time_is_not_told_of(watch: Watch, span: Span) -> None:
    """Nor does the next one's deadline suffer from it."""
    watching, rung = watch
    now = time.time()
    watching.begin(span, now + 0.15, now)
    watching.end()
    time.sleep(0.2)
    assert rung == []
    now = time.time()
    watching.begin(span, now + SHORTEST_S, now)
    assert until(lambda: len(rung) == 1)
    assert time.time() < now + SHORTEST_S


def test_a_shorter_timeout_than_ever_is_seen_in_time(watch: Watch, span: Span) -> None:
    """The thread sleeps by the shortest that it knows."""
    watching, rung = watch
    now = time.time()
    watching.begin(span, now + 600, now)
    watching.end()
    assert watching.look_now(10)  # from now on it sleeps by the first one
    now = time.time()
    watching.begin(span, now + SHORTEST_S, now)
    assert until(lambda: len(rung) == 1)
    assert time.time() < now + SHORTEST_S


def test_a_look_that_takes_all_the_time_there_is_does_not_put_the_alarm_off(
    span: Span, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the rehearsal may: it imports, and reads source lines."""
    begun = time.time()
    clock = [begun]
    monkeypatch.setattr("lambda_latency.runtime.deadline.watch.time", lambda: clock[0])
    monkeypatch.setattr("lambda_latency.runtime.deadline.watch.LONGEST_SLEEP_S", 3600)
    rung: list[Running] = []

    def glance(running: Running, _left_s: float) -> float:
        clock[0] = running.alarm
        return 3600

    watching = DeadlineWatch(rung.append, glance, BARE)
    try:
        watching.begin(span, begun + 3600, begun)
        assert watching.look_now(20)
        assert until(lambda: len(rung) == 1)
    finally:
        watching.stop()


def test_a_signal_lets_the_thread_run_until_it_has_looked(span: Span, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is slow gets a part of the time again and again; in between goes on whoever may hold a lock it needs."""
    looks: list[float] = []

    def look(seconds: float) -> bool:
        looks.append(seconds)
        return len(looks) == 3

    monkeypatch.setattr("lambda_latency.runtime.deadline.sigalrm.LATER_S", -60)  # at once
    alarm = AlarmSignal(look)
    try:
        alarm.begin(time.time() + 59.8, time.time() + 60)
        assert until(lambda: len(looks) == 3)
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        alarm.stop()
    assert looks == [0.05, 0.05, 0.05]


@pytest.mark.parametrize(("limit_s", "margin_s"), [(1, 0.1), (2, 0.2), (30, 0.2), (900, 0.2)])
def test_the_margin_is_200_ms_or_a_tenth(span: Span, limit_s: float, margin_s: float) -> None:
    """A tenth where the timeout is below two seconds."""
    assert span.start_time is not None
    deadline = span.start_time / 1e9 + limit_s
    assert Running(span, 0, deadline).alarm == pytest.approx(deadline - margin_s, abs=1e-6)


@pytest.mark.parametrize(
    ("left_s", "late_s", "due"),
    [
        (0.0, 0.0, True),
        (0.05, 0.002, False),
        (0.05, 0.06, True),  # the function keeps the interpreter
        (0.15, 0.2, False),
        (60.0, 3600.0, False),  # the environment was frozen
    ],
)
def test_who_gets_the_interpreter_late_tells_sooner(span: Span, left_s: float, late_s: float, *, due: bool) -> None:
    """By up to half of the margin."""
    assert span.start_time is not None
    assert Running(span, 0, span.start_time / 1e9 + 30).is_due(left_s, late_s) == due
