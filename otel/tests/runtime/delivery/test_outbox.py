"""What leaves in a delivery, in order."""

import linecache
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.trace import Tracer, set_span_in_context

from lambda_latency.runtime.deadline import stacks
from lambda_latency.runtime.deadline.running import Running
from lambda_latency.runtime.deadline.stacks import Stacks
from lambda_latency.runtime.delivery.outbox import Outbox
from lambda_latency.runtime.propagation import LambdaSampler
from lambda_latency.runtime.recorder import Buffer, Recorder
from lambda_latency.runtime.settings import Settings
from tests.runtime.conftest import HEADER, Function

Made = tuple["Tracer", Outbox, "Sink", Recorder]


class Sink:
    """Keeps the names of each delivery; `takes` says whether nothing is left waiting."""

    def __init__(self) -> None:
        self.deliveries: list[list[str]] = []
        self.seconds: list[float] = []
        self.takes = True

    def export(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> bool:
        self.seconds.append(seconds)
        self.deliveries.append([span.name for span in spans])
        return self.takes

    def urgent(self, spans: Iterable[ReadableSpan], _seconds: float = inf) -> Callable[[float], str]:
        copies = list(spans)
        return lambda _: "" if self.export(copies) else "a collector: no answer"

    def shutdown(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def made() -> Made:
    """A tracer whose spans go through an outbox into a sink; the invocation is recorded."""
    settings = Settings.read({})
    buffer: Buffer[ReadableSpan] = Buffer(10, 100_000)
    sampler = LambdaSampler()
    sampler.decision = True
    sink = Sink()

    def flush(seconds: float) -> bool:
        return outbox.flush(seconds)

    recorder = Recorder(buffer, sampler, 3, flush)
    outbox = Outbox(recorder, sink, settings)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(recorder)
    return provider.get_tracer("function"), outbox, sink, recorder


def test_only_what_has_ended_leaves(made: Made) -> None:
    """What runs on after the response leaves when it ends, once."""
    tracer, outbox, sink, _ = made
    work = tracer.start_span("work")
    call = tracer.start_span("call", set_span_in_context(work))
    tracer.start_span("tcp", set_span_in_context(call)).end()
    outbox.flush()
    call.end()
    work.end()
    outbox.flush()
    assert sink.deliveries == [["tcp"], ["work", "call"]]


def test_a_flush_delivers_and_says_whether_all_was_taken(made: Made) -> None:
    """`force_flush` of the SDK's provider. The sink is asked while it has spans that wait, and not without any."""
    tracer, _, sink, recorder = made
    results = []
    for name, takes in (("a", True), ("", True), ("b", False), ("", False), ("", True), ("", True)):
        if name:
            tracer.start_span(name).end()
        sink.takes = takes
        results.append(recorder.force_flush(1000))
    assert (results, sink.deliveries) == ([True, True, False, False, True, True], [["a"], ["b"], [], []])


def test_spans_that_never_end_are_forgotten_and_told_of_once(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """The oldest beyond a number, and all of them when the next invocation begins; one that ends late is kept."""
    tracer, outbox, sink, recorder = made
    oldest, *_ = [tracer.start_span(f"span {number}") for number in range(5)]
    assert [span.name for span, _ in recorder.open_spans()] == ["span 2", "span 3", "span 4"]
    recorder.forget_open()
    assert recorder.open_spans() == []
    oldest.end()
    outbox.flush()
    assert sink.deliveries == [["span 0"]]
    (message,) = caplog.messages
    assert message.startswith("lambda-latency: 3 spans were still open when the next invocation began")


def test_a_timeout_tells_of_no_span_of_an_earlier_invocation(
    start: Callable[..., Function], caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that forgets to end its spans."""
    function = start()
    open_after: list[int] = []

    def handler(_event: object, _context: object) -> None:
        tracer = function.runtime.provider.get_tracer("function")
        for _ in range(20):
            tracer.start_span("forgotten")
        open_after.append(len(function.runtime.recorder.open_spans()))

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            function.invoke(handler)
    assert open_after == [21, 21, 21]
    assert len(caplog.messages) == 1


def test_a_span_that_ends_in_a_later_invocation_is_kept(
    start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that goes on: whether the invocation is recorded in which it ends is no matter."""
    function = start()
    late: list[Any] = []
    function.invoke(lambda _event, _context: late.append(function.runtime.provider.get_tracer("f").start_span("late")))
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER.replace("Sampled=1", "Sampled=0"))
    function.invoke(lambda _event, _context: late.pop().end())
    function.runtime.after_response()
    assert function.trace.one("late").parent_id == function.trace.one("orders-create").span_id


def test_what_is_prepared_for_a_timeout_is_prepared_in_a_hurry(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a handler that computes, imports at Python's own switch interval took longer than the timeout."""
    tracer, outbox, _, _ = made
    intervals_s: list[float] = []
    monkeypatch.setattr(outbox, "_rehearse", lambda *_: intervals_s.append(sys.getswitchinterval()))
    interval_s = sys.getswitchinterval()
    span = tracer.start_span("handler")
    assert isinstance(span, Span)
    running = Running(span, 0, time.time() + 60)
    outbox.on_the_way(running, 50)
    assert intervals_s == []  # most invocations end long before their deadline
    outbox.on_the_way(running, 40)
    outbox.on_the_way(running, 30)
    assert [round(seconds, 5) for seconds in intervals_s] == [0.0001]
    assert sys.getswitchinterval() == interval_s


def test_a_timeout_is_told_while_the_function_waits_for_a_delivery(made: Made) -> None:
    """`force_flush` in the handler, and a collector that does not answer."""
    tracer, outbox, sink, _ = made
    answered, exporting = threading.Event(), threading.Event()

    def export(spans: Iterable[ReadableSpan], seconds: float = inf) -> bool:
        exporting.set()
        return answered.wait(60)

    urgent_names: list[list[str]] = []

    def urgent(spans: Iterable[ReadableSpan], _seconds: float = inf) -> Callable[[float], str]:
        urgent_names.append([span.name for span in spans])
        return lambda _: ""

    sink.urgent = urgent  # type: ignore[method-assign]
    sink.export = export  # type: ignore[method-assign]
    tracer.start_span("ended").end()
    span = tracer.start_span("handler")
    assert isinstance(span, Span)
    flush = threading.Thread(target=outbox.flush)
    flush.start()
    assert exporting.wait(60)
    try:
        outbox.at_deadline(Running(span, threading.get_ident(), time.time() + 0.1))
        assert urgent_names == [["handler"]]
    finally:
        answered.set()
        flush.join(60)


def test_nobody_takes_the_interpreter_from_what_is_computed_for_a_timeout(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that imports would keep it while it compiles; what is sent gives it away with each system call."""
    tracer, outbox, sink, _ = made
    intervals: list[tuple[str, float]] = []
    interval_s = sys.getswitchinterval()

    def urgent(*_: object) -> Callable[[float], str]:
        intervals.append(("computed", round(sys.getswitchinterval(), 4)))
        return sent

    def sent(_: float) -> str:
        intervals.append(("sent", round(sys.getswitchinterval(), 4)))
        return ""

    monkeypatch.setattr(sink, "urgent", urgent)
    span = tracer.start_span("handler")
    assert isinstance(span, Span)
    outbox.at_deadline(Running(span, threading.get_ident(), time.time() + 60))
    assert intervals == [("computed", 0.02), ("sent", 0.0001)]
    assert sys.getswitchinterval() == interval_s


@pytest.mark.parametrize("step", ["before", "marks", "encoding", "delivery"])
def test_an_invocation_that_ends_beside_its_alarm_is_told_of_no_timeout(
    step: str, made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All stops at the next step, nothing is said, and the ended spans leave with the next delivery."""
    tracer, outbox, sink, recorder = made
    steps: list[str] = []
    tracer.start_span("ended").end()
    span = tracer.start_span("handler")
    assert isinstance(span, Span)

    def passed(name: str) -> None:
        steps.append(name)
        if name == step:
            span.end()

    def marked(*_: object) -> dict[int, dict[str, Any]]:
        passed("marks")
        return {span.get_span_context().span_id: {}}

    def urgent(spans: Iterable[ReadableSpan], _seconds: float) -> Callable[[float], str]:
        for _ in spans:
            passed("encoding")
        return delivered

    def delivered(_: float) -> str:
        passed("delivery")
        return "a collector: no answer"

    monkeypatch.setattr(stacks, "marks_of", marked)
    monkeypatch.setattr(sink, "urgent", urgent)
    passed("before")
    outbox.at_deadline(Running(span, threading.get_ident(), time.time() + 60))
    expected = ["before", "marks", "encoding", "encoding", "delivery"]
    ends = {"before": 1, "marks": 2, "encoding": 3, "delivery": 5}
    assert steps == expected[: ends[step]]
    assert caplog.messages == []
    assert sorted(ended.name for ended in recorder.buffer.drain()[0]) == ["ended", "handler"]


def test_a_timeout_that_no_collector_takes_is_one_line(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """While the invocation runs."""
    tracer, outbox, sink, _ = made
    sink.takes = False
    span = tracer.start_span("handler")
    assert isinstance(span, Span)
    outbox.at_deadline(Running(span, threading.get_ident(), time.time() + 60))
    assert caplog.messages == ["lambda-latency: a timeout could not be told to a collector: no answer"]


@pytest.mark.parametrize("left_s", [60, -60])
def test_files_of_source_are_read_for_a_timeout_only_while_there_is_time(
    monkeypatch: pytest.MonkeyPatch, left_s: float
) -> None:
    """Each look at a file gives the interpreter away; what was read before is known."""
    looked: list[str] = []

    def look(name: str, *_: object) -> list[str]:
        looked.append(name)
        return ["# from the disk\n"] * 1000

    monkeypatch.setattr(linecache, "cache", {})
    monkeypatch.setattr(linecache, "updatecache", look)
    monkeypatch.setattr(linecache, "checkcache", look)
    stack = Stacks(100_000, time.time() + left_s).stack_of(threading.get_ident())
    assert ("# from the disk" in stack, __file__ in looked) == (left_s > 0, left_s > 0)
    looked.clear()
    linecache.cache[__file__] = (1, None, ["# known\n"] * 1000, __file__)
    assert "# known" in Stacks(100_000, 0).stack_of(threading.get_ident())
    assert looked == []
