"""A timeout names its call: what leaves shortly before the kill, in real processes with Lambda's own runtime client."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import Span, TracerProvider

from lab.faults.box import HEADER
from lab.faults.collector import Collector
from lab.timeouts import EVENT, HANGS, HangingCall, Site, hang, read, wrong
from lambda_latency.runtime.deadline.running import Running
from lambda_latency.runtime.deadline.watch import DeadlineWatch
from lambda_latency.runtime.settings import Settings
from lambda_latency.trace import Trace
from tests.runtime.conftest import STEPS
from tests.sandbox.state import until

BARE = Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": "0"})
SHORTEST_S = 1.0  # Lambda's shortest timeout; the margin before a shorter one is less than a busy machine is late by


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """What the functions call."""
    site = Site()
    yield site
    site.close()


@pytest.mark.parametrize("case", HANGS, ids=lambda case: case.do)
def test_a_timeout_names_the_running_call_and_the_line(site: Site, case: HangingCall) -> None:
    """The finished spans are there, the open ones too, and no orphan."""
    trace, _ = hang(site, case.do)
    assert wrong(trace, case) == ""


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
    """Out of memory, for example, at 5 s of 8: Linux says it with SIGKILL."""
    collector = Collector()
    box = site.box(collector, timeout_s=8)
    killer = threading.Timer(5, box.environment.kill)
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
    assert run.started_ns + 5e9 - max(span.end_ns or 0 for span in steps) < 3e9


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


def look(watching: DeadlineWatch) -> None:
    """Wake the thread, and return when it has looked and waits again."""
    waits, wait = threading.Event(), watching._wait

    def waiting(wait_s: float) -> float:
        waits.set()
        return wait(wait_s)

    watching._wait = waiting  # type: ignore[method-assign]
    watching._wake()
    assert waits.wait(20)


def test_each_invocation_is_told_of_once(watch: Watch, span: Span) -> None:
    """Even if it goes on."""
    watching, rung = watch
    for _ in range(2):
        count, now_s = len(rung), time.time()
        watching.begin(span, now_s + 0.1, now_s)
        assert until(lambda count=count: len(rung) > count)  # type: ignore[misc]
        time.sleep(0.05)
    assert [running.thread for running in rung] == [threading.get_ident()] * 2


def test_an_invocation_that_ends_in_time_is_not_told_of(watch: Watch, span: Span) -> None:
    """Nor does the next one's deadline suffer from it."""
    watching, rung = watch
    now_s = time.time()
    watching.begin(span, now_s + 0.15, now_s)
    watching.end()
    time.sleep(0.2)
    assert rung == []
    now_s = time.time()
    watching.begin(span, now_s + SHORTEST_S, now_s)
    assert until(lambda: len(rung) == 1)
    assert time.time() < now_s + SHORTEST_S


def test_a_shorter_timeout_than_ever_is_seen_in_time(watch: Watch, span: Span, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread sleeps by the shortest that it knows, however long it sleeps else."""
    monkeypatch.setattr("lambda_latency.runtime.deadline.watch.LONGEST_SLEEP_S", 3600)
    watching, rung = watch
    now_s = time.time()
    watching.begin(span, now_s + 600, now_s)
    watching.end()
    look(watching)  # from now on it sleeps by the first one
    now_s = time.time()
    watching.begin(span, now_s + SHORTEST_S, now_s)
    assert until(lambda: len(rung) == 1)
    assert time.time() < now_s + SHORTEST_S


def test_a_look_that_takes_all_the_time_there_is_does_not_put_the_alarm_off(
    span: Span, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the rehearsal may: it imports, and reads source lines."""
    start_s = time.time()
    clock = [start_s]
    monkeypatch.setattr("lambda_latency.runtime.deadline.watch.time", lambda: clock[0])
    monkeypatch.setattr("lambda_latency.runtime.deadline.watch.LONGEST_SLEEP_S", 3600)
    rung: list[Running] = []

    def glance(running: Running, _left_s: float) -> float:
        clock[0] = running.alarm
        return 3600

    watching = DeadlineWatch(rung.append, glance, BARE)
    try:
        watching.begin(span, start_s + 3600, start_s)
        look(watching)
        assert until(lambda: len(rung) == 1)
    finally:
        watching.stop()


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
