"""A plugin of pytest for `lab durable --examples`: records what AWS's tests of its examples run.

Each test runs its execution many times, and in some of them the example's first step takes longer. Timers are short:
waits that are skipped have times of another clock. `RECORDER_FOLDER` receives a file of OTLP for each test.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import aws_durable_execution_sdk_python_otel as otel
import pytest
from aws_durable_execution_sdk_python import DurableContext, execution
from aws_durable_execution_sdk_python_testing import runner
from aws_durable_execution_sdk_python_testing.checkpoint.processors import base, step, wait
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lab.suites_durable import LAMBDA
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from lambda_latency.testing.redacted import RedactedSpans

EXECUTIONS, SLOW = 24, (5, 11, 17, 23)
SLOW_S = 0.5
TIMER_S, LONGEST_S = 0.1, 3.0  # of a wait or a delay; of an execution that is run many times
FOLDER = Path(os.environ["RECORDER_FOLDER"])
MEMORY = InMemorySpanExporter()


class SlowStep:
    """The step that is slow: `name` of the running test's, `is_slow` in the running execution. `steps` of each test."""

    name: str | None = None
    is_slow = False
    steps: ClassVar[dict[str, str | None]] = {}
    unusable: ClassVar[set[str]] = set()


def _with_sdk(handler: Callable[..., Any]) -> Callable[..., Any]:
    return handler


def _set_up(provider: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Set the process's provider; returns what wraps a handler."""
    os.environ.update(LAMBDA)
    if provider == "kit":
        settings = Settings.read(os.environ)
        runtime = Runtime(settings, RedactedSpans(MEMORY, settings)).start(is_global=True)
        return partial(traced, runtime=runtime)
    of_sdk = TracerProvider(resource=Resource({"service.name": "order", "faas.name": "order"}))
    of_sdk.add_span_processor(SimpleSpanProcessor(MEMORY))
    trace.set_tracer_provider(of_sdk)
    return _with_sdk


WRAPPED = _set_up(os.environ["RECORDER_PROVIDER"])


class Runner(runner.DurableFunctionTestRunner):  # type: ignore[misc]
    """AWS's runner with real time."""

    def __init__(self, handler: Callable[..., Any], **options: Any) -> None:
        super().__init__(WRAPPED(handler), **{**options, "poll_interval": 0.02, "skip_time": False})


def _short(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, TIMER_S))


MAKE_STEP, MAKE_EXECUTION = DurableContext.step, execution.durable_execution


def _step(self: Any, func: Callable[[Any], Any], name: str | None = None, config: Any = None) -> Any:
    """Make a step that takes longer if it is the slow one."""
    name = name or getattr(func, "_original_name", None)
    SlowStep.name = SlowStep.name or name

    def slow(context: Any) -> Any:
        time.sleep(SLOW_S)
        return func(context)

    is_slow = SlowStep.is_slow and name == SlowStep.name
    return MAKE_STEP(self, slow if is_slow else func, name, config)


def _without_plugins(func: Any = None, **options: Any) -> Any:
    """Decorate a handler without its plugins: `DURABLE_EXECUTION_PLUGINS` names AWS's."""
    options.pop("plugins", None)
    return MAKE_EXECUTION(func, **options)


def _replace() -> None:
    """Replace what the examples and their tests import, before pytest reads their conftest.py.

    Some examples have names of the plugin before 1.0.
    """
    runner.DurableFunctionTestRunner = Runner
    for module in (base, step, wait):
        module.timedelta = _short
    DurableContext.step = _step
    execution.durable_execution = _without_plugins
    otel.ProviderSource = SimpleNamespace(GLOBAL=None)
    otel.OtelPluginConfig = otel.InvocationOtelPlugin = lambda *_arguments, **_options: None


_replace()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test many times."""
    metafunc.parametrize("execution_number", range(EXECUTIONS), indirect=True)


@pytest.fixture(autouse=True)
def execution_number(request: pytest.FixtureRequest) -> Iterator[None]:
    """Record the execution of a test. A test whose first execution takes long is not repeated."""
    number, test = request.param, test_of(request.node)
    if test in SlowStep.unusable:
        pytest.skip("an earlier execution fails or takes long")
    SlowStep.name, SlowStep.is_slow = SlowStep.steps.get(test), number in SLOW
    header = f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()};Parent={os.urandom(8).hex()};Sampled=1"
    os.environ["_X_AMZN_TRACE_ID"] = header
    MEMORY.clear()
    begin_s = time.monotonic()
    yield
    if time.monotonic() - begin_s > LONGEST_S + SLOW_S * SlowStep.is_slow * 4:
        SlowStep.unusable.add(test)
    SlowStep.steps[test] = SlowStep.name
    if number == 0:
        return  # it imports what the example needs
    encoded = encode_spans(MEMORY.get_finished_spans()).SerializeToString()
    (FOLDER / f"{test}.{number:02}.{'slow' if SlowStep.is_slow else 'usual'}.pb").write_bytes(encoded)


def test_of(item: Any) -> str:
    """Return the name of a test, without its number."""
    return f"{item.path.stem}.{item.originalname}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Leave out the tests that fail."""
    if report.failed:
        path, _, name = report.nodeid.partition("::")
        SlowStep.unusable.add(f"{Path(path).stem}.{name.partition('[')[0]}")


def pytest_sessionfinish() -> None:
    """Write the name of each test's slow step; null if none has a name."""
    steps = {test: name for test, name in SlowStep.steps.items() if test not in SlowStep.unusable}
    Path(FOLDER, "steps.json").write_text(json.dumps([steps, sorted(SlowStep.unusable)]), "utf-8")
