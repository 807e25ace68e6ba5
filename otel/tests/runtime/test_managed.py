"""Lambda Managed Instances: a process for each slot, never frozen, not killed at a deadline."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.delivery import after_response
from lambda_latency.runtime.delivery.extension import Background
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from lambda_latency.testing.redacted import RedactedSpans
from tests.sandbox.state import until


@pytest.fixture(autouse=True)
def managed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One slot of two."""
    monkeypatch.setenv("AWS_LAMBDA_MAX_CONCURRENCY", "2")
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")


@pytest.fixture
def runtime() -> Iterator[tuple[Runtime, InMemorySpanExporter]]:
    """The runtime of a slot, and what left."""
    memory = InMemorySpanExporter()
    settings = Settings.read({})
    runtime = Runtime(settings, RedactedSpans(memory, settings)).start()
    yield runtime, memory
    runtime.stop()


class Context:
    """An invocation with so many milliseconds left."""

    aws_request_id = "1"
    invoked_function_arn = ""

    def __init__(self, left_ms: int) -> None:
        self._left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda's."""
        return self._left_ms


def test_a_span_that_outlives_its_deadline_leaves_once_and_says_so(runtime: tuple[Runtime, Any]) -> None:
    """Nobody kills the process: what was open then is marked, with its stack, and leaves when it ends."""
    running, memory = runtime
    go_on = threading.Event()

    def handler(_event: object, _context: object) -> str:
        tracer = running.provider.get_tracer("function")
        with tracer.start_as_current_span("work") as span:
            assert until(lambda: "code.stacktrace" in (getattr(span, "attributes", None) or {}))
        go_on.set()
        return "late"

    assert traced(handler, running)({}, Context(300)) == "late"
    assert go_on.is_set()
    spans = {span.name: span for span in memory.get_finished_spans()}
    assert sorted(spans) == ["orders-create", "work"]
    assert len(memory.get_finished_spans()) == 2
    work, root = spans["work"].attributes, spans["orders-create"].attributes
    assert "until(lambda" in work["code.stacktrace"]
    assert (root["lambda.timeout"], root["lambda.timeout.limit_ms"]) == (True, 1000)
    assert [span.status.status_code.name for span in spans.values()] == ["ERROR", "ERROR"]
    assert not any("lambda.provisional" in (span.attributes or {}) for span in spans.values())


def test_a_slow_request_of_a_slot_is_sampled(runtime: tuple[Runtime, Any]) -> None:
    """Each slot has its own process, which serves one request at a time."""
    running, memory = runtime
    traced(lambda _event, _context: time.sleep(0.4), running)({}, Context(60_000))
    running.after_response()
    assert until(lambda: bool(memory.get_finished_spans()))
    [root] = memory.get_finished_spans()
    assert root.attributes["lambda.profile.samples"] > 0


def test_a_thread_delivers_and_no_extension_is_registered() -> None:
    """An internal extension hears of no invocation there: Lambda would refuse its registration."""
    assert isinstance(after_response.helper(lambda _: None), Background)


def test_a_slow_collector_does_not_hold_the_slot() -> None:
    """A release returns at once; what comes meanwhile is delivered next."""
    delivering, let_go = threading.Event(), threading.Event()
    steps: list[int] = []

    def step(_deadline: float) -> None:
        steps.append(len(steps))
        delivering.set()
        assert let_go.wait(10)

    thread = Background(step)
    thread.release()
    assert delivering.wait(10)
    thread.release()
    thread.release()
    assert steps == [0]
    let_go.set()
    assert until(lambda: steps == [0, 1])
