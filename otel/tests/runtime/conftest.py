"""A function's environment, and the runtime started in this process with spans kept in memory."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lambda_latency.runtime import harmless
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.libraries import UNTRACEABLE
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from lambda_latency.testing import Snapshot, snapshot_of
from lambda_latency.testing.recording import span_of
from lambda_latency.testing.redacted import RedactedSpans
from tests.runtime.lambdas import ENVIRONMENT, Context
from tests.runtime.stubs import Server
from tests.runtime.tree import Tree, trees

TRACE = "674385f00123456789abcdef01234567"
SEGMENT = "0123456789abcdef"
HEADER = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1;Lineage=1:abcdef12:0"

STEPS = ("init", "dns", "tcp", "tls", "handshake", "pool")

LAPTOP_REGION = "us-east-1"  # of apps that the local system serves
VARIABLES = {**ENVIRONMENT, "_X_AMZN_TRACE_ID": HEADER}


class Function:
    """An environment with one runtime, whatever handler is invoked in it."""

    def __init__(self, runtime: Runtime, memory: InMemorySpanExporter) -> None:
        self.runtime = runtime
        self.memory = memory

    def invoke(self, handler: Callable[[Any, Any], Any], event: object = None) -> Any:
        """One invocation."""
        return traced(handler, self.runtime)(event, Context())

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What left the runtime so far, without its init and the steps of connections, which come once.

        The app of tests/local/app may be up in this process, and handle a message that comes late: its calls are traced
        like the function's, and are told by their region.
        """
        spans = [span for span in self.memory.get_finished_spans() if span.name not in STEPS]
        return tuple(span for span in spans if (span.attributes or {}).get("aws.region") != LAPTOP_REGION)

    @property
    def trace(self) -> Snapshot:
        """The same as a tree to be compared."""
        return snapshot_of(map(span_of, self.spans))

    def trees(self, *keys: str) -> list[Tree]:
        """The same as nested tuples."""
        return trees(self.spans, *keys)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Lambda sets, and none of OpenTelemetry's or our variables of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("OTEL_", "LAMBDA_LATENCY_", "AWS_")):
            monkeypatch.delenv(name)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    harmless.LOGGED.clear()
    for name in UNTRACEABLE:  # what other tests of this process have imported is no library of the function's
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def start() -> Iterator[Callable[..., Function]]:
    """Start a runtime with the settings given as variables; all are stopped at the end of the test."""
    started: list[Runtime] = []

    def begin(**variables: str) -> Function:
        memory, settings = InMemorySpanExporter(), Settings.read(variables)
        started.append(Runtime(settings, RedactedSpans(memory, settings)).start())
        return Function(started[-1], memory)

    yield begin
    for runtime in reversed(started):
        runtime.stop()


@pytest.fixture
def function(start: Callable[..., Function]) -> Function:
    """A runtime with the default settings."""
    return start()


class Clock:
    """What the circuit of deliveries takes for the time."""

    def __init__(self) -> None:
        self.now = 1_000_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that only the test moves."""
    clock = Clock()
    monkeypatch.setattr("lambda_latency.runtime.delivery.sender.wall_clock", lambda: clock.now)
    monkeypatch.setattr("lambda_latency.runtime.delivery.sender.urandom", bytes)
    return clock


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers 200 with `{}` until it is told otherwise."""
    with Server() as running:
        yield running
